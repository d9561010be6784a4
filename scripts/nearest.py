"""Assign every image of a shard to the leaf of its nearest medoid, and say whether it fits."""

import polars as pl

from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
from tagsight.tree.encodings import load_tree
from tagsight.tree.fits import assess, limits
from tagsight.tree.placing import place

with logged(snakemake):
    inputs = snakemake.input
    tuning = pl.read_parquet(inputs.sample)
    other_patients = pl.concat([pl.read_parquet(sample) for sample in inputs.others])
    tree = load_tree(inputs.encoding).ranged_by(tuning, snakemake.params.ranges)
    leaves, images = pl.read_parquet(inputs.medoids), pl.read_parquet(inputs.features)
    placed = place(images, leaves, tree).with_columns(images["kind"])
    assessed = assess(placed, leaves, limits(other_patients, leaves, tree))
    write_parquet(assessed, snakemake.output[0])
