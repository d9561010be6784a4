"""Cluster a sample: in each kind for all numbers of clusters, or flat for the grid of K."""

import polars as pl

from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
from tagsight.tree.clusters import flat_clusters, tree_clusters
from tagsight.tree.encodings import FLAT, load_tree

with logged(snakemake):
    params = snakemake.params
    sample = pl.read_parquet(snakemake.input.sample)
    tree = load_tree(snakemake.input.encoding).ranged_by(sample, params.ranges)
    how = {"algorithm": params.algorithm, "weight": params.weight}
    if tree.flat:
        clusters = flat_clusters(sample, tree.of(FLAT), params.k, **how)
    else:
        clusters = tree_clusters(sample, tree, count=params.labels, **how)
    write_parquet(clusters, snakemake.output[0])
