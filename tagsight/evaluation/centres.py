"""Cosine distances of embeddings to the centre of their cluster.

The paper's centre is the mean embedding of the cluster, the image itself included (`in_sample`).
With noise alone that distance falls as clusters get smaller, and other slices of the image's series
pull the centre towards it. So the main figure leaves the image's whole unit (its patient) out of
the centre (`left_out`).

Source: the paper, §2.4 and §3.
"""

from typing import NamedTuple

import numpy as np
from numba import prange
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tagsight.arrays import Float32s, Float64s, Int32s, Int64s, Integers
from tagsight.run.compiling import FAST, kernel

Units = tuple[
    Int64s, Int64s, Int64s
]  # each row's unit, rows sorted by unit, first row of each unit


class Distances(NamedTuple):
    """Cosine distance of each image to both kinds of centre; float64 (..., n)."""

    in_sample: Float64s
    left_out: Float64s


def inner_products(embeddings: Float32s) -> Float32s:
    """Return the inner product of every embedding with every other.

    embeddings: float32 (n, d).
    Returns float32 (n, n), symmetric. All distances here are computed from it, so that a clustering
    costs n² steps whatever the length of an embedding (81,920 values with the paper's network); a
    distance matrix for k-medoids takes the same memory. On one thread, since the order of BLAS's
    sums, and so the last digits, depend on the number of threads.
    """
    rows = np.ascontiguousarray(embeddings, dtype=np.float32)
    with threadpool_limits(1):
        return rows @ rows.T


def distances_to_centres(products: Float32s, labels: Integers, units: Integers) -> Distances:
    """Return the cosine distance of every image to the centre of its cluster.

    products: float32 (n, n), finite, of `inner_products`.
    labels: integers (n,) or (m, n), of one or m clusterings.
    units: integers (n,); images of one unit (patient) are left out of each other's centre.
    Returns arrays of the shape of `labels`. An image whose cluster has no other unit is compared
    with the mean of all other units' images, so that such a cluster explains nothing. A zero
    embedding or centre is at distance 1.

    With s the sum of a cluster's embeddings, q·s and s·s are sums of inner products, and
    1 − q·s / (|q||s|) does not depend on whether s is a sum or a mean. The order of every sum is
    fixed, so the result does not depend on the number of threads.
    """
    codes = np.stack([_codes(row) for row in np.atleast_2d(labels)]).astype(np.int32)  # (m, n)
    out, sums = np.empty((2, *codes.shape)), np.empty((2, *codes.shape))
    _sums_inside(products, codes, sums[0])
    sums[1] = products.sum(axis=0, dtype=np.float64)
    _all_distances(products, sums, _units(units), codes, out)
    return Distances(out[0].reshape(labels.shape), out[1].reshape(labels.shape))


def cosine_distances(products: Float32s) -> Float32s:
    """Return cosine distances from inner products.

    products: float32 (n, n).
    Returns float32 (n, n), symmetric, the diagonal 0. A zero embedding is at distance 1 from all
    others.
    """
    norms = np.sqrt(products.diagonal())
    lengths = np.maximum(np.outer(norms, norms), np.float32(1e-30))
    out: Float32s = np.maximum(1 - products / lengths, np.float32(0))
    np.fill_diagonal(out, 0)
    return out


def _codes(labels: Integers) -> Int64s:
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _units(units: Integers) -> Units:
    codes = _codes(units)
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))])
    return codes, np.argsort(codes, kind="stable"), starts.astype(np.int64)


@kernel(parallel=True, **FAST)
def _sums_inside(products: Float32s, codes: Int32s, out: Float64s) -> None:
    """q·s of each image with the sum of its own cluster, under m clusterings: out (m, n)."""
    for row in prange(products.shape[0]):
        i = np.int64(row)
        for r in range(codes.shape[0]):
            code, total = codes[r, i], 0.0
            for j in range(products.shape[0]):
                total += products[i, j] * (codes[r, j] == code)
            out[r, i] = total


@kernel()
def _distance(to_sum: float, square: float, sum_square: float) -> float:
    """1 − q·s / (|q||s|) from q·s, q·q and s·s."""
    return 1 - to_sum / max(np.sqrt(max(square, 0.0)) * np.sqrt(max(sum_square, 0.0)), 1e-30)


@kernel()
def _without(products: Float32s, to_sum: Float64s, left_out: Int64s, i: int) -> float:
    """Inner product of image i with a sum less the images of `left_out`."""
    total = to_sum[i]
    for j in left_out:
        total -= products[j, i]
    return total


@kernel()
def _leave_out(
    products: Float32s, to_sum: Float64s, members: Int64s, unit: tuple[int, int], out: Float64s
) -> None:
    """Distances of members[unit[0] : unit[1]] to the sum of the others, with `to_sum` of all."""
    inside = members[unit[0] : unit[1]]
    square = 0.0
    for place in range(members.size):
        if place < unit[0] or place >= unit[1]:
            square += _without(products, to_sum, inside, members[place])
    for i in inside:
        near = _without(products, to_sum, inside, i) if inside.size < members.size else 0.0
        out[i] = _distance(near, products[i, i], square)


@kernel()
def _one_cluster(
    products: Float32s, sums: Float64s, units: Units, cluster: Int64s, out: Float64s
) -> None:
    """Distances of one cluster's images, which come sorted by unit; sums and out (2, n)."""
    codes, members, starts = units
    square = sums[0][cluster].sum()
    for i in cluster:
        out[0, i] = _distance(sums[0, i], products[i, i], square)
    first = 0
    while first < cluster.size:
        unit, last = codes[cluster[first]], first
        while last < cluster.size and codes[cluster[last]] == unit:
            last += 1
        if last - first < cluster.size:
            _leave_out(products, sums[0], cluster, (first, last), out[1])
        else:  # of all images, those of other units
            to_all = np.empty(members.size)
            _leave_out(products, sums[1], members, (starts[unit], starts[unit + 1]), to_all)
            out[1][cluster] = to_all[cluster]
        first = last


@kernel(parallel=True)
def _all_distances(
    products: Float32s, sums: Float64s, units: Units, codes: Int32s, out: Float64s
) -> None:
    """Distances under m clusterings; codes (m, n), sums (2, m, n): in the cluster, in all."""
    for r in prange(codes.shape[0]):
        order = np.argsort(codes[r] * (units[2].size - 1) + units[0], kind="mergesort")
        first = 0
        while first < order.size:
            last = first
            while last < order.size and codes[r, order[last]] == codes[r, order[first]]:
                last += 1
            _one_cluster(products, sums[:, r], units, order[first:last], out[:, r])
            first = last
