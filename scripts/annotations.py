"""Assign every image of a shard to the cluster of its nearest medoid."""

import polars as pl

from tagsight.clustering import annotation
from tagsight.run.atomic import read_json, write_parquet
from tagsight.run.jobs import logged
from tagsight.tags.encoding import load

FROM_TAGS = ["image", "path", "series", "patient", "study"]

with logged(snakemake):
    k = read_json(snakemake.input.choice)["k"]
    sample = pl.read_parquet(snakemake.input.sample)
    encoding = load(snakemake.input.encoding)
    annotated = annotation.annotate(
        pl.read_parquet(snakemake.input.features),
        pl.read_parquet(snakemake.input.medoids).filter(k=k),
        encoding.ranged_by(sample, snakemake.params.ranges),
    )
    names = {card["cluster"]: card["name"] for card in read_json(snakemake.input.cards)}
    paths = pl.read_parquet(snakemake.input.tags, columns=FROM_TAGS)
    table = annotated.join(paths, on="image", how="left", maintain_order="left").with_columns(
        name=pl.col("cluster").replace_strict(names, return_dtype=pl.String)
    )
    columns = [
        *FROM_TAGS,
        "cluster",
        "name",
        "distance",
        "margin",
        "second",
        "because",
    ]
    write_parquet(table.select(columns), snakemake.output[0])
