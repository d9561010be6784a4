"""How far images lie from the centre of their cluster, by cosine distance of embeddings.

Source: the paper, §2.4 and §3. Its centre is the mean embedding of the cluster, the image itself
included (`in_sample`). Under noise alone that distance falls as clusters get smaller, and an
image's own slices pull the centre to it. So the main figure leaves the image's whole unit (its
patient) out of the centre (`left_out`).
"""

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
Units = tuple[Integers, Integers, Integers]  # each row's unit, rows by unit, where units begin

FAST = {"reassoc", "nsz", "contract", "arcp"}


class Distances(NamedTuple):
    """Cosine distance of each image to its centre, by both kinds of centre; float64, (..., n)."""

    in_sample: Doubles
    left_out: Doubles


def distances_to_centres(
    embeddings: Floats, labels: NDArray[np.integer], units: NDArray[np.integer]
) -> Distances:
    """Cosine distance of every image to the centre of its cluster.

    `embeddings` (n, d) finite float32; `labels` (n,) or (m, n), any integers: one clustering or m
    of them; `units` (n,), any integers: images of one unit (patient) do not take part in each
    other's left-out centre. An image whose cluster holds no other unit is measured against the
    mean of all other units' images, so that such a cluster explains nothing. A zero embedding or
    centre is at distance 1. Returns arrays of the shape of `labels`.

    Reads the embeddings about four times a clustering, and holds no copy of them. The order of
    every sum is fixed, so the number of threads does not show in the result.
    """
    rows = np.ascontiguousarray(embeddings, dtype=np.float32)
    codes = np.stack([_codes(row) for row in np.atleast_2d(labels)])  # (m, n)
    out = np.empty((2, *codes.shape))
    _all_distances(rows, rows.sum(0, np.float64), _units(units), codes, out)
    return Distances(out[0].reshape(labels.shape), out[1].reshape(labels.shape))


def cosine_distances(embeddings: Floats) -> Floats:
    """Cosine distance of every image to every other: (n, d) -> float32 (n, n), symmetric.

    The diagonal is exactly 0. A zero embedding is at distance 1 from all others.
    """
    rows = np.ascontiguousarray(embeddings, dtype=np.float32)
    with threadpool_limits(1):  # the order of BLAS's sums depends on its threads
        out = rows @ rows.T  # (n, n)
    _to_distances(out, np.sqrt(out.diagonal().copy()))
    return out


def _codes(labels: NDArray[np.integer]) -> Integers:
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _units(units: NDArray[np.integer]) -> Units:
    codes = _codes(units)
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))])
    return codes, np.argsort(codes, kind="stable"), starts.astype(np.int64)


@njit(cache=True, fastmath=FAST)
def _dot(row: Floats, centre: Doubles) -> float:
    total = 0.0
    for t in range(row.size):
        total += row[t] * centre[t]
    return total


@njit(cache=True, fastmath=FAST)
def _add(total: Doubles, row: Floats, sign: float) -> None:
    for t in range(row.size):
        total[t] += sign * row[t]


@njit(cache=True, fastmath=FAST)
def _write_distances(rows: Floats, group: Integers, centre: Doubles, out: Doubles) -> None:
    """1 − q·c / (|q||c|) for each row q of a group."""
    length = np.sqrt((centre * centre).sum())
    for i in group:
        norm = np.sqrt((rows[i].astype(np.float64) ** 2).sum())
        out[i] = 1 - _dot(rows[i], centre) / max(norm * length, 1e-30)


@njit(cache=True, fastmath=FAST)
def _one_cluster(
    rows: Floats, total: Doubles, units: Units, cluster: Integers, out: Doubles
) -> None:
    """Distances of one cluster's rows, which come sorted by unit; out (2, n)."""
    codes, members, starts = units
    centre = np.zeros(rows.shape[1])
    for i in cluster:
        _add(centre, rows[i], 1.0)
    _write_distances(rows, cluster, centre, out[0])
    first = 0
    while first < cluster.size:
        unit, last = codes[cluster[first]], first
        while last < cluster.size and codes[cluster[last]] == unit:
            last += 1
        own = cluster[first:last]
        alone = own.size == cluster.size
        others = total.copy() if alone else centre.copy()
        for i in members[starts[unit] : starts[unit + 1]] if alone else own:
            _add(others, rows[i], -1.0)
        if alone and starts[unit + 1] - starts[unit] == rows.shape[0]:
            others[:] = 0.0
        _write_distances(rows, own, others, out[1])
        first = last


@njit(cache=True, parallel=True, fastmath=FAST)
def _all_distances(
    rows: Floats, total: Doubles, units: Units, codes: Integers, out: Doubles
) -> None:
    """Distances under m clusterings: codes (m, n), out (2, m, n)."""
    for r in prange(codes.shape[0]):
        order = np.argsort(codes[r] * (units[2].size - 1) + units[0], kind="mergesort")
        first = 0
        while first < order.size:
            last = first
            while last < order.size and codes[r, order[last]] == codes[r, order[first]]:
                last += 1
            cluster = order[first:last]
            _one_cluster(rows, total, units, cluster, out[:, r])
            first = last


@njit(cache=True, parallel=True)
def _to_distances(out: Floats, norms: Floats) -> None:
    """Dot products (n, n) to cosine distances, in place."""
    for row in prange(norms.size):
        i = np.int64(row)
        for j in range(i):
            length = max(norms[i] * norms[j], np.float32(1e-30))
            out[i, j] = max(np.float32(0), np.float32(1) - out[i, j] / length)
            out[j, i] = out[i, j]
        out[i, i] = 0
