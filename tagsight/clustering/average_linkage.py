"""Average linkage, cut at each K of the grid."""

from collections.abc import Sequence

import numpy as np

from tagsight.arrays import Float32s, Float64s, Int32s
from tagsight.clustering.medoids import Clustering, central


def clusterings(distances: Float32s, ks: Sequence[int]) -> list[Clustering]:
    """Return average linkage at each K, with the most central members as medoids.

    distances: float32 (n, n), symmetric.
    """
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    merges = linkage(squareform(distances, checks=False), method="average")  # (n - 1, 4)
    return [central(distances, _cut(merges, k)) for k in ks]


def _cut(merges: Float64s, k: int) -> Int32s:
    """Labels after all merges but the last k - 1: exactly k clusters, even of equal heights."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(merges) + 1
    count = n - k
    children = merges[:count, :2].astype(np.int64).ravel()
    parents = np.repeat(np.arange(n, n + count), 2)
    size = n + count
    links = coo_array((np.ones(2 * count, np.int8), (children, parents)), shape=(size, size))
    labels: Int32s = connected_components(links, directed=False)[1][:n]
    return labels
