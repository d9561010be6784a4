"""Rows laid out for Gower's kernels: feature by feature in tiles, and what is there as bits."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tagsight.gower import Features

Array = NDArray[Any]

TILE = 256
NUMERIC, NARROW, WIDE, LOOSE = 0, 1, 2, 3
GROUP = (4, 4, 4, 1)  # features of each kind that the kernels take in one pass
FEW = 4  # features of one weight that are not worth a block
EXACT = 2**24  # codes up to here are themselves in float32
# A missing code must equal nothing, so the two sides of a comparison write it differently.
MISSING_LEFT, MISSING_RIGHT = 254, 255


class Block(NamedTuple):
    """At most 64 features of one kind and weight; or all that share their weight with few (LOOSE).

    columns: of the table of that kind; of a LOOSE block, of numbers and codes side by side.
    """

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
    loose: Array  # (n, m) float32, numbers and codes; NaN = missing
    words: Array  # (n, blocks) uint64: which features of the block a row has, a bit a feature
    number_tiles: Array  # (tiles, q, TILE)
    code_tiles: Array  # (tiles, c, TILE), MISSING_RIGHT = missing
    label_tiles: Array  # (tiles, w, TILE), -1 = missing
    loose_tiles: Array  # (tiles, m, TILE)
    word_tiles: Array  # (tiles, blocks, TILE)
    spans: Array  # (blocks, 3): kind, first and one past last column among those of that kind
    weights: Array  # (blocks,) float32; of a loose one 1
    loose_weights: Array  # (m,) float32
    are_codes: Array  # (m,) bool, which of the loose features are codes


def blocks(a: "Features", b: "Features") -> list[Block]:
    """The features of both in blocks; numbers first, since adding small to large costs digits."""
    if not (
        np.array_equal(a.numeric_weight, b.numeric_weight)
        and np.array_equal(a.categorical_weight, b.categorical_weight)
    ):
        raise ValueError("the two sets of features have different weights")
    q = a.numeric.shape[1]
    top = np.maximum(*[x.categorical.max(axis=0, initial=-1) for x in (a, b)])  # (c,)
    weights = np.concatenate([a.numeric_weight, a.categorical_weight])
    kinds = np.where(top < MISSING_LEFT, NARROW, WIDE)
    kinds = np.concatenate([np.full(q, NUMERIC), kinds])
    _, of, sizes = np.unique(
        np.stack([kinds, weights]), axis=1, return_inverse=True, return_counts=True
    )
    loose = (sizes[of.ravel()] < FEW) & np.concatenate([np.full(q, True), top < EXACT])
    if loose.sum() < FEW:
        loose[:] = False
    alone = [Block(LOOSE, np.flatnonzero(loose), 1.0)] if loose.any() else []
    return [*_apart(kinds, ~loose, weights, q), *alone]


def _apart(kinds: Array, kept: Array, weights: Array, q: int) -> Iterator[Block]:
    """Blocks of the features that are not loose, by kind, then weight; q numbers come first."""
    for kind in (NUMERIC, NARROW, WIDE):
        columns = np.flatnonzero((kinds == kind) & kept)
        for weight in np.unique(weights[columns]):
            same = columns[weights[columns] == weight] - (0 if kind == NUMERIC else q)
            for start in range(0, len(same), 64):
                yield Block(kind, same[start : start + 64], float(weight))


def pack(features: "Features", blocks: list[Block]) -> Packed:
    """Lay rows out for `compare`; `blocks` as made of all sets that are to be compared."""
    numeric, codes = features.numeric, features.categorical
    weights = np.concatenate([features.numeric_weight, features.categorical_weight])
    columns = np.concatenate([b.columns for b in blocks if b.kind == LOOSE] or [np.empty(0, int)])
    both = np.hstack([numeric, np.where(codes < 0, np.nan, codes)]) if len(columns) else numeric
    rows = (
        _ordered(numeric, blocks, NUMERIC, np.nan, np.float32),
        _ordered(codes, blocks, NARROW, MISSING_LEFT, np.uint8),
        _ordered(codes, blocks, WIDE, -2, np.int32),
        _ordered(both, blocks, LOOSE, np.nan, np.float32),
        _presence(features, blocks),
    )
    of_blocks = _spans(blocks), np.array([b.weight for b in blocks], np.float32)
    return _laid(rows, (*of_blocks, weights[columns], columns >= numeric.shape[1]))


def gather(packed: Packed, rows: Array) -> Packed:
    """Some of the rows (numbers; -1 = a row that lacks everything), in that order."""
    there = (rows >= 0)[:, None]
    parts = zip(packed[:5], (np.nan, MISSING_LEFT, -2, np.nan, 0), strict=True)
    taken = [np.where(there, part[rows], np.array(lacks, part.dtype)) for part, lacks in parts]
    return _laid(tuple(taken), packed[-4:])


def _laid(rows: tuple[Array, ...], blocks: tuple[Array, ...]) -> Packed:
    """Rows that stand in turn, in tiles as well."""
    numbers, codes, labels, loose, words = rows
    others = np.where(codes == MISSING_LEFT, np.uint8(MISSING_RIGHT), codes)
    tiles = (
        _tiles(numbers, np.nan),
        _tiles(others, MISSING_RIGHT),
        _tiles(np.where(labels == -2, np.int32(-1), labels), -1),
        _tiles(loose, np.nan),
        _tiles(words, 0),
    )
    return Packed._make([*rows, *tiles, *blocks])


def _whole(count: int, kind: int) -> int:
    """The features of a block filled up to whole groups."""
    return -(-count // GROUP[kind]) * GROUP[kind]


def _ordered(table: Array, blocks: list[Block], kind: int, missing: float, dtype: type) -> Array:
    """The columns of one kind, block by block, each filled up to whole groups; numbers weighted."""
    own = [b for b in blocks if b.kind == kind]
    width = sum(_whole(len(b.columns), kind) for b in own)
    out: Array = np.full((len(table), width), missing, dtype)
    start = 0
    for block in own:
        values = table[:, block.columns]
        values = np.where(_present(values), values, np.array(missing, table.dtype))
        place = slice(start, start + len(block.columns))
        out[:, place] = values * np.float32(block.weight) if kind == NUMERIC else values
        start += _whole(len(block.columns), kind)
    return out


def _present(values: Array) -> Array:
    return np.isfinite(values) if values.dtype.kind == "f" else values >= 0


def _presence(features: "Features", blocks: list[Block]) -> Array:
    """Which features of each block a row has, as bits: uint64 (n, blocks)."""
    words = np.zeros((len(features), len(blocks)), np.uint64)
    for b, block in enumerate(blocks):
        if block.kind == LOOSE:
            continue
        table = features.numeric if block.kind == NUMERIC else features.categorical
        present = np.zeros((len(features), 64), bool)
        present[:, : len(block.columns)] = _present(table[:, block.columns])
        words[:, b] = np.packbits(present, axis=1, bitorder="little").view(np.uint64)[:, 0]
    return words


def _spans(blocks: list[Block]) -> Array:
    filled, spans = [0, 0, 0, 0], np.zeros((len(blocks), 3), np.int64)
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
