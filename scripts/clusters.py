"""Cluster a sample for the whole grid of K."""

import polars as pl

from tagsight import clusters, gower, medoids, silhouettes
from tagsight.encoding import load, to_features
from tagsight.jobs import LOG, logged
from tagsight.store import write_parquet

with logged(snakemake):
    params = snakemake.params
    sample = pl.read_parquet(snakemake.input.sample)
    encoding = load(snakemake.input.encoding)
    encoding = encoding.ranged_by(sample, params.ranges)
    features = to_features(sample, encoding)
    LOG.info("%.2g of the pairs have no tag in common", gower.incomparable(features))
    distances = gower.matrix(features, encoding.distance)
    grid = medoids.grid(distances, params.k, params.algorithm)
    if left_out := sorted(set(params.k) - {found.k for found in grid}):
        LOG.warning("K = %s left out: the sample has too few distinct images", left_out)
    widths = silhouettes.samples(distances, [found.labels for found in grid])
    write_parquet(clusters.table(sample["image"], distances, grid, widths), snakemake.output[0])
