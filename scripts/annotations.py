"""Annotate every image of a shard: its label, in a flat run its cluster, and how sure that is."""

import polars as pl

from tagsight.clustering import annotation
from tagsight.interpretation import annotations
from tagsight.run.atomic import read_json, write_parquet
from tagsight.run.jobs import logged
from tagsight.tags import labels
from tagsight.terms.spelling_table import spelling_table
from tagsight.tree.encodings import FLAT, load_tree
from tagsight.tree.trust import trust

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    sample, images = pl.read_parquet(inputs.sample), pl.read_parquet(inputs.features)
    tree = load_tree(inputs.encoding).ranged_by(sample, params.ranges)
    tags, cards = pl.read_parquet(inputs.tags), read_json(inputs.cards)
    if tree.flat:
        medoids = pl.read_parquet(inputs.medoids).filter(k=read_json(inputs.choice)["k"])
        placed = annotation.annotate(images, medoids, tree.of(FLAT))
        table = annotations.flat_annotations(placed, tags, cards)
    else:
        nearest, members = pl.read_parquet(inputs.nearest), pl.read_parquet(inputs.members)
        again, names = pl.read_parquet(inputs.bootstraps), annotations.label_of(cards)
        table = annotations.annotations(
            nearest.with_columns(trust(images, nearest, sample, members, again, tree, names)),
            pl.read_parquet(inputs.content),
            tags,
            labels.in_terms(labels.labels(tags, spelling_table(params.body_parts))),
            cards,
        )
    write_parquet(table, snakemake.output[0])
