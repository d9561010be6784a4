"""Swap of a candidate for a medoid: the exact change of the loss, and the swap itself."""

import numpy as np
from numba import prange

from tagsight.arrays import Float32s, Float64s, Int32s, Int64s
from tagsight.clustering.search.kernels import span_of
from tagsight.run.compiling import BARE, FAST, kernel


@kernel(**BARE, **FAST)
def _change(
    line: Float32s,
    near: Int32s,
    d1: Float32s,
    d2: Float32s,
    weight: Float64s,
    span: tuple[int, int],
    by_medoid: Float64s,
) -> float:
    shared = 0.0
    for i in range(*span):
        d, a, b = np.float64(line[i]), np.float64(d1[i]), np.float64(d2[i])
        if d < a:
            shared += weight[i] * (d - a)
        else:
            by_medoid[near[i]] += weight[i] * (min(d, b) - a)
    return shared


@kernel(parallel=True, **FAST)
def change(
    line: Float32s,
    near: Int32s,
    d1: Float32s,
    d2: Float32s,
    weight: Float64s,
    shared: Float64s,
    by_medoid: Float64s,
) -> None:
    """Write the change of the loss at one K, by strips, if one candidate became a medoid.

    line: float32 (n,), the candidate's distances to all rows.
    shared: float64 (strips,), the part that is the same for every medoid it may replace.
    by_medoid: float64 (strips, k), filled with 0: the part that depends on the medoid.
    """
    for p in prange(len(shared)):
        s = int(np.int64(p))
        span = span_of(s, len(shared), len(line))
        shared[s] = _change(line, near, d1, d2, weight, span, by_medoid[s])


@kernel(**FAST)
def exchange(
    line: Float32s, m: int, near: Int32s, second: Int32s, d1: Float32s, d2: Float32s
) -> Int64s:
    """Replace medoid m by a candidate.

    line: float32 (n,), the candidate's distances to all rows.
    Returns the rows whose two nearest medoids must be recomputed, int64.
    """
    stale = np.empty(len(line), np.int64)
    count = 0
    for i in range(len(line)):
        d = line[i]
        if (near[i] == m or second[i] == m) and d > d2[i]:
            stale[count] = i
            count += 1
        elif near[i] == m:
            d1[i] = d
        elif d < d1[i]:
            second[i], d2[i] = near[i], d1[i]
            near[i], d1[i] = m, d
        elif d < d2[i] or second[i] == m:
            second[i], d2[i] = m, d
    return stale[:count].copy()
