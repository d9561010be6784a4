"""Add to the images drawn their labels and their features."""

import polars as pl

from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
from tagsight.run.tables import scan
from tagsight.tags import labels
from tagsight.terms.spelling_table import spelling_table

with logged(snakemake):
    draws = [pl.read_parquet(path) for path in snakemake.input.draws]
    chosen = pl.concat(draws).lazy().select("image")
    body_parts = spelling_table(snakemake.params.body_parts)
    tags = scan(snakemake.input.tags).join(chosen, on="image", how="semi").collect()
    features = pl.scan_parquet(snakemake.input.features).join(chosen, on="image", how="semi")
    described = labels.labels(tags, body_parts).join(features.collect(), on="image")
    for drawn, path in zip(draws, snakemake.output, strict=True):
        write_parquet(drawn.join(described, on="image", how="left", maintain_order="left"), path)
