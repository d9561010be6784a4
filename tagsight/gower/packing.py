"""Rows laid out for Gower's kernels: feature by feature in tiles, presence as bits."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tagsight.arrays import Bools, Float32s, Int32s, Int64s, Integers, UInt64s

if TYPE_CHECKING:
    from tagsight.gower.features import Features

Rows = Float32s | UInt64s

TILE, WORD = 256, 64  # rows in a tile, bits in a word
NUMERIC, CODED, LOOSE = 0, 1, 2
GROUP = 4  # columns that the kernels read in one pass
MIN_BLOCK = 4  # features
EXACT = 2**24  # codes below this are exact in float32


class Block(NamedTuple):
    """At most WORD features of one kind and weight; or all features of rare weights (LOOSE).

    columns: in the table of that kind; of a LOOSE block, in numbers and codes side by side.
    width: packed columns, filled up to whole groups: numbers and at least one empty column, or
    planes of bits; of a LOOSE block the number of its features.
    """

    kind: int
    columns: Int64s
    weight: float
    width: int


class Packed(NamedTuple):
    """Rows as the kernels read them: as a table, and in tiles.

    A plane is one bit of the codes of a block's features, side by side in a word. Groups are filled
    up with columns, and the last tile with rows, in which everything is missing.
    """

    numbers: Float32s  # (n, q), times the weight; NaN = missing
    planes: UInt64s  # (n, p); 0 where the code is missing
    loose: Float32s  # (n, m), numbers and codes; NaN = missing
    words: UInt64s  # (n, blocks): one bit per feature of the block, 1 where the row has it
    number_tiles: Float32s  # (tiles, q, TILE)
    plane_tiles: UInt64s  # (tiles, p, TILE)
    loose_tiles: Float32s  # (tiles, m, TILE)
    word_tiles: UInt64s  # (tiles, blocks, TILE)
    spans: Int64s  # (blocks, 3): kind, first and one past last column of that kind
    weights: Float32s  # (blocks,); 1 for a loose block
    loose_weights: Float32s  # (m,)
    are_codes: Bools  # (m,), 1 where a loose feature is a code


ABSENT = (np.nan, 0, np.nan, 0)  # the missing value in each of the first four fields


def blocks(a: "Features", b: "Features") -> list[Block]:
    """Return the features of both sets in blocks.

    Numbers come first: to add small numbers to a large sum costs digits.
    Raises ValueError where their weights differ.
    """
    if not (
        np.array_equal(a.numeric_weight, b.numeric_weight)
        and np.array_equal(a.categorical_weight, b.categorical_weight)
    ):
        raise ValueError("the two sets of features have different weights")
    q = a.numeric.shape[1]
    top = np.maximum(*[x.categorical.max(axis=0, initial=0) for x in (a, b)])  # (c,)
    weights = np.concatenate([a.numeric_weight, a.categorical_weight])
    kinds = np.repeat([NUMERIC, CODED], [q, len(top)])
    _, group, sizes = np.unique(
        np.stack([kinds, weights]), axis=1, return_inverse=True, return_counts=True
    )
    loose = (sizes[group.ravel()] < MIN_BLOCK) & np.concatenate([np.full(q, True), top < EXACT])
    if loose.sum() < MIN_BLOCK:
        loose[:] = False
    loose_columns = np.flatnonzero(loose)
    return [
        *_numeric(a.numeric_weight, ~loose[:q]),
        *_coded(a.categorical_weight, ~loose[q:], top),
        *([Block(LOOSE, loose_columns, 1.0, len(loose_columns))] if loose.any() else []),
    ]


def _numeric(weights: Float32s, kept: Bools) -> Iterator[Block]:
    for weight in np.unique(weights[kept]):
        for columns in _pieces(np.flatnonzero(kept & (weights == weight)), WORD - 1):
            yield Block(NUMERIC, columns, float(weight), _whole_groups(len(columns) + 1))


def _coded(weights: Float32s, kept: Bools, top: Integers) -> Iterator[Block]:
    """Blocks of codes of similar length: a block has as many planes as its longest code."""
    order = np.argsort(top, kind="stable")
    for weight in np.unique(weights[kept]):
        for columns in _pieces(order[kept[order] & (weights[order] == weight)], WORD):
            planes = int(top[columns].max()).bit_length()
            yield Block(CODED, columns, float(weight), _whole_groups(planes))


def _pieces(columns: Int64s, most: int) -> Iterator[Int64s]:
    for start in range(0, len(columns), most):
        yield columns[start : start + most]


def pack(features: "Features", blocks: list[Block]) -> Packed:
    """Return rows laid out for `metric.compare`.

    blocks: from `blocks`, of the two sets that are to be compared.
    """
    numeric, codes, q = features.numeric, features.categorical, features.numeric.shape[1]
    weights = np.concatenate([features.numeric_weight, features.categorical_weight])
    loose = np.concatenate([b.columns for b in blocks if b.kind == LOOSE] or [np.empty(0, int)])
    rows = (
        _side_by_side(numeric, [b for b in blocks if b.kind == NUMERIC]),
        _planes(codes, [b for b in blocks if b.kind == CODED]),
        _loose(numeric[:, loose[loose < q]], codes[:, loose[loose >= q] - q]),
        _presence(features, blocks),
    )
    spans_and_weights = _spans(blocks), np.array([b.weight for b in blocks], np.float32)
    return _with_tiles(rows, (*spans_and_weights, weights[loose], loose >= q))


def _loose(numeric: Float32s, codes: Int32s) -> Float32s:
    """Numbers and codes side by side: float32 (n, m)."""
    out = np.empty((len(numeric), numeric.shape[1] + codes.shape[1]), np.float32)
    out[:, : numeric.shape[1]] = np.where(np.isfinite(numeric), numeric, np.nan)
    out[:, numeric.shape[1] :] = np.where(codes < 0, np.nan, codes)
    return out


def gather(packed: Packed, rows: Int64s) -> Packed:
    """Return the given rows, in that order; rows: int64 (n,), -1 = a row without any feature."""
    given = (rows >= 0)[:, None]
    fields = zip(packed[: len(ABSENT)], ABSENT, strict=True)
    gathered = [np.where(given, x[rows], np.array(absent, x.dtype)) for x, absent in fields]
    return _with_tiles(tuple(gathered), packed[-4:])


def _with_tiles(rows: tuple[Rows, ...], blocks: tuple[Int64s | Float32s | Bools, ...]) -> Packed:
    """Rows as a table and in tiles; blocks: the last four fields."""
    tiles = [_tiles(table, absent) for table, absent in zip(rows, ABSENT, strict=True)]
    return Packed._make([*rows, *tiles, *blocks])


def _whole_groups(count: int) -> int:
    return -(-count // GROUP) * GROUP


def _side_by_side(numeric: Float32s, blocks: list[Block]) -> Float32s:
    """Numbers times their weight, block by block: float32 (n, q)."""
    out = np.full((len(numeric), sum(b.width for b in blocks)), np.nan, np.float32)
    start = 0
    for block in blocks:
        values = numeric[:, block.columns]
        place = slice(start, start + len(block.columns))
        out[:, place] = np.where(np.isfinite(values), values, np.nan) * np.float32(block.weight)
        start += block.width
    return out


def _planes(codes: Int32s, blocks: list[Block]) -> UInt64s:
    """Codes bit by bit, block by block: uint64 (n, p)."""
    out = np.zeros((len(codes), sum(b.width for b in blocks)), np.uint64)
    start = 0
    for block in blocks:
        of_block = np.maximum(codes[:, block.columns], 0)
        for bit in range(int(of_block.max(initial=0)).bit_length()):
            out[:, start + bit] = _words(of_block & (1 << bit))
        start += block.width
    return out


def _words(flags: Bools | Integers) -> UInt64s:
    """At most WORD flags per row as bits, the first flag lowest: (n, f) -> uint64 (n,)."""
    full = np.zeros((len(flags), WORD), bool)
    full[:, : flags.shape[1]] = flags
    return np.packbits(full, axis=1, bitorder="little").view("<u8")[:, 0]


def _presence(features: "Features", blocks: list[Block]) -> UInt64s:
    """Which features of each block a row has, as bits: uint64 (n, blocks)."""
    words = np.zeros((len(features), len(blocks)), np.uint64)
    for b, block in enumerate(blocks):
        if block.kind == NUMERIC:
            words[:, b] = _words(np.isfinite(features.numeric[:, block.columns]))
        elif block.kind == CODED:
            words[:, b] = _words(features.categorical[:, block.columns] >= 0)
    return words


def _spans(blocks: list[Block]) -> Int64s:
    ends, spans = [0, 0, 0], np.zeros((len(blocks), 3), np.int64)
    for b, block in enumerate(blocks):
        start = ends[block.kind]
        spans[b] = block.kind, start, start + block.width
        ends[block.kind] += block.width
    return spans


def _tiles(table: Rows, fill: float) -> Rows:
    """Cut rows into tiles, feature by feature inside: (n, f) -> (tiles, f, TILE)."""
    n, f = table.shape
    tiles = -(-n // TILE)
    padded = np.full((tiles * TILE, f), fill, table.dtype)
    padded[:n] = table
    out = _aligned((tiles, f, TILE), table.dtype)
    out[:] = padded.reshape(tiles, TILE, f).transpose(0, 2, 1)
    return out


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Rows:
    """An empty array aligned to a cache line, so that no vector crosses two lines."""
    size, line = int(np.prod(shape)) * dtype.itemsize, 64
    memory = np.empty(size + line, np.uint8)
    start = -memory.ctypes.data % line
    aligned: Rows = memory[start : start + size].view(dtype).reshape(shape)
    return aligned
