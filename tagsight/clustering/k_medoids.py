"""k-medoids for a whole grid of K on one matrix of distances.

Source: Kaufman & Rousseeuw, "Clustering by means of medoids" (1987): BUILD, here, then the swaps of
package kmedoids (Rust), by the authors of FasterPAM: Schubert & Rousseeuw, "Fast and eager
k-medoids clustering", Information Systems 101 (2021).

A row may stand for many: it then has a weight, and the result is that for so many equal rows.
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
DOUBLE = 3000  # rows whose weighted distances are held in double precision, so that ties stay ties
Swap = Callable[[Floats, Integers], Integers]


def build(distances: Float32s, k: int, weights: Float64s | None = None) -> Int64s:
    """Return the first k medoids, greedily: each lowers the loss most; the lowest row where equal.

    distances: float32 (n, n), symmetric; weights: float64 (n,), None = 1 each.
    Returns int64 (k,), the same as BUILD of kmedoids; the first k of a longer result are the result
    for k. Raises ValueError unless 1 <= k <= n.

    Lazy: what a row would gain can only shrink as medoids are added, so a gain computed earlier is
    an upper bound, and a row whose bound is below another's true gain needs no look.
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
        _, j, seen = heappop(bounds)
        if seen < len(chosen):
            heappush(bounds, (-_gain(distances[j], closest, each), j, len(chosen)))
            continue
        chosen.append(j)
        np.minimum(closest, distances[j], out=closest)
    return np.array(chosen, np.int64)


def fasterpam(costs: Floats, medoids: Integers) -> Integers:
    """Swap medoids for other rows, the first swap that gains at once, until none lowers the loss.

    costs: floats (n, n), C order: what row j costs at medoid i, see `_weighted`.
    medoids: integers (k,), where to start; a single one is not moved, since BUILD's is the best.
    Returns integers (k,).
    """
    import kmedoids  # it loads scikit-learn and pandas

    if len(medoids) == 1:  # kmedoids would sum the costs the other way, wrong under weights
        return medoids
    # kmedoids reads columns: handed the transpose, it walks along memory. One thread: with more, it
    # tries rows in random order.
    found: Integers = kmedoids.fasterpam(costs.T, medoids.copy(), ROUNDS, n_cpu=1).medoids
    return found


def pam(costs: Floats, medoids: Integers) -> Integers:
    """Make the best swap of all each time: parameters as of `fasterpam`, but takes no weights."""
    import kmedoids

    found: Integers = kmedoids.pam(costs.T, medoids.copy()).medoids
    return found


def alternate(costs: Floats, medoids: Integers) -> Integers:
    """Assign rows and centre clusters in turn: parameters as of `fasterpam`, but no weights."""
    import kmedoids

    found: Integers = kmedoids.alternating(costs.T, medoids.copy()).medoids
    return found


def grid(
    distances: Float32s,
    ks: Sequence[int],
    swap: Swap = fasterpam,
    weights: Float64s | None = None,
) -> list[Clustering]:
    """Return a clustering for each K, in rising order of K.

    distances: float32 (n, n), symmetric, C order.
    swap: `fasterpam`; without weights also `pam` and `alternate`.
    weights: float64 (n,), above 0; None = 1 each. With others, memory for a second matrix is taken.
    K at or above the number of distinct rows (where K medoids leave no distance at all, or K >= n)
    is left out: compare with `ks` to warn. Deterministic: the random starts that a small matrix is
    given beside BUILD have fixed seeds. The same whatever the number of threads.
    """
    each = unit(len(distances), weights)
    first = starts(distances, ks, each)
    costs = _weighted(distances, each)
    found = []
    for build_medoids in first:
        cheap = swap is not pam  # which takes minutes from random medoids
        drawn = _drawn(len(distances), len(build_medoids)) if cheap else []
        ended = [swap(costs, start) for start in (build_medoids, *drawn)]
        tried = [nearest(distances, medoids, each) for medoids in ended]
        found.append(min(tried, key=lambda one: one.loss))  # the first where equal
    return found


def _weighted(distances: Float32s, weights: Float64s) -> Floats:
    """What row j costs at medoid i: floats (n, n); the distances themselves where all weigh 1."""
    if (weights == 1).all():
        return distances
    precision = np.float64 if len(distances) <= DOUBLE else np.float32
    return np.multiply(distances, weights.astype(precision)[None, :], dtype=precision)


def starts(distances: Float32s, ks: Sequence[int], weights: Float64s | None = None) -> list[Int64s]:
    """Return BUILD's medoids for each K below the number of distinct rows, in rising order of K.

    distances: float32 (n, n), symmetric; weights: see `grid`.
    """
    wanted = sorted({k for k in ks if k < len(distances)})
    if not wanted:
        return []
    medoids = build(distances, wanted[-1], weights)
    return [medoids[:k] for k in wanted if distances[medoids[:k]].min(axis=0).any()]


def _drawn(n: int, k: int) -> list[Int64s]:
    """Random first medoids, as many sets as cost little beside BUILD: 8 at n = 1,500, 0 at 5,000.

    Where K is a large part of n, BUILD's first medoids can end 2 % above what these reach.
    """
    starts = min(STARTS, 20_000_000 // n**2)
    return [np.random.default_rng(i).choice(n, k, replace=False) for i in range(starts)]


@kernel(**FAST)
def _gain(row: Float32s, nearest: Float32s, weights: Float64s) -> float:
    """How much a further medoid lowers the loss; float64, as kmedoids sums it."""
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
