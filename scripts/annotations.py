"""Annotate every image of a shard: its label, in a flat run its cluster, and how sure that is."""

import polars as pl

from tagsight.clustering import annotation
from tagsight.interpretation import annotations
from tagsight.run.atomic import read_json, write_parquet
from tagsight.run.jobs import logged
from tagsight.tags import labels
from tagsight.terms.spelling_table import spelling_table
from tagsight.tree.encodings import FLAT, load_tree

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    tree, cards = load_tree(inputs.encoding), read_json(inputs.cards)
    tags = pl.read_parquet(inputs.tags)
    if tree.flat:
        k = read_json(inputs.choice)["k"]
        encoding = tree.of(FLAT).ranged_by(pl.read_parquet(inputs.sample), params.ranges)
        medoids = pl.read_parquet(inputs.medoids).filter(k=k)
        placed = annotation.annotate(pl.read_parquet(inputs.features), medoids, encoding)
        table = annotations.flat_annotations(placed, tags, cards)
    else:
        table = annotations.annotations(
            pl.read_parquet(inputs.nearest),
            pl.read_parquet(inputs.content),
            tags,
            labels.in_terms(labels.labels(tags, spelling_table(params.body_parts))),
            cards,
        )
    write_parquet(table, snakemake.output[0])
