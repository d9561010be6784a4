"""Average linkage, cut at each K of the grid."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from tagsight.clustering.k_medoids import Clustering, central

Array = NDArray[Any]


def clusterings(distances: Array, ks: Sequence[int]) -> list[Clustering]:
    """Average linkage, cut at each K; the medoid is the member with least distance to the rest."""
    merges = linkage(squareform(distances, checks=False), method="average")  # (n - 1, 4)
    return [central(distances, _cut(merges, k)) for k in ks]


def _cut(merges: Array, k: int) -> Array:
    """Labels after all merges but the last k - 1: exactly k clusters, also among equal heights."""
    n = len(merges) + 1
    made = n - k
    children = merges[:made, :2].astype(np.int64).ravel()
    parents = np.repeat(np.arange(n, n + made), 2)
    size = n + made
    links = coo_array((np.ones(2 * made, np.int8), (children, parents)), shape=(size, size))
    return connected_components(links, directed=False)[1][:n]
