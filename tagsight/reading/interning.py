"""The arrays of the fast tokenizer: what it looks up (PS3.5, PS3.6), and what it writes into.

Each distinct value has a number in a vocabulary, found by its hash.
"""

from typing import Any, NamedTuple

import numpy as np

from tagsight.arrays import Int32s, Int64s, UInt8s, UInt16s, UInt32s, UInt64s
from tagsight.dicom.dictionary import vrs_of_tags
from tagsight.dicom.header_texts import READ_SEQUENCES
from tagsight.dicom.tokenizer import KNOWN_VRS, LONG_VRS
from tagsight.dicom.values import has_text
from tagsight.run.compiling import kernel

MAX_VALUES = 2**18
MAX_ARENA = 2**26
MAX_ROW = 1024  # values of a header
MAX_NESTED = 256  # values of its functional groups
_SLOTS = 2**20

NONE, TEXT, SEQUENCE, UNKNOWN = range(4)  # kinds of VR,
LONG, ODD = 4, 8  # and flags: of the long form (PS3.5 7.1.2); no VR that PS3.5 knows


_jit: Any = kernel(nogil=True, boundscheck=False)


def vr_of(letters: int) -> str | None:
    """Return the VR of two letters as a number; None for an implicit element."""
    return chr(letters >> 8) + chr(letters & 255) if letters else None


class Interned(NamedTuple):
    """Each distinct value once: the bytes of value i are `arena[starts[i]:starts[i + 1]]`."""

    slots: Int32s  # (2**20,), -1 = free
    hashes: UInt64s  # (v,)
    tags: UInt32s  # (v,)
    vrs: UInt16s  # (v,), the two letters, 0 = implicit
    variants: Int32s  # (v,), character set and sign, see `fast_tokenizer`
    starts: Int64s  # (v + 1,)
    arena: UInt8s
    used: Int64s  # (1,), the number of values


class PixelPlaces(NamedTuple):
    """The pixel element of each file of a batch; tag 0 where there is none."""

    tags: UInt32s  # (n,)
    vrs: UInt16s  # (n,)
    places: Int64s  # (n,)
    lengths: Int64s  # (n,)


class InternedRows(NamedTuple):
    """The numbers of the values of each file of a batch, in the order of the file."""

    values: Int32s  # (n, 1024), of the top level
    counts: Int64s  # (n,)
    nested: Int32s  # (n, 256), of functional groups: shared, then of the first frame
    nested_counts: Int64s  # (n,)


def rows(n: int) -> InternedRows:
    """Return empty rows for n files."""
    return InternedRows(
        np.zeros((n, MAX_ROW), np.int32),
        np.zeros(n, np.int64),
        np.zeros((n, MAX_NESTED), np.int32),
        np.zeros(n, np.int64),
    )


def vocabulary() -> Interned:
    """Return a vocabulary without values."""
    return Interned(
        slots=np.full(_SLOTS, -1, np.int32),
        hashes=np.zeros(MAX_VALUES, np.uint64),
        tags=np.zeros(MAX_VALUES, np.uint32),
        vrs=np.zeros(MAX_VALUES, np.uint16),
        variants=np.zeros(MAX_VALUES, np.int32),
        starts=np.zeros(MAX_VALUES + 1, np.int64),
        arena=np.zeros(MAX_ARENA, np.uint8),
        used=np.zeros(1, np.int64),
    )


def pixels(n: int) -> PixelPlaces:
    """Return empty places of pixels for n files."""
    return PixelPlaces(
        np.zeros(n, np.uint32), np.zeros(n, np.uint16), np.zeros(n, np.int64), np.zeros(n, np.int64)
    )


def _kinds_of_vrs() -> UInt8s:
    """The kind of each VR (65536,), by its two letters."""
    kinds = np.full(2**16, ODD, np.uint8)
    kinds[0] = NONE  # of an implicit element
    for letters in KNOWN_VRS:
        kind = TEXT if has_text(letters.decode()) else NONE
        kind = {b"SQ": SEQUENCE, b"UN": UNKNOWN}.get(letters, kind)
        kinds[letters[0] << 8 | letters[1]] = kind | (LONG if letters in LONG_VRS else 0)
    return kinds


def _tags_without_text() -> UInt32s:
    """Tags of sequences and bulk values, sorted: with implicit VR they look like texts."""
    vrs = vrs_of_tags().items()
    return np.array(sorted(t for t, vr in vrs if not has_text(vr.split(" or ")[0])), np.uint32)


KINDS = _kinds_of_vrs()
TEXTLESS = _tags_without_text()
SEQUENCES = np.array(sorted(t for t, vr in vrs_of_tags().items() if vr == "SQ"), np.uint32)
CODED = np.array(sorted(READ_SEQUENCES), np.uint32)


@_jit
def begins(data: UInt8s, at: int, end: int, text: UInt8s) -> bool:
    """Return whether the bytes from `at` to `end` begin with `text`."""
    if end - at < len(text):
        return False
    for i in range(len(text)):  # noqa: SIM110 - numba
        if data[at + i] != text[i]:
            return False
    return True


@_jit
def _slot(voc: Interned, hashed: Any) -> Any:
    """The first slot to look in for a value of this hash."""
    return np.int64((hashed ^ hashed >> np.uint64(29)) & np.uint64(len(voc.slots) - 1))


@_jit
def number_of(
    voc: Interned, tag: int, vr: int, variant: int, data: UInt8s, at: int, end: int
) -> Any:
    """Return the number of a value; -1 where the vocabulary is full.

    A new value is added. data[at:end]: its bytes; vr: its letters; variant: see `Interned`.
    """
    hashed: Any = np.uint64(14695981039346656037) ^ np.uint64(tag << 20 ^ vr << 4 ^ variant << 40)
    hashed *= np.uint64(1099511628211)
    for place in range(at, end):  # FNV-1a
        hashed = (hashed ^ np.uint64(data[place])) * np.uint64(1099511628211)
    mask, slot = len(voc.slots) - 1, _slot(voc, hashed)
    while voc.slots[slot] >= 0:
        i: Any = np.int64(voc.slots[slot])
        if (
            voc.hashes[i] == hashed
            and voc.tags[i] == tag
            and voc.vrs[i] == vr
            and voc.variants[i] == variant
            and begins(data, at, end, voc.arena[voc.starts[i] : voc.starts[i + 1]])
            and voc.starts[i + 1] - voc.starts[i] == end - at
        ):
            return i
        slot = (slot + 1) & mask
    i = np.int64(voc.used[0])
    start = voc.starts[i]
    if i == len(voc.tags) or start + end - at > len(voc.arena):
        return -1
    voc.slots[slot] = i
    voc.hashes[i], voc.tags[i], voc.vrs[i], voc.variants[i] = hashed, tag, vr, variant
    voc.arena[start : start + end - at] = data[at:end]
    voc.starts[i + 1] = start + end - at
    voc.used[0] = i + 1
    return i


@_jit
def forget(voc: Interned, before: int) -> None:
    """Remove what a file that was not read has added: it would fill the vocabulary."""
    mask = len(voc.slots) - 1
    for i in range(voc.used[0] - 1, before - 1, -1):
        slot = _slot(voc, voc.hashes[i])
        while voc.slots[slot] != i:
            slot = (slot + 1) & mask
        voc.slots[slot] = -1
    voc.used[0] = before
