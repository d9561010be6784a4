"""Cluster a sample for the whole grid of K."""

import polars as pl

from tagsight import clusters, families, gower, silhouettes
from tagsight.encoding import load, to_features
from tagsight.jobs import LOG, logged
from tagsight.store import write_parquet

with logged(snakemake):
    params = snakemake.params
    sample = pl.read_parquet(snakemake.input.sample)
    encoding = load(snakemake.input.encoding)
    encoding = encoding.ranged_by(sample, params.ranges)
    features = to_features(sample, encoding)
    few = families.rows(features, params.weight, params.algorithm)
    LOG.info("%d images, %d of them different", len(features), len(few.first))
    LOG.info("%.2g of the pairs have no tag in common", gower.incomparable(features))
    distances = gower.matrix(few.features, encoding.distance)
    grid = families.clusterings(few.features, distances, params.k, params.algorithm, few.weight)
    if remark := families.remark(params.k, grid, params.algorithm):
        LOG.warning(remark)
    widths = silhouettes.samples(distances, [found.labels for found in grid], few.weight)
    found = clusters.table(sample["image"], distances, grid, widths, few)
    write_parquet(found, snakemake.output[0])
