"""k-medoids for a whole grid of K on one matrix of distances.

Source: Kaufman & Rousseeuw, "Clustering by means of medoids" (1987): BUILD, here, then the swaps of
package kmedoids (Rust), by the authors of FasterPAM: Schubert & Rousseeuw, "Fast and eager
k-medoids clustering", Information Systems 101 (2021).

A row may represent many equal rows by a weight; the result is that for so many rows.
"""

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush

import numpy as np
from numba import prange

from tagsight.arrays import Float32s, Float64s, Floats, Int64s, Integers
from tagsight.clustering.medoids import Clustering, nearest, unit
from tagsight.run.compiling import FAST, kernel

STARTS = 8
ROUNDS = 10_000  # over all rows; fewer than ten are needed, and kmedoids would stop after 100
DOUBLE = 6000  # rows at most for weighted distances in double precision, so that ties stay ties
Swap = Callable[[Floats, Integers], Integers]


def build(distances: Float32s, k: int, weights: Float64s | None = None) -> Int64s:
    """Return the first k medoids, greedily: each time the row that lowers the loss most.

    distances: float32 (n, n), symmetric; weights: float64 (n,), None = 1 each.
    Returns int64 (k,), the same as BUILD of kmedoids; of equal rows the lowest. The first j of a
    result are the result for j.
    Raises ValueError unless 1 <= k <= n.

    Lazy: a row's gain can only shrink as medoids are added. So a gain computed earlier is an upper
    bound, and a row whose bound is below another's gain need not be computed again.
    """
    n = len(distances)
    if not 1 <= k <= n:
        raise ValueError(f"cannot choose {k} medoids among {n} rows")
    each = unit(n, weights)
    first = int(np.argmin(_totals(distances, each)))
    chosen, closest = [first], distances[first].copy()
    gains = _gains(distances, closest, each)
    bounds = [(-gains[j], j, 1) for j in range(n) if j != first]
    heapify(bounds)
    while len(chosen) < k:
        _, j, medoids = heappop(bounds)
        if medoids < len(chosen):
            heappush(bounds, (-_gain(distances[j], closest, each), j, len(chosen)))
            continue
        chosen.append(j)
        np.minimum(closest, distances[j], out=closest)
    return np.array(chosen, np.int64)


def fasterpam(costs: Floats, medoids: Integers) -> Integers:
    """Return medoids after eager swaps: any swap that lowers the loss at once, until none does.

    costs: floats (n, n), C order: cost of row j at medoid i, see `_weighted`.
    medoids: integers (k,), the start; a single one is not moved, since BUILD's is the best.
    Returns integers (k,).
    """
    import kmedoids  # loads scikit-learn and pandas

    if len(medoids) == 1:  # kmedoids would sum over the wrong axis of weighted costs
        return medoids
    # kmedoids reads columns: in the transpose they are contiguous. With more than one thread it
    # tries rows in random order.
    swapped: Integers = kmedoids.fasterpam(costs.T, medoids.copy(), ROUNDS, n_cpu=1).medoids
    return swapped


def pam(costs: Floats, medoids: Integers) -> Integers:
    """Return medoids after the best swap each time; as `fasterpam`, but no weights."""
    import kmedoids

    swapped: Integers = kmedoids.pam(costs.T, medoids.copy()).medoids
    return swapped


def alternate(costs: Floats, medoids: Integers) -> Integers:
    """Return medoids after assigning and centring in turn; as `fasterpam`, but no weights."""
    import kmedoids

    centred: Integers = kmedoids.alternating(costs.T, medoids.copy()).medoids
    return centred


def grid(
    distances: Float32s,
    ks: Sequence[int],
    swap: Swap = fasterpam,
    weights: Float64s | None = None,
) -> list[Clustering]:
    """Return a clustering for each K, in rising order of K.

    distances: float32 (n, n), symmetric, C order.
    swap: `fasterpam`; without weights also `pam` and `alternate`.
    weights: float64 (n,), above 0; None = 1 each. Others take memory for a second matrix.
    A K at or above the number of distinct rows (K medoids leave no distance at all, or K >= n) is
    left out. Deterministic, for any number of threads: the random starts that a small matrix has
    besides BUILD have fixed seeds.
    """
    each = unit(len(distances), weights)
    costs = _weighted(distances, each)
    clusterings = []
    for build_medoids in starts(distances, ks, each):
        fast = swap is not pam  # which takes minutes from random medoids
        random = _random_starts(len(distances), len(build_medoids)) if fast else []
        results = [swap(costs, start) for start in (build_medoids, *random)]
        candidates = [nearest(distances, medoids, each) for medoids in results]
        clusterings.append(
            min(candidates, key=lambda clustering: clustering.loss)
        )  # first if equal
    return clusterings


def _weighted(distances: Float32s, weights: Float64s) -> Floats:
    """Cost of row j at medoid i: floats (n, n); the distances themselves where all weigh 1."""
    if (weights == 1).all():
        return distances
    precision = np.float64 if len(distances) <= DOUBLE else np.float32
    return np.multiply(distances, weights.astype(precision)[None, :], dtype=precision)


def starts(distances: Float32s, ks: Sequence[int], weights: Float64s | None = None) -> list[Int64s]:
    """Return BUILD's medoids for each K below the number of distinct rows, in rising order of K.

    distances: float32 (n, n), symmetric; weights: see `grid`.
    """
    sizes = sorted({k for k in ks if k < len(distances)})
    if not sizes:
        return []
    medoids = build(distances, sizes[-1], weights)
    return [medoids[:k] for k in sizes if distances[medoids[:k]].min(axis=0).any()]


def _random_starts(n: int, k: int) -> list[Int64s]:
    """Sets of random medoids, as many as cost little beside BUILD: 8 at n = 1,500, 0 at 5,000.

    Where K is a large part of n, the loss from BUILD's medoids can be 2 % above that from these.
    """
    count = min(STARTS, 20_000_000 // n**2)
    return [np.random.default_rng(i).choice(n, k, replace=False) for i in range(count)]


@kernel(**FAST)
def _gain(row: Float32s, nearest: Float32s, weights: Float64s) -> float:
    """By how much one more medoid lowers the loss; in float64, as kmedoids sums it."""
    gain = 0.0
    for i in range(len(row)):
        gain += weights[i] * max(np.float64(nearest[i]) - np.float64(row[i]), 0.0)
    return gain


@kernel(parallel=True, **FAST)
def _gains(distances: Float32s, nearest: Float32s, weights: Float64s) -> Float64s:
    gains = np.empty(len(distances))
    for j in prange(len(distances)):
        gains[j] = _gain(distances[j], nearest, weights)
    return gains


@kernel(parallel=True, **FAST)
def _totals(distances: Float32s, weights: Float64s) -> Float64s:
    """The loss with each row as the only medoid: float64 (n,)."""
    totals = np.empty(len(distances))
    for j in prange(len(distances)):
        total = 0.0
        for i in range(len(distances)):
            total += weights[i] * np.float64(distances[j, i])
        totals[j] = total
    return totals
