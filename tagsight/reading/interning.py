"""The arrays of the fast tokenizer: what it looks up (PS3.5, PS3.6), and what it writes into."""

from typing import NamedTuple

import numpy as np

from tagsight.arrays import Int32s, Int64s, UInt8s, UInt16s, UInt32s, UInt64s
from tagsight.dicom.dictionary import vrs_of_tags
from tagsight.dicom.header_texts import READ_SEQUENCES
from tagsight.dicom.tokenizer import LONG_VRS
from tagsight.dicom.values import has_text

MAX_VALUES = 2**18
MAX_ARENA = 2**26
MAX_ROW = 1024  # values of a header
MAX_NESTED = 256  # values of its functional groups
_SLOTS = 2**20

NONE, TEXT, SEQUENCE, UNKNOWN, LONG = 0, 1, 2, 3, 4  # kinds of VR, and a flag


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
    kinds = np.zeros(2**16, np.uint8)
    for first in range(65, 91):
        for second in range(65, 91):
            letters = bytes([first, second])
            kind = TEXT if has_text(letters.decode()) else NONE
            kind = {b"SQ": SEQUENCE, b"UN": UNKNOWN}.get(letters, kind)
            kinds[first << 8 | second] = kind | (LONG if letters in LONG_VRS else 0)
    return kinds


def _tags_without_text() -> UInt32s:
    """Tags of sequences and bulk values, sorted: with implicit VR they look like texts."""
    vrs = vrs_of_tags().items()
    return np.array(sorted(t for t, vr in vrs if not has_text(vr.split(" or ")[0])), np.uint32)


KINDS = _kinds_of_vrs()
TEXTLESS = _tags_without_text()
SEQUENCES = np.array(sorted(t for t, vr in vrs_of_tags().items() if vr == "SQ"), np.uint32)
CODED = np.array(sorted(READ_SEQUENCES), np.uint32)
