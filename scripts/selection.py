"""Decide the fate of each tag: kept, or dropped for a reason."""

import polars as pl

from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG
from tagsight.run.tables import scan
from tagsight.tags.selection import selection
from tagsight.terms.spelling_table import spelling_table

with logged(snakemake):
    fates = selection(
        pl.read_parquet(snakemake.input.frequencies),
        scan(snakemake.input.tags),
        spelling_table(snakemake.params.body_parts),
        **snakemake.params.select,
        seed=snakemake.params.get("seed"),
    )
    for reason, tags in fates["reason"].value_counts(sort=True).iter_rows():
        LOG.info("%s: %d tags", reason, tags)
    write_parquet(fates, snakemake.output[0])
