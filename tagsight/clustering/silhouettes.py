"""Silhouettes of many clusterings of the same rows, in one pass over their distances.

Source: Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster
analysis", J. Comput. Appl. Math. 20 (1987).
"""

from collections.abc import Sequence

import numpy as np
from numba import prange

from tagsight.arrays import Float32s, Float64s, Int64s, Integers
from tagsight.run.compiling import FAST, kernel

STRIP = 64  # columns


def widths(
    distances: Float32s, labellings: Sequence[Integers], weights: Float64s | None = None
) -> list[Float32s]:
    """Return the silhouette of every row under every labelling: a list of float32 (n,).

    distances: float32 (n, n), symmetric, diagonal 0.
    labellings: integers (n,), 0 to k - 1, -1 = in no cluster.
    weights: float64 (n,), how many equal rows each represents; None = 1 each.
    A silhouette is (b - a) / max(a, b): a is the mean distance to the other members of the row's
    cluster, b the least mean distance to the members of another cluster. It is 0 for rows alone in
    their cluster or in none, and where there is only one cluster. The bytes do not depend on the
    number of threads.
    """
    weights = np.ones(len(distances)) if weights is None else weights.astype(np.float64)
    # Rows in no cluster form one more group, whose size is then set to 0, so that it never counts.
    counts = [int(labels.max(initial=0)) + 2 for labels in labellings]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    groups = np.array(
        [
            np.where(labels < 0, stop - 1, labels + start)
            for labels, start, stop in zip(labellings, starts[:-1], starts[1:], strict=True)
        ],
        np.int64,
    ).reshape(len(labellings), len(distances))
    sizes = np.bincount(groups.ravel(), np.tile(weights, len(groups)), minlength=starts[-1])
    sizes[starts[1:] - 1] = 0
    out = np.empty(groups.shape, np.float32)
    _fill(distances, weights, np.ascontiguousarray(groups.T), starts, sizes, out)
    return list(out)


@kernel(**FAST)
def _add(row: Float32s, weight: float, total: Float64s) -> None:
    for i in range(len(row)):
        total[i] += weight * row[i]


@kernel(**FAST)
def of_row(sums: Float64s, sizes: Float64s, cluster: int) -> float:
    """Return the silhouette of a row.

    sums: float64 (k,), of its distances to the members of each cluster; sizes: float64 (k,);
    cluster: of the row.
    """
    if sizes[cluster] <= 1:
        return 0.0
    a, b = sums[cluster] / (sizes[cluster] - 1), np.inf
    for c in range(len(sums)):
        if c != cluster and sizes[c] > 0:
            b = min(b, sums[c] / sizes[c])
    return (b - a) / max(a, b) if np.isfinite(b) and max(a, b) > 0 else 0.0


@kernel(parallel=True, **FAST)
def _fill(
    distances: Float32s,
    weights: Float64s,
    groups: Int64s,
    starts: Int64s,
    sizes: Float64s,
    out: Float32s,
) -> None:
    """Add each row of a strip of columns, as a vector, to the sums of its clusters."""
    n = len(distances)
    for s in prange((n + STRIP - 1) // STRIP):
        begin = int(np.int64(s)) * STRIP
        end = min(n, begin + STRIP)
        sums = np.zeros((len(sizes), end - begin), np.float64)
        for j in range(n):
            for g in range(groups.shape[1]):
                _add(distances[j, begin:end], weights[j], sums[groups[j, g]])
        for i in range(begin, end):
            for g in range(groups.shape[1]):
                first, last = starts[g], starts[g + 1]
                cluster = groups[i, g] - first
                out[g, i] = of_row(sums[first:last, i - begin], sizes[first:last], cluster)
