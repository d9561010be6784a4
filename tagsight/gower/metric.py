"""Gower's distance between images described by tags, some of them missing.

Source: Gower, "A general coefficient of similarity and some of its properties", Biometrics 27
(1971). With weights w, for images i and j:

    S_ij = sum_k w_k d_ijk s_ijk / sum_k w_k d_ijk

d_ijk = 1 where feature k is present in both, else 0; s_ijk = [x_ik = x_jk] for a categorical
feature, 1 - |x_ik - x_jk| / R_k for a numeric one. The distance is 1 - S (`linear`) or its square
root (`root`, Gower's own metric). Where two images have no feature in common it is 1, never NaN.

How it is made fast: one row is compared with a tile of 256 rows at a time. A tile is stored feature
by feature, so that the innermost loops run along memory and become vector instructions, and it fits
the nearest cache. Features of one kind and one weight form blocks of at most 64, whose presence in
a row is one 64-bit word: the number of features in common is then the number of bits in `word_i &
word_j`. The codes of a block are stored as bit planes in words, too: two codes differ where one of
their bits does, so 64 are compared at once, however many categories they have. Features of rare
weights are added one by one. Of a square matrix, each pair of tiles is computed once and written to
both sides. Sums are in float32: accurate to 1e-6 up to some thousands of features, and the same
to the bit whichever of two rows is in the tile.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import prange

from tagsight.arrays import Float32s, Int32s, Int64s, UInt64s
from tagsight.gower.features import Distance, Features
from tagsight.gower.packing import LOOSE, NUMERIC, TILE, WORD, Packed, blocks, pack
from tagsight.run.compiling import BARE, FAST, ORDERED, kernel

Places = tuple[Int32s, Int32s, Float32s, Float32s]  # near, second, d1, d2 of `update_nearest_two`

U = np.uint64
PATCH = 16  # rows of the squares in which a transpose is copied, so that they stay in the cache


@dataclass(frozen=True)
class Nearest:
    """The two nearest candidates of each row; of equally near ones the lowest index.

    index, second_index: int32 (n,); distance, second: float32 (n,).
    With a single candidate the second index is -1 and the second distance 1, the largest possible.
    """

    index: Int32s
    distance: Float32s
    second: Float32s
    second_index: Int32s


def matrix(
    features: Features, distance: Distance = "linear", out: Float32s | None = None
) -> Float32s:
    """Return all distances within one set: float32 (n, n), symmetric to the bit, no NaN.

    out: float32 (n, n), memory to write to, if it is to be reused.
    The diagonal is 0. The bytes do not depend on the number of threads.
    """
    n = len(features)
    out = np.empty((n, n), np.float32) if out is None else out
    if n:
        _fill(pack(features, blocks(features, features)), n, out)
        np.fill_diagonal(out, 0)
    return _finish(out, distance)


def condensed(features: Features, distance: Distance = "linear") -> Float32s:
    """Return the distances above the diagonal, as scipy's `pdist`: float32 (n (n - 1) / 2,)."""
    n = len(features)
    out = np.empty(n * (n - 1) // 2, np.float32)
    if len(out):
        _fill(pack(features, blocks(features, features)), n, out)
    return _finish(out, distance)


def cross(a: Features, b: Features, distance: Distance = "linear") -> Float32s:
    """Return the distances of the rows of `a` to the rows of `b`: float32 (n, m), no NaN.

    Both must be scaled and coded alike.
    Raises ValueError where their weights differ.
    """
    out = np.empty((len(a), len(b)), np.float32)
    if out.size:
        shared = blocks(a, b)
        _fill_rectangle(pack(a, shared), pack(b, shared), out)
    return _finish(out, distance)


def nearest(a: Features, b: Features, distance: Distance = "linear") -> Nearest:
    """Return the two nearest rows of `b` for each row of `a`, without an n × m matrix.

    Raises ValueError where the weights differ or `b` is empty.
    """
    if not len(b):
        raise ValueError("nearest needs at least one row to compare with")
    n, shared = len(a), blocks(a, b)
    index, second_index = np.full((2, n), -1, np.int32)
    first, second = np.full((2, n), np.inf, np.float32)
    places, root = (index, second_index, first, second), distance == "root"
    _find_nearest(pack(b, shared), pack(a, shared), root, places)
    second[second_index < 0] = 1
    return Nearest(index, first, second, second_index)


def incomparable(features: Features) -> float:
    """Return the share of pairs of rows that have no feature in common."""
    present = np.hstack([np.isfinite(features.numeric), features.categorical >= 0])
    weights = np.concatenate([features.numeric_weight, features.categorical_weight])
    bits = np.packbits(present[:, weights > 0], axis=1)  # (n, bytes)
    patterns, counts = np.unique(bits, axis=0, return_counts=True)
    apart = sum(
        int(count) * int(counts[~(patterns & pattern).any(axis=1)].sum())
        for pattern, count in zip(patterns, counts, strict=True)
    )
    n = len(features)
    empty = int((~bits.any(axis=1)).sum())  # each was also counted with itself
    return (apart - empty) / max(n * (n - 1), 1)


def _finish(out: Float32s, distance: Distance) -> Float32s:
    return np.sqrt(out, out=out) if distance == "root" else out


class Scratch(NamedTuple):
    """Memory that `compare` works in, one per thread."""

    total: Float32s  # (TILE,)
    common: Float32s  # (TILE,)
    unlike: UInt64s  # (TILE,), bits of the codes that differ
    present: Int64s  # (WORD + 3,), columns of the numbers that a row has


@kernel(**FAST)
def scratch() -> Scratch:
    """Return new memory for `compare`."""
    total, common = np.empty(TILE, np.float32), np.empty(TILE, np.float32)
    return Scratch(total, common, np.empty(TILE, np.uint64), np.empty(WORD + 3, np.int64))


@kernel(**BARE, **FAST)
def compare(a: Packed, i: int, b: Packed, u: int, work: Scratch, out: Float32s) -> None:
    """Write 1 - S of row i of `a` and each row of tile u of `b` to `out`, float32 (TILE,)."""
    total, common = work.total, work.common
    total[:] = 0
    common[:] = 0
    for k in range(len(a.weights)):
        kind, start, stop = a.spans[k]
        word, others, weight = a.words[i, k], b.word_tiles[u, k], a.weights[k]
        if kind == LOOSE:
            _add_loose(a, i, b.loose_tiles[u], total, common)
        elif kind == NUMERIC:
            row, tile = a.numbers[i, start:stop], b.number_tiles[u, start:stop]
            _add_differences(word, row, tile, work.present, total)
            _add_common(word, others, weight, common)
        elif word:
            _find_unlike(a.planes[i, start:stop], b.plane_tiles[u, start:stop], work.unlike)
            _add_unlike(word, others, weight, work.unlike, total, common)
    _divide(total, common, out)


@kernel(**BARE, **FAST)
def _bits(word: np.uint64) -> np.uint64:
    """Number of set bits, in the textbook form: LLVM recognises it and emits one instruction."""
    word -= (word >> U(1)) & U(0x5555555555555555)
    word = (word & U(0x3333333333333333)) + ((word >> U(2)) & U(0x3333333333333333))
    word = (word + (word >> U(4))) & U(0x0F0F0F0F0F0F0F0F)
    return (word * U(0x0101010101010101)) >> U(56)


@kernel(**BARE, **FAST)
def _difference(x: np.float32, y: np.float32) -> np.float32:
    difference = abs(x - y)
    return difference if difference == difference else np.float32(0)  # noqa: PLR0124


@kernel(**BARE, **ORDERED)
def _add_differences(
    word: np.uint64, row: Float32s, tile: Float32s, present: Int64s, total: Float32s
) -> None:
    """Add the differences of the features this row has, in column order.

    So d(i, j) == d(j, i) exactly.
    """
    count = 0
    for f in range(len(row)):
        present[count] = f
        count += int(np.int64((word >> U(f)) & U(1)))
    present[count : count + 3] = len(row) - 1  # the empty column
    for k in range(0, count, 4):
        f, g, h, i = present[k], present[k + 1], present[k + 2], present[k + 3]
        x, y, z, w = row[f], row[g], row[h], row[i]
        xs, ys, zs, ws = tile[f], tile[g], tile[h], tile[i]
        for j in range(TILE):
            both = total[j] + _difference(x, xs[j]) + _difference(y, ys[j])
            total[j] = both + _difference(z, zs[j]) + _difference(w, ws[j])


@kernel(**BARE, **FAST)
def _find_unlike(row: UInt64s, tile: UInt64s, unlike: UInt64s) -> None:
    """Set the bits of the codes that differ: those of which one bit differs."""
    unlike[:] = 0
    for p in range(0, len(row), 4):
        x, y, z, w = row[p], row[p + 1], row[p + 2], row[p + 3]
        xs, ys, zs, ws = tile[p], tile[p + 1], tile[p + 2], tile[p + 3]
        for j in range(TILE):
            unlike[j] |= ((x ^ xs[j]) | (y ^ ys[j])) | ((z ^ zs[j]) | (w ^ ws[j]))


@kernel(**BARE, **FAST)
def _add_loose(a: Packed, i: int, tile: Float32s, total: Float32s, common: Float32s) -> None:
    """Add features of rare weights, one by one."""
    for f in range(len(a.loose_weights)):
        x = a.loose[i, f]
        if x == x:  # noqa: PLR0124
            if a.are_codes[f]:
                _add_code(x, tile[f], a.loose_weights[f], total, common)
            else:
                _add_number(x, tile[f], a.loose_weights[f], total, common)


@kernel(**BARE, **FAST)
def _add_code(
    x: np.float32, ys: Float32s, weight: np.float32, total: Float32s, common: Float32s
) -> None:
    for j in range(TILE):
        present = ys[j] == ys[j]
        common[j] += weight if present else np.float32(0)
        total[j] += weight if present and ys[j] != x else np.float32(0)


@kernel(**BARE, **FAST)
def _add_number(
    x: np.float32, ys: Float32s, weight: np.float32, total: Float32s, common: Float32s
) -> None:
    for j in range(TILE):
        difference = weight * abs(x - ys[j])
        present = difference == difference  # noqa: PLR0124
        common[j] += weight if present else np.float32(0)
        total[j] += difference if present else np.float32(0)


@kernel(**BARE, **FAST)
def _add_common(word: np.uint64, others: UInt64s, weight: np.float32, common: Float32s) -> None:
    for j in range(TILE):
        common[j] += weight * np.float32(_bits(word & others[j]))


@kernel(**BARE, **FAST)
def _add_unlike(
    word: np.uint64,
    others: UInt64s,
    weight: np.float32,
    unlike: UInt64s,
    total: Float32s,
    common: Float32s,
) -> None:
    for j in range(TILE):
        both = word & others[j]
        common[j] += weight * np.float32(_bits(both))
        total[j] += weight * np.float32(_bits(both & unlike[j]))


@kernel(**BARE, **FAST)
def _divide(total: Float32s, common: Float32s, out: Float32s) -> None:
    for j in range(TILE):
        out[j] = total[j] / common[j] if common[j] > 0 else np.float32(1)


@kernel(**BARE, **FAST)
def _compare_tiles(a: Packed, t: int, b: Packed, u: int, work: Scratch, block: Float32s) -> None:
    """Write 1 - S of tile t of `a` and tile u of `b` to `block`, float32 (TILE, TILE)."""
    for i in range(min(TILE, len(a.words) - t * TILE)):
        compare(a, t * TILE + i, b, u, work, block[i])


@kernel(**BARE, **FAST)
def _copy(block: Float32s, first: int, start: int, out: Float32s) -> None:
    """Write a block into `out` from its first row and column, and drop what lies beyond."""
    for i in range(min(TILE, out.shape[0] - first)):
        for j in range(min(TILE, out.shape[1] - start)):
            out[first + i, start + j] = block[i, j]


@kernel(**BARE, **FAST)
def _copy_transposed(block: Float32s, first: int, start: int, out: Float32s) -> None:
    """Write a block's transpose to the other side of a square matrix."""
    rows, columns = min(TILE, len(out) - first), min(TILE, len(out) - start)
    for j in range(0, columns, PATCH):
        for i in range(0, rows, PATCH):
            if j + PATCH <= columns and i + PATCH <= rows:
                for k in range(PATCH):
                    for m in range(PATCH):
                        out[start + j + k, first + i + m] = block[i + m, j + k]
            else:
                for k in range(j, min(columns, j + PATCH)):
                    for m in range(i, min(rows, i + PATCH)):
                        out[start + k, first + m] = block[m, k]


@kernel(**BARE, **FAST)
def _copy_upper(block: Float32s, first: int, start: int, n: int, out: Float32s) -> None:
    """Write the part of a block that lies above the diagonal, in condensed form."""
    for i in range(first, min(first + TILE, n)):
        before = i * n - i * (i + 1) // 2 - i - 1  # where column 0 of row i would be
        for j in range(max(start, i + 1), min(start + TILE, n)):
            out[before + j] = block[i - first, j - start]


@kernel(parallel=True, **FAST)
def _fill(packed: Packed, n: int, out: Float32s) -> None:
    """Fill a square matrix, or its condensed form.

    A long row of tiles is paired with a short one, so that threads get equal work.
    """
    tiles = len(packed.word_tiles)
    for p in prange((tiles + 1) // 2):
        work, block = scratch(), np.empty((TILE, TILE), np.float32)
        for half in range(2):
            # The index of a prange is unsigned: mixed with signed ones it would become a float.
            t = int(np.int64(tiles - 1 - p if half else p))
            if half and t == p:
                continue
            for u in range(t, tiles):
                _compare_tiles(packed, t, packed, u, work, block)
                if out.ndim == 2:
                    _copy(block, t * TILE, u * TILE, out)
                    _copy_transposed(block, t * TILE, u * TILE, out)
                else:
                    _copy_upper(block, t * TILE, u * TILE, n, out)


@kernel(parallel=True, **FAST)
def _fill_rectangle(a: Packed, b: Packed, out: Float32s) -> None:
    for p in prange((len(out) + TILE - 1) // TILE):
        t, work, block = int(np.int64(p)), scratch(), np.empty((TILE, TILE), np.float32)
        for u in range(len(b.word_tiles)):
            _compare_tiles(a, t, b, u, work, block)
            _copy(block, t * TILE, u * TILE, out)


@kernel(**BARE, **FAST)
def update_nearest_two(
    m: int, line: Float32s, near: Int32s, second: Int32s, d1: Float32s, d2: Float32s
) -> None:
    """Put candidate m in first or second place in the rows where it is near enough.

    line: float32 (TILE,), its distances to the rows. near, second: int32 (rows,), the candidates in
    first and second place; d1, d2: float32 (rows,), their distances.
    Candidates must come in rising order, so that the lowest of equally near ones is first.
    """
    for j in range(len(near)):
        d, closer, nearer = line[j], line[j] < d1[j], line[j] < d2[j]
        second[j] = near[j] if closer else (m if nearer else second[j])
        d2[j] = d1[j] if closer else (d if nearer else d2[j])
        near[j] = m if closer else near[j]
        d1[j] = d if closer else d1[j]


@kernel(**BARE, **FAST)
def distances_to_tile(
    probes: Packed, m: int, many: Packed, u: int, root: bool, work: Scratch, out: Float32s
) -> None:
    """Write the distances of row m of `probes` to tile u of `many` to `out`, float32 (TILE,)."""
    compare(probes, m, many, u, work, out)
    if root:
        for j in range(TILE):
            out[j] = np.sqrt(out[j])


@kernel(**BARE, **FAST)
def _update_tile(
    probes: Packed, many: Packed, u: int, root: bool, work: Scratch, line: Float32s, places: Places
) -> None:
    near, second, d1, d2 = places
    tile = slice(u * TILE, min(u * TILE + TILE, len(near)))
    for m in range(len(probes.words)):
        distances_to_tile(probes, m, many, u, root, work, line)
        update_nearest_two(np.int32(m), line, near[tile], second[tile], d1[tile], d2[tile])


@kernel(parallel=True, **FAST)
def _find_nearest(probes: Packed, many: Packed, root: bool, places: Places) -> None:
    """Write the two nearest `probes` of each row of `many` to `places`."""
    for p in prange(len(many.word_tiles)):
        work, line = scratch(), np.empty(TILE, np.float32)
        _update_tile(probes, many, int(np.int64(p)), root, work, line, places)
