"""k-medoids for a whole grid of K on one matrix of distances.

Source: Kaufman & Rousseeuw, "Clustering by means of medoids" (1987): BUILD, then swaps, FasterPAM's
(`fasterpam`) or those of package kmedoids.

A row may stand for many: it then has a weight, and the result is that for so many equal rows.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any, Literal

import kmedoids
import numba
import numpy as np
from numba import prange
from numpy.typing import NDArray

from tagsight.clustering.fasterpam import fasterpam
from tagsight.run.compiling import FAST, kernel

Algorithm = Literal["fasterpam", "pam", "alternate"]
Array = NDArray[Any]
STARTS = 8
Swap = Callable[[Array, Array, Array], Array]


@dataclass(frozen=True)
class Clustering:
    """k clusters of n rows; cluster 0 weighs most.

    loss: weighted sum of the distances to the own medoid. labels: int32 (n,), -1 where a row is in
    none. medoids: int64 (k,), row of the medoid of each cluster, always a member of it.
    """

    k: int
    loss: float
    labels: Array
    medoids: Array


def build(distances: Array, k: int, weights: Array | None = None) -> Array:
    """The first k medoids, greedily: each lowers the loss most; the lowest row where equal.

    distances: (n, n), symmetric; weights: float64 (n,), None = 1 each. Returns int64 (k,), the same
    as kmedoids' own BUILD. The first k of a longer result are the result for k. ValueError unless
    1 <= k <= n.

    Lazy: what a row would gain can only shrink as medoids are added, so a gain computed earlier is
    an upper bound, and a row whose bound is below another's true gain needs no look.
    """
    n = len(distances)
    if not 1 <= k <= n:
        raise ValueError(f"cannot choose {k} medoids among {n} rows")
    weights = _weights(distances, weights)
    first = int(np.argmin(_totals(distances, weights)))
    chosen, nearest = [first], distances[first].copy()
    gains = _gains(distances, nearest, weights)
    bounds = [(-gains[j], j, 1) for j in range(n) if j != first]
    heapify(bounds)
    while len(chosen) < k:
        _, j, seen = heappop(bounds)
        if seen < len(chosen):
            heappush(bounds, (-_gain(distances[j], nearest, weights), j, len(chosen)))
            continue
        chosen.append(j)
        np.minimum(nearest, distances[j], out=nearest)
    return np.array(chosen, np.int64)


def grid(
    distances: Array,
    ks: Sequence[int],
    algorithm: Algorithm = "fasterpam",
    weights: Array | None = None,
) -> list[Clustering]:
    """A clustering for each K, in rising order of K.

    distances: float32 (n, n), symmetric, C order; weights: float64 (n,), above 0, None = 1 each;
    ValueError where others than 1 are given to an algorithm that is not in WEIGHTED. K at or above
    the number of distinct rows (where K medoids leave no distance at all, or K >= n) is left out:
    compare with `ks` to warn. Deterministic: the random starts that a small matrix is given beside
    BUILD have fixed seeds. The same whatever the number of threads, which share the K.
    """
    weights = _weights(distances, weights)
    if algorithm not in WEIGHTED and (weights != 1).any():
        raise ValueError(f"{algorithm} takes no weights")
    first = starts(distances, ks, weights)
    n = len(distances)
    cheap = algorithm != "pam"  # which takes minutes from random medoids
    tasks = [start for rows in first for start in (rows, *(_drawn(n, len(rows)) if cheap else ()))]
    swap = _SWAPS[algorithm]
    with ThreadPoolExecutor(numba.get_num_threads()) as pool:
        # The largest K take longest: they go first.
        ended = list(pool.map(lambda start: swap(distances, weights, start), tasks[::-1]))[::-1]
    found = [nearest(distances, medoids, weights) for medoids in ended]
    return [_best(found, len(chosen)) for chosen in first]


def starts(distances: Array, ks: Sequence[int], weights: Array | None = None) -> list[Array]:
    """BUILD's medoids for each K below the number of distinct rows, in rising order of K.

    distances: float32 (n, n), symmetric; weights: see `grid`.
    """
    wanted = sorted({k for k in ks if k < len(distances)})
    if not wanted:
        return []
    medoids = build(distances, wanted[-1], weights)
    return [medoids[:k] for k in wanted if distances[medoids[:k]].min(axis=0).any()]


def _weights(distances: Array, weights: Array | None) -> Array:
    return np.ones(len(distances)) if weights is None else weights.astype(np.float64)


def _drawn(n: int, k: int) -> list[Array]:
    """Random first medoids, as many sets as cost little beside BUILD: 8 at n = 1,500, 0 at 5,000.

    Where K is a large part of n, BUILD's first medoids can end 2 % above what these reach.
    """
    starts = min(STARTS, 20_000_000 // n**2)
    return [np.random.default_rng(i).choice(n, k, replace=False) for i in range(starts)]


def _best(found: list[Clustering], k: int) -> Clustering:
    """The clustering of k clusters of least loss, the first where equal."""
    return min((each for each in found if each.k == k), key=lambda each: each.loss)


# kmedoids reads columns: handed the transpose (the same matrix), it walks along memory.
def _pam(distances: Array, _: Array, medoids: Array) -> Array:
    return kmedoids.pam(distances.T, medoids.copy()).medoids


def _alternate(distances: Array, _: Array, medoids: Array) -> Array:
    return kmedoids.alternating(distances.T, medoids.copy()).medoids


_SWAPS: dict[str, Swap] = {"fasterpam": fasterpam, "pam": _pam, "alternate": _alternate}
WEIGHTED = frozenset({"fasterpam"})


def nearest(distances: Array, medoids: Array, weights: Array | None = None) -> Clustering:
    """Each row to its nearest medoid. A medoid stays with itself, also beside its duplicate.

    distances: float32 (n, n), symmetric; medoids: rows, (k,); weights: see `grid`.
    """
    medoids = np.sort(medoids.astype(np.int64))
    labels = np.argmin(distances[medoids], axis=0)
    labels[medoids] = np.arange(len(medoids))
    return _clustering(distances, labels, medoids, _weights(distances, weights))


def central(distances: Array, labels: Array) -> Clustering:
    """The clustering with these members; a medoid is the one of least distance to the others.

    distances: float32 (n, n), symmetric. labels: (n,), from 0 without gaps, -1 = in no cluster.
    """
    members = [np.flatnonzero(labels == c) for c in range(labels.max() + 1)]
    totals = [distances[np.ix_(m, m)].sum(axis=1, dtype=np.float64) for m in members]
    medoids = [m[np.argmin(total)] for m, total in zip(members, totals, strict=True)]
    return _clustering(distances, labels, np.array(medoids, np.int64), np.ones(len(distances)))


def _clustering(distances: Array, labels: Array, medoids: Array, weights: Array) -> Clustering:
    """Number the clusters by falling weight, the lower medoid first where equal."""
    k = len(medoids)
    members = np.flatnonzero(labels >= 0)
    sizes = np.bincount(labels[members], weights[members], minlength=k)
    order = np.lexsort((medoids, -sizes))
    rank = np.full(k + 1, -1, np.int32)  # the last is for label -1
    rank[order] = np.arange(k)
    labels, medoids = rank[labels], medoids[order]
    own = distances[members, medoids[labels[members]]]
    loss = (own * weights[members]).sum(dtype=np.float64)
    return Clustering(k, float(loss), labels, medoids)


@kernel(**FAST)
def _gain(row: Array, nearest: Array, weights: Array) -> float:
    """How much a further medoid lowers the loss; float64, as kmedoids sums it."""
    gain = 0.0
    for i in range(len(row)):
        gain += weights[i] * max(np.float64(nearest[i]) - np.float64(row[i]), 0.0)
    return gain


@kernel(parallel=True, **FAST)
def _gains(distances: Array, nearest: Array, weights: Array) -> Array:
    gains = np.empty(len(distances))
    for j in prange(len(distances)):
        gains[j] = _gain(distances[j], nearest, weights)
    return gains


@kernel(parallel=True, **FAST)
def _totals(distances: Array, weights: Array) -> Array:
    """The loss with each row as the only medoid: float64 (n,)."""
    totals = np.empty(len(distances))
    for j in prange(len(distances)):
        total = 0.0
        for i in range(len(distances)):
            total += weights[i] * np.float64(distances[j, i])
        totals[j] = total
    return totals
