"""Clusters of a sample inside each kind of images, for every number of clusters it can bear."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from tagsight.arrays import Float32s
from tagsight.clustering import algorithms, cluster_tables, k_medoids, silhouettes
from tagsight.clustering.medoids import Clustering, central, nearest
from tagsight.gower import metric
from tagsight.gower.distinct_rows import DistinctRows, Weight
from tagsight.run.progress import LOG
from tagsight.tags.encoding import Encoding, to_features
from tagsight.tree.encodings import Tree

LEAST_KIND = 20  # images of a sample; with fewer a kind is one cluster
LEAST_CLUSTER = 5  # images of a sample to each cluster, on average


def grid_of(images: int, count: int) -> list[int]:
    """Return the numbers of clusters to try for a kind: from 1 to what it can bear.

    images: of the kind in the sample; count: clusters asked for in all kinds together. All numbers
    to 20 are tried, from there on every tenth part more.
    """
    most = min(count, images // LEAST_CLUSTER) if images >= LEAST_KIND else 1
    ks = [1]
    while ks[-1] < most:
        ks.append(ks[-1] + max(1, ks[-1] // 10 if ks[-1] >= 20 else 1))
    return [k for k in ks if k <= most] if ks[-1] > most else ks


def flat_clusters(
    sample: pl.DataFrame,
    encoding: Encoding,
    ks: Sequence[int],
    *,
    algorithm: str,
    weight: Weight,
) -> pl.DataFrame:
    """Return the clusters of a sample for the grid of K, as `cluster_tables.table`.

    sample: `image` and the columns of `encoding`.
    """
    features = to_features(sample, encoding)
    distinct = algorithms.rows_to_cluster(features, weight, algorithm)
    LOG.info("%d images, %d of them different", len(features), len(distinct.first))
    LOG.info("%.2g of the pairs have no tag in common", metric.incomparable(features))
    distances = metric.matrix(distinct.features, encoding.distance)
    grid = algorithms.clusterings(distinct.features, distances, ks, algorithm, distinct.weight)
    if remark := algorithms.remark(ks, grid, algorithm):
        LOG.warning(remark)
    widths = silhouettes.widths(distances, [each.labels for each in grid], distinct.weight)
    return cluster_tables.table(sample["image"], distances, grid, widths, distinct)


def tree_clusters(
    sample: pl.DataFrame, tree: Tree, *, count: int, algorithm: str, weight: Weight
) -> pl.DataFrame:
    """Return the clusters of a sample in each kind, for all K of `grid_of`.

    sample: `image`, `kind` and the encoded columns; tree: the encodings of the kinds.
    Returns the columns of `cluster_tables.table`, and `kind` before them; images of objects that
    are no pictures are not in it.
    """
    tables = [
        kind_clusters(
            rows, tree.of(kind), grid_of(len(rows), count), algorithm=algorithm, weight=weight
        ).select(pl.lit(kind).alias("kind"), pl.all())
        for kind, rows in tree.parts(sample)
    ]
    return pl.concat([pl.DataFrame(schema={"kind": pl.String, **cluster_tables.SCHEMA}), *tables])


def kind_clusters(
    rows: pl.DataFrame, encoding: Encoding, ks: Sequence[int], *, algorithm: str, weight: Weight
) -> pl.DataFrame:
    """Return the clusters of images for all K, as `cluster_tables.table`; K = 1 always among them.

    rows: `image` and the columns of `encoding`.
    """
    features = to_features(rows, encoding)
    distinct = algorithms.rows_to_cluster(features, weight, algorithm)
    distances = metric.matrix(distinct.features, encoding.distance)
    several = [k for k in ks if 1 < k <= len(distances)]
    grid = [
        _one(distances, distinct),
        *_several(distinct, distances, several, algorithm),
    ]
    grid = [
        *grid,
        *_exact(distances, distinct, [k for k in several if k not in {each.k for each in grid}]),
    ]
    widths = silhouettes.widths(distances, [each.labels for each in grid], distinct.weight)
    return cluster_tables.table(rows["image"], distances, grid, widths, distinct)


def _several(
    distinct: DistinctRows, distances: Float32s, ks: Sequence[int], algorithm: str
) -> list[Clustering]:
    if not ks:
        return []
    grid = algorithms.clusterings(distinct.features, distances, ks, algorithm, distinct.weight)
    return [each for each in grid if each.k in ks]


def _exact(distances: Float32s, distinct: DistinctRows, ks: Sequence[int]) -> list[Clustering]:
    """The clustering of fewest clusters that leaves no distance at all, if a K of these does.

    Of a flat grid it is left out: silhouettes would prefer it. Of a kind it is the best there is.
    """
    for k in ks:
        medoids = k_medoids.build(distances, k, distinct.weight)
        if not distances[medoids].min(axis=0).any():
            return [nearest(distances, medoids, distinct.weight)]
    return []


def _one(distances: Float32s, distinct: DistinctRows) -> Clustering:
    """All rows as one cluster, around the row of least weighted distance to the others."""
    totals = (distances * distinct.weight[None, :]).sum(axis=1, dtype=np.float64)
    one = central(distances, np.zeros(len(distances), np.int32))
    medoid = np.array([int(totals.argmin())])
    loss = float((distances[medoid[0]] * distinct.weight).sum(dtype=np.float64))
    return Clustering(1, loss, one.labels, medoid)
