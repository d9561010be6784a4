"""Rows laid out for Gower's kernels: feature by feature in tiles, and what is there as bits."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tagsight.gower import Features

Array = NDArray[Any]

TILE = 512
NUMERIC, NARROW, WIDE = 0, 1, 2
GROUP = (4, 8, 8)  # features of each kind that the kernels take in one pass
# A missing code must equal nothing, so the two sides of a comparison write it differently.
MISSING_LEFT, MISSING_RIGHT = 254, 255


class Block(NamedTuple):
    """At most 64 features of one kind and weight."""

    kind: int
    columns: Array
    weight: float


class Packed(NamedTuple):
    """Rows as the kernels read them, in turn and in tiles.

    Each block is filled up to whole groups with columns that nobody has, and the last tile with
    rows that lack everything.
    """

    numbers: Array  # (n, q) float32, times the weight; NaN = missing
    codes: Array  # (n, c) uint8, MISSING_LEFT = missing
    labels: Array  # (n, w) int32, -2 = missing
    words: Array  # (n, blocks) uint64: which features of the block a row has, a bit a feature
    number_tiles: Array  # (tiles, q, TILE)
    code_tiles: Array  # (tiles, c, TILE), MISSING_RIGHT = missing
    label_tiles: Array  # (tiles, w, TILE), -1 = missing
    word_tiles: Array  # (tiles, blocks, TILE)
    spans: Array  # (blocks, 3): kind, first and one past last column among those of that kind
    weights: Array  # (blocks,) float32


def blocks(a: "Features", b: "Features") -> list[Block]:
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


def _cut(kind: int, columns: Array, weights: Array) -> Iterator[Block]:
    for weight in np.unique(weights[columns]):
        same = columns[weights[columns] == weight]
        for start in range(0, len(same), 64):
            yield Block(kind, same[start : start + 64], float(weight))


def pack(features: "Features", blocks: list[Block]) -> Packed:
    """Lay rows out for `compare`; `blocks` as made of all sets that are to be compared."""
    numbers = np.where(np.isfinite(features.numeric), features.numeric, np.float32(np.nan))
    numbers = _ordered(numbers * features.numeric_weight, blocks, NUMERIC, np.nan, np.float32)
    codes = features.categorical
    left = _ordered(
        np.where(codes < 0, MISSING_LEFT, codes), blocks, NARROW, MISSING_LEFT, np.uint8
    )
    labels = _ordered(np.where(codes < 0, -2, codes), blocks, WIDE, -2, np.int32)
    weights = np.array([b.weight for b in blocks], np.float32)
    return _laid(numbers, left, labels, _presence(features, blocks), _spans(blocks), weights)


def gather(packed: Packed, rows: Array) -> Packed:
    """Some of the rows (numbers; -1 = a row that lacks everything), in that order."""
    parts = zip(packed[:4], (np.nan, MISSING_LEFT, -2, 0), strict=True)
    there = (rows >= 0)[:, None]
    numbers, codes, labels, words = (
        np.where(there, part[rows], np.array(missing, part.dtype)) for part, missing in parts
    )
    return _laid(numbers, codes, labels, words, packed.spans, packed.weights)


def _laid(
    numbers: Array, codes: Array, labels: Array, words: Array, spans: Array, weights: Array
) -> Packed:
    """Rows that stand in turn, in tiles as well."""
    others = np.where(codes == MISSING_LEFT, np.uint8(MISSING_RIGHT), codes)
    return Packed(
        numbers,
        codes,
        labels,
        words,
        _tiles(numbers, np.nan),
        _tiles(others, MISSING_RIGHT),
        _tiles(np.where(labels == -2, np.int32(-1), labels), -1),
        _tiles(words, 0),
        spans,
        weights,
    )


def _whole(count: int, kind: int) -> int:
    """The features of a block filled up to whole groups."""
    return -(-count // GROUP[kind]) * GROUP[kind]


def _ordered(table: Array, blocks: list[Block], kind: int, missing: float, dtype: type) -> Array:
    """The columns of one kind, block by block, each filled up to whole groups."""
    own = [b.columns for b in blocks if b.kind == kind]
    out: Array = np.full((len(table), sum(_whole(len(c), kind) for c in own)), missing, dtype)
    start = 0
    for columns in own:
        out[:, start : start + len(columns)] = table[:, columns]
        start += _whole(len(columns), kind)
    return out


def _presence(features: "Features", blocks: list[Block]) -> Array:
    """Which features of each block a row has, as bits: uint64 (n, blocks)."""
    words = np.zeros((len(features), len(blocks)), np.uint64)
    for b, block in enumerate(blocks):
        present = np.zeros((len(features), 64), bool)
        if block.kind == NUMERIC:
            values = np.isfinite(features.numeric[:, block.columns])
        else:
            values = features.categorical[:, block.columns] >= 0
        present[:, : len(block.columns)] = values
        words[:, b] = np.packbits(present, axis=1, bitorder="little").view(np.uint64)[:, 0]
    return words


def _spans(blocks: list[Block]) -> Array:
    filled, spans = [0, 0, 0], np.zeros((len(blocks), 3), np.int64)
    for b, block in enumerate(blocks):
        start, stop = (
            filled[block.kind],
            filled[block.kind] + _whole(len(block.columns), block.kind),
        )
        spans[b], filled[block.kind] = (block.kind, start, stop), stop
    return spans


def _tiles(table: Array, fill: float) -> Array:
    """Cut rows into tiles, feature by feature inside: (n, f) -> (tiles, f, TILE)."""
    n, f = table.shape
    tiles = -(-n // TILE)
    padded = np.full((tiles * TILE, f), fill, table.dtype)
    padded[:n] = table
    return np.ascontiguousarray(padded.reshape(tiles, TILE, f).transpose(0, 2, 1))
