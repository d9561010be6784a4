"""Kernels of the search for medoids among more rows than a matrix of distances can hold.

All rows are compared with a few of them at a time; what is needed of a distance is taken at once,
for all K, and the distance is forgotten. A row keeps, for each K, its nearest and second nearest
medoid: from these follows what any swap of a medoid for a candidate would change (Schubert &
Rousseeuw, "Fast and eager k-medoids clustering", Information Systems 101, 2021).

Sums are made over fixed strips of rows and added in order: the same bytes for any number of
threads.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from tagsight.arrays import Float32s, Float64s, Int32s, Int64s
from tagsight.gower import metric
from tagsight.gower.packing import TILE, Packed
from tagsight.run.compiling import BARE, FAST, kernel

STRIP, STRIPS = 8192, 64  # rows in a strip at least, strips at most
FAR = 2.0  # where a row has no second medoid: farther than any distance of numbers in range


class NearestTwo(NamedTuple):
    """Of each row, under each of g clusterings: its two nearest medoids and how far they are."""

    near: Int32s  # int32 (g, n), place among the medoids of that K
    second: Int32s  # int32 (g, n); -1 where there is one medoid only
    distance: Float32s  # float32 (g, n)
    second_distance: Float32s  # float32 (g, n)


def fresh(g: int, n: int) -> NearestTwo:
    """A state of rows that have met no medoid yet."""
    return NearestTwo(
        np.full((g, n), -1, np.int32),
        np.full((g, n), -1, np.int32),
        np.full((g, n), FAR, np.float32),
        np.full((g, n), FAR, np.float32),
    )


def strips(n: int) -> int:
    """How many strips n rows are cut into: by n alone."""
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
    """Fill a fresh state: all rows against all medoids of all K.

    first: int64 (g + 1,), where the medoids of each K begin.
    """
    for p in prange(len(rows.word_tiles)):
        line, work = np.empty(TILE, np.float32), metric.scratch()
        _assign_tile(rows, int(np.int64(p)), medoids, first, root, state, work, line)


@kernel(parallel=True, **FAST)
def distances_from(
    probes: Packed, numbers: Int64s, rows: Packed, root: bool, out: Float32s
) -> None:
    """Distances of a few rows to all: out float32 (probes, n), 0 to themselves.

    numbers: which of the rows they are.
    """
    for p in prange(len(rows.word_tiles)):
        t = int(np.int64(p))
        begin, end = t * TILE, min(out.shape[1], t * TILE + TILE)
        line, work = np.empty(TILE, np.float32), metric.scratch()
        for i in range(len(numbers)):
            metric.distances_to_tile(probes, i, rows, t, root, work, line)
            out[i, begin:end] = line[: end - begin]
    for i in range(len(numbers)):
        out[i, numbers[i]] = 0


@kernel(**BARE, **FAST)
def _distances_to(
    rows: Packed,
    row: int,
    probes: Packed,
    numbers: Int64s,
    root: bool,
    work: metric.Scratch,
    line: Float32s,
) -> None:
    """Distances of a row to at most TILE rows, 0 to itself, even if it lacks everything.

    probes: these; numbers: which they are.
    """
    metric.distances_to_tile(rows, row, probes, 0, root, work, line)
    for j in range(len(numbers)):
        if numbers[j] == row:
            line[j] = 0


@kernel(**BARE, **FAST)
def _account(
    line: Float32s, d1: float, d2: float, weight: float, shared: Float64s, own: Float64s
) -> None:
    """How a row would change the loss if each of TILE candidates were a medoid.

    line, d1, d2: its distances to these, and to its two nearest medoids. shared: whichever medoid
    goes; own: besides, if its own goes, counted from where it would go without a candidate.
    """
    for j in range(TILE):
        d = line[j]
        shared[j] += weight * min(d - d1, np.float32(0))
        own[j] += weight * (min(max(d, d1), d2) - d2)


@kernel(**BARE, **FAST)
def _account_each(
    line: Float32s,
    row: int,
    weight: float,
    state: NearestTwo,
    first: Int64s,
    active: Int64s,
    shared: Float64s,
    own: Float64s,
) -> None:
    """The same of a row under several K: shared (g, TILE), own (medoids of all K, TILE)."""
    for g in active:
        _account(
            line,
            state.distance[g, row],
            state.second_distance[g, row],
            weight,
            shared[g],
            own[first[g] + state.near[g, row]],
        )


@kernel(**BARE, **FAST)
def _add_changes(
    rows: Packed,
    weight: Float64s,
    probes: Packed,
    numbers: Int64s,
    state: NearestTwo,
    first: Int64s,
    active: Int64s,
    root: bool,
    span: tuple[int, int],
    sums: tuple[Float64s, Float64s],
    work: metric.Scratch,
    line: Float32s,
) -> None:
    shared, own = sums
    for row in range(*span):
        _distances_to(rows, row, probes, numbers, root, work, line)
        _account_each(line, row, weight[row], state, first, active, shared, own)


@kernel(parallel=True, **FAST)
def changes(
    rows: Packed,
    weight: Float64s,
    probes: Packed,
    numbers: Int64s,
    state: NearestTwo,
    first: Int64s,
    active: Int64s,
    root: bool,
    shared: Float64s,
    own: Float64s,
) -> None:
    """Add up how at most TILE candidates would change the loss, under many K.

    probes: the candidates; numbers: which rows they are; active: which K. shared float64
    (strips, g, TILE), own float64 (strips, medoids of all K, TILE): filled with 0.
    """
    for p in prange(len(shared)):
        s = int(np.int64(p))
        line, work = np.empty(TILE, np.float32), metric.scratch()
        span = span_of(s, len(shared), len(weight))
        sums = shared[s], own[s]
        _add_changes(
            rows, weight, probes, numbers, state, first, active, root, span, sums, work, line
        )


@kernel(**BARE, **FAST)
def span_of(strip: int, strips: int, n: int) -> tuple[int, int]:
    """First and one past last row of a strip."""
    each = (n + strips - 1) // strips
    return strip * each, min(n, (strip + 1) * each)


@kernel(**BARE, **FAST)
def _screen_tile(
    rows: Packed,
    t: int,
    probes: Packed,
    weight: Float64s,
    state: NearestTwo,
    first: Int64s,
    every: Int64s,
    root: bool,
    shared: Float64s,
    own: Float64s,
    work: metric.Scratch,
    line: Float32s,
) -> None:
    for i in range(len(weight)):
        metric.distances_to_tile(probes, i, rows, t, root, work, line)
        _account_each(line, i, weight[i], state, first, every, shared, own)


@kernel(**BARE, **FAST)
def _least(
    shared: Float64s, own: Float64s, removal: Float64s, least: Float64s, out: Float32s
) -> None:
    """What each candidate would change where it suits best; own (medoids, TILE), least (TILE,)."""
    least[:] = np.inf
    for m in range(len(removal)):
        for j in range(TILE):
            least[j] = min(least[j], own[m, j] + removal[m])
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
    """How each of all rows would change the loss of a few of them, in the place that suits it best.

    probes: these, with their weight and state; removal: by how much their loss would rise without
    each medoid of each K; out: float32 (g, n).
    """
    g, n = out.shape
    every = np.arange(g)
    for p in prange(len(rows.word_tiles)):
        t = int(np.int64(p))
        begin, end = t * TILE, min(n, t * TILE + TILE)
        line, work = np.empty(TILE, np.float32), metric.scratch()
        shared, own, least = np.zeros((g, TILE)), np.zeros((len(removal), TILE)), np.empty(TILE)
        _screen_tile(rows, t, probes, weight, state, first, every, root, shared, own, work, line)
        for h in range(g):
            of_h = slice(first[h], first[h + 1])
            _least(shared[h], own[of_h], removal[of_h], least, out[h, begin:end])


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
    """Sums of distances inside clusters, each of which has tiles of its own.

    rows: cluster by cluster; probes: some rows of each cluster; owner: the cluster of each tile.
    weight float64 (tiles, TILE), probe_weight float64 (clusters, some): 0 where there is no row.
    to_probes float64 (tiles, TILE), filled with 0: of each row to the few; to_rows float64 (tiles,
    some): of each of the few to the rows of that tile.
    """
    some = probe_weight.shape[1]
    for p in prange(len(owner)):
        t = int(np.int64(p))
        line, work = np.empty(TILE, np.float32), metric.scratch()
        for i in range(some):
            metric.distances_to_tile(probes, owner[t] * some + i, rows, t, root, work, line)
            _add(probe_weight[owner[t], i], line, to_probes[t])
            to_rows[t, i] = _sum(weight[t], line)


@kernel(**BARE, **FAST)
def _add_rows(
    rows: Packed,
    weight: Float64s,
    probes: Packed,
    numbers: Int64s,
    groups: Int64s,
    root: bool,
    span: tuple[int, int],
    sums: Float64s,
    work: metric.Scratch,
    line: Float32s,
) -> None:
    for row in range(*span):
        _distances_to(rows, row, probes, numbers, root, work, line)
        for g in range(len(groups)):
            _add(weight[row], line, sums[groups[g, row]])


@kernel(parallel=True, **FAST)
def to_clusters(
    rows: Packed,
    weight: Float64s,
    probes: Packed,
    numbers: Int64s,
    groups: Int64s,
    root: bool,
    sums: Float64s,
) -> None:
    """Sums of the distances of at most TILE rows to the members of each cluster of each K.

    probes: these rows; numbers: which they are; groups: (g, n), the cluster of each row, counted on
    from K to K; sums float64 (strips, clusters, TILE), filled with 0.
    """
    for p in prange(len(sums)):
        s = int(np.int64(p))
        line, work = np.empty(TILE, np.float32), metric.scratch()
        span = span_of(s, len(sums), len(weight))
        _add_rows(rows, weight, probes, numbers, groups, root, span, sums[s], work, line)
