"""Add labels and features to the drawn images."""

import polars as pl

from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
from tagsight.run.tables import scan
from tagsight.tags import labels
from tagsight.terms.spelling_table import spelling_table

with logged(snakemake):
    draws = [pl.read_parquet(path) for path in snakemake.input.draws]
    images = pl.concat(draws).lazy().select("image")
    body_parts = spelling_table(snakemake.params.body_parts)
    tags = scan(snakemake.input.tags).join(images, on="image", how="semi").collect()
    features = pl.scan_parquet(snakemake.input.features).join(images, on="image", how="semi")
    if snakemake.input.get("content"):
        words = scan(snakemake.input.content).drop("kind")
        features = features.join(words, on="image")
    described = labels.labels(tags, body_parts).join(features.collect(), on="image")
    for draw, path in zip(draws, snakemake.output, strict=True):
        known = [name for name in draw.columns if name != "image"]
        columns = described.drop(known, strict=False)
        write_parquet(draw.join(columns, on="image", how="left", maintain_order="left"), path)
