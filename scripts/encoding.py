"""Fit the encoding, tags as columns, to the whole archive."""

import polars as pl

from tagsight.run.atomic import write_json, write_parquet
from tagsight.run.hashing import run_key
from tagsight.run.jobs import logged, results_folder
from tagsight.run.progress import LOG
from tagsight.run.tables import scan
from tagsight.tags import fitting
from tagsight.tags.unmapped import unmapped
from tagsight.terms.spelling_table import spelling_table

with logged(snakemake):
    tags = scan(snakemake.input.tags)
    body_parts = spelling_table(snakemake.params.body_parts)
    fitted = fitting.fit(
        tags,
        pl.read_parquet(snakemake.input.frequencies),
        pl.read_parquet(snakemake.input.selection),
        distance=snakemake.params.distance,
        presence_weight=snakemake.params.presence_weight,
        body_parts=body_parts,
        key=run_key(snakemake.params.key_file, results_folder(snakemake)),
        min_patients=snakemake.params.min_patients,
        scale=snakemake.params.scale,
        weights=snakemake.params.weights,
    )
    LOG.info("%d columns", len(fitted.columns))
    write_json(fitted.to_json(), snakemake.output.encoding)
    keywords = [column.keyword for column in fitted.columns]
    not_understood = unmapped(tags, body_parts, snakemake.params.min_patients, keywords)
    write_parquet(not_understood, snakemake.output.unmapped)
