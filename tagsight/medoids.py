"""k-medoids for a whole grid of K on one matrix of distances.

Source: Kaufman & Rousseeuw, "Clustering by means of medoids" (1987): BUILD, then swaps. Swaps by
package kmedoids (Schubert & Rousseeuw, "Fast and eager k-medoids clustering", 2021).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any, Literal

import kmedoids
import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

Algorithm = Literal["fasterpam", "pam", "alternate", "average"]
Array = NDArray[Any]
STARTS = 8
Swap = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Clustering:
    """k clusters of n rows; cluster 0 is the largest.

    loss: sum of the distances to the own medoid. labels: int32 (n,), -1 where a row is in none.
    medoids: int64 (k,), row of the medoid of each cluster, always a member of it.
    """

    k: int
    loss: float
    labels: Array
    medoids: Array


def build(distances: Array, k: int) -> Array:
    """The first k medoids, greedily: each lowers the loss most; the lowest row where equal.

    distances: (n, n), symmetric; returns int64 (k,), the same as kmedoids' own BUILD. The first k
    of a longer result are the result for k. ValueError unless 1 <= k <= n.

    Lazy: what a row would gain can only shrink as medoids are added, so a gain computed earlier is
    an upper bound, and a row whose bound is below another's true gain needs no look.
    """
    n = len(distances)
    if not 1 <= k <= n:
        raise ValueError(f"cannot choose {k} medoids among {n} rows")
    first = int(np.argmin(distances.sum(axis=1, dtype=np.float64)))
    chosen, nearest = [first], distances[first].copy()
    bounds = [(-_gain(distances[j], nearest), j, 1) for j in range(n) if j != first]
    heapify(bounds)
    while len(chosen) < k:
        _, j, seen = heappop(bounds)
        if seen < len(chosen):
            heappush(bounds, (-_gain(distances[j], nearest), j, len(chosen)))
            continue
        chosen.append(j)
        np.minimum(nearest, distances[j], out=nearest)
    return np.array(chosen, np.int64)


def grid(
    distances: Array, ks: Sequence[int], algorithm: Algorithm = "fasterpam"
) -> list[Clustering]:
    """A clustering for each K, in rising order of K.

    distances: float32 (n, n), symmetric, C order. K at or above the number of distinct rows (where
    K medoids leave no distance at all, or K >= n) is left out: compare with `ks` to warn.
    Deterministic: the random starts that a small matrix is given beside BUILD have fixed seeds.
    """
    first = starts(distances, ks)
    if algorithm == "average":
        return _average(distances, [len(chosen) for chosen in first])
    swap = _SWAPS[algorithm]
    n = len(distances)
    return [_best(distances, [chosen, *_drawn(n, len(chosen))], swap) for chosen in first]


def starts(distances: Array, ks: Sequence[int]) -> list[Array]:
    """BUILD's medoids for each K below the number of distinct rows, in rising order of K.

    distances: float32 (n, n), symmetric.
    """
    wanted = sorted({k for k in ks if k < len(distances)})
    if not wanted:
        return []
    medoids = build(distances, wanted[-1])
    return [medoids[:k] for k in wanted if distances[medoids[:k]].min(axis=0).any()]


def _drawn(n: int, k: int) -> list[Array]:
    """Random first medoids, as many sets as cost little beside BUILD: 8 at n = 1,500, 0 at 5,000.

    Where K is a large part of n, BUILD's first medoids can end 2 % above what these reach.
    """
    starts = min(STARTS, 20_000_000 // n**2)
    return [np.random.default_rng(i).choice(n, k, replace=False) for i in range(starts)]


def _best(distances: Array, starts: list[Array], swap: Swap) -> Clustering:
    """The clustering of least loss from any of the starts, the first where equal."""
    found = [nearest(distances, swap(distances, start.copy())) for start in starts]
    return min(found, key=lambda clustering: clustering.loss)


def _fasterpam(distances: Array, medoids: Array) -> Array:
    # kmedoids reads columns: handed the transpose (the same matrix), it walks along memory.
    return kmedoids.fasterpam(distances.T, medoids, n_cpu=1).medoids


def _pam(distances: Array, medoids: Array) -> Array:
    return kmedoids.pam(distances.T, medoids).medoids


def _alternate(distances: Array, medoids: Array) -> Array:
    return kmedoids.alternating(distances.T, medoids).medoids


_SWAPS: dict[str, Swap] = {"fasterpam": _fasterpam, "pam": _pam, "alternate": _alternate}


def nearest(distances: Array, medoids: Array) -> Clustering:
    """Each row to its nearest medoid. A medoid stays with itself, also beside its duplicate.

    distances: float32 (n, n), symmetric; medoids: rows, (k,).
    """
    medoids = np.sort(medoids.astype(np.int64))
    labels = np.argmin(distances[medoids], axis=0)
    labels[medoids] = np.arange(len(medoids))
    return _clustering(distances, labels, medoids)


def _average(distances: Array, ks: Sequence[int]) -> list[Clustering]:
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


def central(distances: Array, labels: Array) -> Clustering:
    """The clustering with these members; a medoid is the one of least distance to the others.

    distances: float32 (n, n), symmetric. labels: (n,), from 0 without gaps, -1 = in no cluster.
    """
    members = [np.flatnonzero(labels == c) for c in range(labels.max() + 1)]
    totals = [distances[np.ix_(m, m)].sum(axis=1, dtype=np.float64) for m in members]
    medoids = [m[np.argmin(total)] for m, total in zip(members, totals, strict=True)]
    return _clustering(distances, labels, np.array(medoids, np.int64))


def _clustering(distances: Array, labels: Array, medoids: Array) -> Clustering:
    """Number the clusters by falling size, the lower medoid first where equal."""
    k = len(medoids)
    order = np.lexsort((medoids, -np.bincount(labels[labels >= 0], minlength=k)))
    rank = np.full(k + 1, -1, np.int32)  # the last is for label -1
    rank[order] = np.arange(k)
    labels, medoids = rank[labels], medoids[order]
    members = np.flatnonzero(labels >= 0)
    loss = distances[members, medoids[labels[members]]].sum(dtype=np.float64)
    return Clustering(k, float(loss), labels, medoids)


@njit(cache=True, fastmath={"reassoc", "nsz", "contract", "arcp"})
def _gain(row: Array, nearest: Array) -> float:
    """How much a further medoid lowers the loss; float64, as kmedoids sums it."""
    gain = 0.0
    for i in range(len(row)):
        gain += max(np.float64(nearest[i]) - np.float64(row[i]), 0.0)
    return gain
