"""Cluster a sample for the whole grid of K."""

import polars as pl

from tagsight.clustering import algorithms, cluster_tables, silhouettes
from tagsight.gower import metric
from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG
from tagsight.tags.encoding import load, to_features

with logged(snakemake):
    params = snakemake.params
    sample = pl.read_parquet(snakemake.input.sample)
    encoding = load(snakemake.input.encoding)
    encoding = encoding.ranged_by(sample, params.ranges)
    features = to_features(sample, encoding)
    distinct = algorithms.rows_to_cluster(features, params.weight, params.algorithm)
    LOG.info("%d images, %d of them different", len(features), len(distinct.first))
    LOG.info("%.2g of the pairs have no tag in common", metric.incomparable(features))
    distances = metric.matrix(distinct.features, encoding.distance)
    grid = algorithms.clusterings(
        distinct.features, distances, params.k, params.algorithm, distinct.weight
    )
    if remark := algorithms.remark(params.k, grid, params.algorithm):
        LOG.warning(remark)
    widths = silhouettes.widths(
        distances, [clustering.labels for clustering in grid], distinct.weight
    )
    clusters = cluster_tables.table(sample["image"], distances, grid, widths, distinct)
    write_parquet(clusters, snakemake.output[0])
