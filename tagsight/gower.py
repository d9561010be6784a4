"""Gower's distance between images that are described by tags, some of them missing.

Source: Gower, "A general coefficient of similarity and some of its properties", Biometrics 27
(1971). With weights w, for images i and j:

    S_ij = sum_k w_k d_ijk s_ijk / sum_k w_k d_ijk

d_ijk = 1 where feature k is present in both, else 0; s_ijk = [x_ik = x_jk] for a categorical
feature, 1 - |x_ik - x_jk| / R_k for a numeric one. The distance is 1 - S (`linear`) or its square
root (`root`, Gower's own metric). Where nothing can be compared it is 1, so it is never NaN.

How it is made fast: rows are packed into tiles of 128, feature by feature inside a tile, so that
the innermost loops run over 128 neighbours in memory and become vector instructions. Features of
one kind and one weight form blocks of at most 64, whose presence in a row is one 64-bit word: what
two rows have in common is then the number of bits in `word_i & word_j`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Distance = Literal["linear", "root"]
Array = NDArray[Any]

U = np.uint64
TILE = 128
NUMERIC, NARROW, WIDE = 0, 1, 2
# A missing code must equal nothing, so the two sides of a comparison write it differently.
MISSING_LEFT, MISSING_RIGHT = 254, 255
# Everything of fast math but "no NaN": a NaN is how a missing number is told.
FAST: dict[str, Any] = {"cache": True, "fastmath": {"reassoc", "nsz", "contract", "arcp"}}


@dataclass(frozen=True)
class Features:
    """Images as numbers, ready for Gower's distance.

    numeric: float32 (n, q), each column divided by its range; not finite = missing.
    categorical: int32 (n, c), codes from 0; negative = missing.
    numeric_weight (q,), categorical_weight (c,): float32, at least 0.
    """

    numeric: Array
    categorical: Array
    numeric_weight: Array
    categorical_weight: Array

    def __post_init__(self) -> None:
        """Raise ValueError where shapes contradict each other or a weight is negative."""
        rows = len(self.numeric), len(self.categorical)
        columns = self.numeric.shape[1], self.categorical.shape[1]
        weights = np.concatenate([self.numeric_weight, self.categorical_weight])
        if rows[0] != rows[1] or columns != (
            len(self.numeric_weight),
            len(self.categorical_weight),
        ):
            raise ValueError(f"features disagree: rows {rows}, columns {columns}, {len(weights)}")
        if not (weights >= 0).all():
            raise ValueError("a feature's weight must be at least 0")

    def __len__(self) -> int:
        return len(self.numeric)

    def take(self, rows: Array) -> "Features":
        """The given rows (indices or a mask), in that order."""
        return Features(
            self.numeric[rows],
            self.categorical[rows],
            self.numeric_weight,
            self.categorical_weight,
        )


@dataclass(frozen=True)
class Nearest:
    """For each row its nearest and second nearest of the others, the lowest index where equal.

    index, second_index: int32 (n,); distance, second: float32 (n,). With a single candidate the
    second index is -1 and the second distance 1, the largest there is.
    """

    index: Array
    distance: Array
    second: Array
    second_index: Array


def matrix(features: Features, distance: Distance = "linear") -> Array:
    """All distances within one set: float32 (n, n), symmetric to the bit, diagonal 0, no NaN.

    The same bytes whatever the number of threads.
    """
    n = len(features)
    out = np.empty((n, n), np.float32)
    if n:
        packed = _pack(features, _blocks(features, features))
        _fill_square(packed, out)
        np.fill_diagonal(out, 0)
    return _finish(out, distance)


def cross(a: Features, b: Features, distance: Distance = "linear") -> Array:
    """Distances of the rows of `a` to the rows of `b`: float32 (n, m), no NaN.

    Both are to be scaled and coded alike; ValueError where their weights differ.
    """
    out = np.empty((len(a), len(b)), np.float32)
    if out.size:
        blocks = _blocks(a, b)
        _fill_rectangle(_pack(a, blocks), _pack(b, blocks), out)
    return _finish(out, distance)


def nearest(a: Features, b: Features, distance: Distance = "linear") -> Nearest:
    """For each row of `a` the two nearest rows of `b`, without an n × m matrix.

    ValueError where the weights differ or `b` is empty.
    """
    if not len(b):
        raise ValueError("nearest needs at least one row to compare with")
    n, blocks = len(a), _blocks(a, b)
    places, distances = np.full((n, 2), -1, np.int32), np.ones((n, 2), np.float32)
    _find_nearest(_pack(a, blocks), _pack(b, blocks), len(b), places, distances)
    first, second = np.ascontiguousarray(_finish(distances, distance).T)
    index, second_index = np.ascontiguousarray(places.T)
    return Nearest(index, first, second, second_index)


def incomparable(features: Features) -> float:
    """Share of the pairs of different rows that have no feature in common (distance 1)."""
    present = np.hstack([np.isfinite(features.numeric), features.categorical >= 0])
    weights = np.concatenate([features.numeric_weight, features.categorical_weight])
    bits = np.packbits(present[:, weights > 0], axis=1)  # (n, bytes)
    patterns, counts = np.unique(bits, axis=0, return_counts=True)
    apart = sum(
        int(count) * int(counts[~(patterns & pattern).any(axis=1)].sum())
        for pattern, count in zip(patterns, counts, strict=True)
    )
    n = len(features)
    empty = int((~bits.any(axis=1)).sum())  # such a row was counted against itself as well
    return (apart - empty) / max(n * (n - 1), 1)


def _finish(out: Array, distance: Distance) -> Array:
    return np.sqrt(out, out=out) if distance == "root" else out


class _Block(NamedTuple):
    """At most 64 features of one kind and weight."""

    kind: int
    columns: Array
    weight: float


class _Packed(NamedTuple):
    """Rows in tiles: what the kernels read. Tiles are filled up with rows that lack everything."""

    numeric: Array  # (tiles, q, TILE) float32, times the weight; NaN = missing
    narrow: Array  # (tiles, c, TILE) uint8, MISSING_RIGHT = missing
    wide: Array  # (tiles, c, TILE) int32, -1 = missing
    valid: Array  # (tiles, blocks, TILE) uint64, a bit a feature
    spans: Array  # (blocks, 3): kind, first and one past last column in the array of that kind
    weights: Array  # (blocks,) float32


def _blocks(a: Features, b: Features) -> list[_Block]:
    """The features of both in blocks; numbers first, since adding small to large costs digits."""
    if not (
        np.array_equal(a.numeric_weight, b.numeric_weight)
        and np.array_equal(a.categorical_weight, b.categorical_weight)
    ):
        raise ValueError("the two sets of features have different weights")
    top = [x.categorical.max(axis=0, initial=-1) for x in (a, b)]
    wide = np.maximum(*top) >= MISSING_LEFT  # (c,)
    return [
        *_cut(NUMERIC, np.arange(a.numeric.shape[1]), a.numeric_weight),
        *_cut(NARROW, np.flatnonzero(~wide), a.categorical_weight),
        *_cut(WIDE, np.flatnonzero(wide), a.categorical_weight),
    ]


def _cut(kind: int, columns: Array, weights: Array) -> Iterator[_Block]:
    for weight in np.unique(weights[columns]):
        same = columns[weights[columns] == weight]
        for start in range(0, len(same), 64):
            yield _Block(kind, same[start : start + 64], float(weight))


def _pack(features: Features, blocks: list[_Block]) -> _Packed:
    order = [
        np.concatenate([b.columns for b in blocks if b.kind == kind] or [np.empty(0, np.intp)])
        for kind in (NUMERIC, NARROW, WIDE)
    ]
    numbers = np.where(np.isfinite(features.numeric), features.numeric, np.float32(np.nan))
    numbers = (numbers * features.numeric_weight)[:, order[NUMERIC]].astype(np.float32)
    codes = features.categorical
    narrow = np.where(codes < 0, MISSING_RIGHT, codes)[:, order[NARROW]].astype(np.uint8)
    wide = np.maximum(codes, -1)[:, order[WIDE]].astype(np.int32)
    return _Packed(
        _tiles(numbers, np.nan),
        _tiles(narrow, MISSING_RIGHT),
        _tiles(wide, -1),
        _tiles(_presence(features, blocks), 0),
        _spans(blocks),
        np.array([b.weight for b in blocks], np.float32),
    )


def _presence(features: Features, blocks: list[_Block]) -> Array:
    """Which features of each block a row has, as bits: uint64 (n, blocks)."""
    words = np.zeros((len(features), len(blocks)), np.uint64)
    for b, block in enumerate(blocks):
        present = np.zeros((len(features), 64), bool)
        if block.kind == NUMERIC:
            values = np.isfinite(features.numeric[:, block.columns])
        else:
            values = features.categorical[:, block.columns] >= 0
        present[:, : len(block.columns)] = values
        words[:, b] = np.packbits(present, axis=1).view(np.uint64)[:, 0]
    return words


def _spans(blocks: list[_Block]) -> Array:
    filled, spans = [0, 0, 0], np.zeros((len(blocks), 3), np.int64)
    for b, block in enumerate(blocks):
        start, stop = filled[block.kind], filled[block.kind] + len(block.columns)
        spans[b], filled[block.kind] = (block.kind, start, stop), stop
    return spans


def _tiles(table: Array, fill: float) -> Array:
    """Cut rows into tiles, feature by feature inside: (n, f) -> (tiles, f, TILE)."""
    n, f = table.shape
    tiles = -(-n // TILE)
    padded = np.full((tiles * TILE, f), fill, table.dtype)
    padded[:n] = table
    return np.ascontiguousarray(padded.reshape(tiles, TILE, f).transpose(0, 2, 1))


@njit(**FAST)
def _bits(word: np.uint64) -> np.uint64:
    """Number of set bits. The textbook form: LLVM knows it and puts one instruction for it."""
    word -= (word >> U(1)) & U(0x5555555555555555)
    word = (word & U(0x3333333333333333)) + ((word >> U(2)) & U(0x3333333333333333))
    word = (word + (word >> U(4))) & U(0x0F0F0F0F0F0F0F0F)
    return (word * U(0x0101010101010101)) >> U(56)


@njit(**FAST)
def _add_differences(x: np.float32, others: Array, total: Array) -> None:
    for j in range(TILE):
        difference = abs(x - others[j])
        total[j] += difference if difference == difference else np.float32(0)  # noqa: PLR0124


@njit(**FAST)
def _count_equal(code: np.integer, others: Array, equal: Array) -> None:
    for j in range(TILE):
        equal[j] += others[j] == code


@njit(**FAST)
def _add_common(word: np.uint64, others: Array, weight: np.float32, common: Array) -> None:
    for j in range(TILE):
        common[j] += weight * np.float32(_bits(word & others[j]))


@njit(**FAST)
def _add_unequal(
    word: np.uint64, others: Array, weight: np.float32, equal: Array, total: Array
) -> None:
    for j in range(TILE):
        total[j] += weight * np.float32(np.int64(_bits(word & others[j])) - equal[j])


@njit(**FAST)
def _divide(total: Array, common: Array, out: Array) -> None:
    for j in range(TILE):
        out[j] = total[j] / common[j] if common[j] > 0 else np.float32(1)


@njit(**FAST)
def _compare(a: _Packed, t: int, b: _Packed, u: int, out: Array) -> None:
    """1 - S between tile t of `a` and tile u of `b`: out (TILE, TILE)."""
    total, common = np.empty(TILE, np.float32), np.empty(TILE, np.float32)
    equal = np.empty(TILE, np.uint8)
    for i in range(TILE):
        total[:] = 0
        common[:] = 0
        for k in range(len(a.weights)):
            kind, start, stop = a.spans[k]
            word, words, weight = a.valid[t, k, i], b.valid[u, k], a.weights[k]
            if kind == NUMERIC:
                for f in range(start, stop):
                    _add_differences(a.numeric[t, f, i], b.numeric[u, f], total)
            else:
                equal[:] = 0
                for f in range(start, stop):
                    if kind == NARROW:
                        code = a.narrow[t, f, i]
                        left = np.uint8(MISSING_LEFT) if code == MISSING_RIGHT else code
                        _count_equal(left, b.narrow[u, f], equal)
                    else:
                        label = a.wide[t, f, i]
                        other = np.int32(-2) if label < 0 else label
                        _count_equal(other, b.wide[u, f], equal)
                _add_unequal(word, words, weight, equal, total)
            _add_common(word, words, weight, common)
        _divide(total, common, out[i])


@njit(parallel=True, **FAST)
def _fill_square(packed: _Packed, out: Array) -> None:
    """One triangle of tiles, written to both sides; long and short rows of tiles in pairs."""
    tiles, n = len(packed.valid), len(out)
    for p in prange((tiles + 1) // 2):
        block = np.empty((TILE, TILE), np.float32)
        for half in range(2):
            # The index of a prange is unsigned: mixed with signed ones it would become a float.
            t = int(np.int64(tiles - 1 - p if half else p))
            if half and t == p:
                continue
            i, rows = t * TILE, min(TILE, n - t * TILE)
            for u in range(t, tiles):
                _compare(packed, t, packed, u, block)
                j, columns = u * TILE, min(TILE, n - u * TILE)
                out[i : i + rows, j : j + columns] = block[:rows, :columns]
                out[j : j + columns, i : i + rows] = block[:rows, :columns].T


@njit(parallel=True, **FAST)
def _fill_rectangle(a: _Packed, b: _Packed, out: Array) -> None:
    for p in prange(len(a.valid)):
        block = np.empty((TILE, TILE), np.float32)
        t = int(np.int64(p))
        i, rows = t * TILE, min(TILE, len(out) - t * TILE)
        for u in range(len(b.valid)):
            _compare(a, t, b, u, block)
            j, columns = u * TILE, min(TILE, out.shape[1] - u * TILE)
            out[i : i + rows, j : j + columns] = block[:rows, :columns]


@njit(parallel=True, **FAST)
def _find_nearest(a: _Packed, b: _Packed, m: int, places: Array, distances: Array) -> None:
    """The two nearest of the m rows of `b`: places and distances (n, 2), filled with -1 and 1."""
    n = len(places)
    for p in prange(len(a.valid)):
        block = np.empty((TILE, TILE), np.float32)
        t = int(np.int64(p))
        for u in range(len(b.valid)):
            _compare(a, t, b, u, block)
            for i in range(min(TILE, n - t * TILE)):
                row = t * TILE + i
                for j in range(min(TILE, m - u * TILE)):
                    _offer(block[i, j], u * TILE + j, places[row], distances[row])


@njit(**FAST)
def _offer(distance: np.float32, j: int, places: Array, distances: Array) -> None:
    """Let candidate j take first or second place; candidates come in rising order."""
    if places[0] < 0 or distance < distances[0]:
        distances[1], places[1] = distances[0], places[0]
        distances[0], places[0] = distance, j
    elif places[1] < 0 or distance < distances[1]:
        distances[1], places[1] = distance, j
