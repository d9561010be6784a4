"""Kernels of the search for medoids among more rows than a matrix of distances can hold.

All rows are compared with some of them at a time; a distance is used at once, for all K, and not
stored. For each K, a row keeps its nearest and second nearest medoid: from these follows how any
swap of a medoid for a candidate would change the loss (Schubert & Rousseeuw, "Fast and eager
k-medoids clustering", Information Systems 101, 2021).

Sums are made over fixed strips of rows and added in order, so that the bytes do not depend on the
number of threads.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from tagsight.arrays import Float32s, Float64s, Int32s, Int64s
from tagsight.gower import metric
from tagsight.gower.packing import TILE, Packed
from tagsight.run.compiling import BARE, FAST, kernel

STRIP, STRIPS = 8192, 64  # least rows of a strip, most strips
FAR = 2.0  # distance of a missing second medoid: above any distance of numbers in range


class NearestTwo(NamedTuple):
    """The two nearest medoids of each row and their distances, in each of g clusterings."""

    near: Int32s  # int32 (g, n), index among the medoids of that K
    second: Int32s  # int32 (g, n); -1 where there is only one medoid
    distance: Float32s  # float32 (g, n)
    second_distance: Float32s  # float32 (g, n)


def fresh(g: int, n: int) -> NearestTwo:
    """Return the state before any medoid is compared."""
    return NearestTwo(
        np.full((g, n), -1, np.int32),
        np.full((g, n), -1, np.int32),
        np.full((g, n), FAR, np.float32),
        np.full((g, n), FAR, np.float32),
    )


def strips(n: int) -> int:
    """Return the number of strips of n rows, which depends on n only."""
    return max(1, min(STRIPS, n // STRIP))


@kernel(**BARE, **FAST)
def _assign_tile(
    rows: Packed,
    t: int,
    medoids: Packed,
    first: Int64s,
    root: bool,
    state: NearestTwo,
    work: metric.Scratch,
    line: Float32s,
) -> None:
    begin, end = t * TILE, min(state.near.shape[1], t * TILE + TILE)
    for g in range(len(first) - 1):
        for m in range(first[g], first[g + 1]):
            metric.distances_to_tile(medoids, m, rows, t, root, work, line)
            metric.update_nearest_two(
                np.int32(m - first[g]),
                line,
                state.near[g, begin:end],
                state.second[g, begin:end],
                state.distance[g, begin:end],
                state.second_distance[g, begin:end],
            )


@kernel(parallel=True, **FAST)
def assign(rows: Packed, medoids: Packed, first: Int64s, root: bool, state: NearestTwo) -> None:
    """Fill a fresh state: compare all rows with all medoids of all K.

    first: int64 (g + 1,), the start of each K among the medoids.
    """
    for p in prange(len(rows.word_tiles)):
        line, work = np.empty(TILE, np.float32), metric.scratch()
        _assign_tile(rows, int(np.int64(p)), medoids, first, root, state, work, line)


@kernel(parallel=True, **FAST)
def distances_from(
    probes: Packed, probe_rows: Int64s, rows: Packed, root: bool, out: Float32s
) -> None:
    """Write the distances of some rows to all rows to `out`, float32 (probes, n), 0 to themselves.

    probes: packed; probe_rows: int64, their indices among the rows.
    """
    for p in prange(len(rows.word_tiles)):
        t = int(np.int64(p))
        begin, end = t * TILE, min(out.shape[1], t * TILE + TILE)
        line, work = np.empty(TILE, np.float32), metric.scratch()
        for i in range(len(probe_rows)):
            metric.distances_to_tile(probes, i, rows, t, root, work, line)
            out[i, begin:end] = line[: end - begin]
    for i in range(len(probe_rows)):
        out[i, probe_rows[i]] = 0


@kernel(**BARE, **FAST)
def _distances_to(
    rows: Packed,
    row: int,
    probes: Packed,
    probe_rows: Int64s,
    root: bool,
    work: metric.Scratch,
    line: Float32s,
) -> None:
    """Write the distances of a row to at most TILE probes to `line`.

    probe_rows: the indices of the probes among the rows. A row is at 0 from itself, even if empty.
    """
    metric.distances_to_tile(rows, row, probes, 0, root, work, line)
    for j in range(len(probe_rows)):
        if probe_rows[j] == row:
            line[j] = 0


@kernel(**BARE, **FAST)
def _account(
    line: Float32s, d1: float, d2: float, weight: float, shared: Float64s, by_medoid: Float64s
) -> None:
    """Add the change of a row's distance if each of TILE candidates became a medoid.

    line, d1, d2: its distances to the candidates and to its two nearest medoids.
    shared: the part that is the same for every medoid that may be replaced; by_medoid: the
    additional part if its nearest medoid is replaced, relative to its distance to the second.
    """
    for j in range(TILE):
        d = line[j]
        shared[j] += weight * min(d - d1, np.float32(0))
        by_medoid[j] += weight * (min(max(d, d1), d2) - d2)


@kernel(**BARE, **FAST)
def _account_each(
    line: Float32s,
    row: int,
    weight: float,
    state: NearestTwo,
    first: Int64s,
    active: Int64s,
    shared: Float64s,
    by_medoid: Float64s,
) -> None:
    """Do so at several K: shared (g, TILE), by_medoid (medoids of all K, TILE)."""
    for g in active:
        _account(
            line,
            state.distance[g, row],
            state.second_distance[g, row],
            weight,
            shared[g],
            by_medoid[first[g] + state.near[g, row]],
        )


@kernel(**BARE, **FAST)
def _add_changes(
    rows: Packed,
    weight: Float64s,
    probes: Packed,
    probe_rows: Int64s,
    state: NearestTwo,
    first: Int64s,
    active: Int64s,
    root: bool,
    span: tuple[int, int],
    sums: tuple[Float64s, Float64s],
    work: metric.Scratch,
    line: Float32s,
) -> None:
    shared, by_medoid = sums
    for row in range(*span):
        _distances_to(rows, row, probes, probe_rows, root, work, line)
        _account_each(line, row, weight[row], state, first, active, shared, by_medoid)


@kernel(parallel=True, **FAST)
def changes(
    rows: Packed,
    weight: Float64s,
    probes: Packed,
    probe_rows: Int64s,
    state: NearestTwo,
    first: Int64s,
    active: Int64s,
    root: bool,
    shared: Float64s,
    by_medoid: Float64s,
) -> None:
    """Add up the change of the loss at each active K if at most TILE candidates became medoids.

    probes: the candidates; probe_rows: their indices among the rows; active: indices of K.
    shared: float64 (strips, g, TILE), by_medoid: float64 (strips, medoids of all K, TILE), both
    filled with 0.
    """
    for p in prange(len(shared)):
        s = int(np.int64(p))
        line, work = np.empty(TILE, np.float32), metric.scratch()
        span = span_of(s, len(shared), len(weight))
        sums = shared[s], by_medoid[s]
        _add_changes(
            rows, weight, probes, probe_rows, state, first, active, root, span, sums, work, line
        )


@kernel(**BARE, **FAST)
def span_of(strip: int, strips: int, n: int) -> tuple[int, int]:
    """Return the first and one past the last row of a strip."""
    size = (n + strips - 1) // strips
    return strip * size, min(n, (strip + 1) * size)


@kernel(**BARE, **FAST)
def _screen_tile(
    rows: Packed,
    t: int,
    probes: Packed,
    weight: Float64s,
    state: NearestTwo,
    first: Int64s,
    all_k: Int64s,
    root: bool,
    shared: Float64s,
    by_medoid: Float64s,
    work: metric.Scratch,
    line: Float32s,
) -> None:
    for i in range(len(weight)):
        metric.distances_to_tile(probes, i, rows, t, root, work, line)
        _account_each(line, i, weight[i], state, first, all_k, shared, by_medoid)


@kernel(**BARE, **FAST)
def _least(
    shared: Float64s, by_medoid: Float64s, removal: Float64s, least: Float64s, out: Float32s
) -> None:
    """Change by each candidate in its best place; by_medoid (medoids, TILE), least (TILE,)."""
    least[:] = np.inf
    for m in range(len(removal)):
        for j in range(TILE):
            least[j] = min(least[j], by_medoid[m, j] + removal[m])
    for j in range(len(out)):
        out[j] = shared[j] + least[j]


@kernel(parallel=True, **FAST)
def screen(
    rows: Packed,
    probes: Packed,
    weight: Float64s,
    state: NearestTwo,
    first: Int64s,
    removal: Float64s,
    root: bool,
    out: Float32s,
) -> None:
    """Write how each row, in its best place, would change the probes' loss, to `out`.

    weight, state: of the probes; out: float32 (g, n).
    removal: float64, the rise of their loss without each medoid of each K.
    """
    g, n = out.shape
    all_k = np.arange(g)
    for p in prange(len(rows.word_tiles)):
        t = int(np.int64(p))
        begin, end = t * TILE, min(n, t * TILE + TILE)
        line, work = np.empty(TILE, np.float32), metric.scratch()
        shared, by_medoid = np.zeros((g, TILE)), np.zeros((len(removal), TILE))
        least = np.empty(TILE)
        _screen_tile(
            rows, t, probes, weight, state, first, all_k, root, shared, by_medoid, work, line
        )
        for h in range(g):
            medoids = slice(first[h], first[h + 1])
            _least(shared[h], by_medoid[medoids], removal[medoids], least, out[h, begin:end])


@kernel(**BARE, **FAST)
def _add(weight: float, line: Float32s, total: Float64s) -> None:
    for j in range(TILE):
        total[j] += weight * line[j]


@kernel(**BARE, **FAST)
def _sum(weight: Float64s, line: Float32s) -> float:
    total = 0.0
    for j in range(TILE):
        total += weight[j] * line[j]
    return total


@kernel(parallel=True, **FAST)
def within(
    rows: Packed,
    probes: Packed,
    owner: Int64s,
    weight: Float64s,
    probe_weight: Float64s,
    root: bool,
    to_probes: Float64s,
    to_rows: Float64s,
) -> None:
    """Sum the distances between rows and probes of the same cluster.

    rows: cluster by cluster, each in its own tiles; owner: the cluster of each tile.
    probes: some rows of each cluster, the same number c of each.
    weight: float64 (tiles, TILE), probe_weight: float64 (clusters, c), 0 where there is no row.
    to_probes: float64 (tiles, TILE), filled with 0: sums from each row to the probes.
    to_rows: float64 (tiles, c): sums from each probe to the rows of that tile.
    """
    count = probe_weight.shape[1]
    for p in prange(len(owner)):
        t = int(np.int64(p))
        line, work = np.empty(TILE, np.float32), metric.scratch()
        for i in range(count):
            metric.distances_to_tile(probes, owner[t] * count + i, rows, t, root, work, line)
            _add(probe_weight[owner[t], i], line, to_probes[t])
            to_rows[t, i] = _sum(weight[t], line)


@kernel(**BARE, **FAST)
def _add_rows(
    rows: Packed,
    weight: Float64s,
    probes: Packed,
    probe_rows: Int64s,
    groups: Int64s,
    root: bool,
    span: tuple[int, int],
    sums: Float64s,
    work: metric.Scratch,
    line: Float32s,
) -> None:
    for row in range(*span):
        _distances_to(rows, row, probes, probe_rows, root, work, line)
        for g in range(len(groups)):
            _add(weight[row], line, sums[groups[g, row]])


@kernel(parallel=True, **FAST)
def to_clusters(
    rows: Packed,
    weight: Float64s,
    probes: Packed,
    probe_rows: Int64s,
    groups: Int64s,
    root: bool,
    sums: Float64s,
) -> None:
    """Sum the distances of at most TILE probes to the members of each cluster of each K.

    probe_rows: the indices of the probes among the rows.
    groups: int64 (g, n), the cluster of each row, numbered on from K to K.
    sums: float64 (strips, clusters of all K, TILE), filled with 0.
    """
    for p in prange(len(sums)):
        s = int(np.int64(p))
        line, work = np.empty(TILE, np.float32), metric.scratch()
        span = span_of(s, len(sums), len(weight))
        _add_rows(rows, weight, probes, probe_rows, groups, root, span, sums[s], work, line)
