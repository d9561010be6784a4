"""Add labels and features to the drawn images."""

import polars as pl

from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
from tagsight.run.tables import rows_of
from tagsight.tags import labels
from tagsight.terms.spelling_table import spelling_table

with logged(snakemake):
    draws = [pl.read_parquet(path) for path in snakemake.input.draws]
    images = pl.concat(draws)["image"]
    body_parts = spelling_table(snakemake.params.body_parts)
    described = labels.labels(rows_of(images, snakemake.input.tags), body_parts)
    described = described.join(rows_of(images, snakemake.input.features), on="image")
    if snakemake.input.get("content"):
        words = rows_of(images, snakemake.input.content).drop("kind")
        described = described.join(words, on="image")
    for draw, path in zip(draws, snakemake.output, strict=True):
        known = [name for name in draw.columns if name != "image"]
        columns = described.drop(known, strict=False)
        write_parquet(draw.join(columns, on="image", how="left", maintain_order="left"), path)
