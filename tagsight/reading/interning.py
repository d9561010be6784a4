"""What the fast tokenizer looks up (PS3.5, PS3.6), and what it writes into."""

from typing import NamedTuple

import numpy as np

from tagsight.dicom.dictionary import vrs_of_tags
from tagsight.dicom.header_texts import CODED_TAGS
from tagsight.dicom.tokenizer import LONG_VRS
from tagsight.dicom.values import has_text

MAX_VALUES = 2**18
MAX_ARENA = 2**26
MAX_ROW = 1024  # values of a header
MAX_NESTED = 256  # values of its functional groups
_SLOTS = 2**20

NONE, TEXT, SEQUENCE, UNKNOWN, LONG = 0, 1, 2, 3, 4  # kinds of VR, and a flag


def vr_of(letters: int) -> str | None:
    """The VR whose two letters these are; None of an implicit element."""
    return chr(letters >> 8) + chr(letters & 255) if letters else None


class Interned(NamedTuple):
    """All different values seen: of value i the bytes are `arena[starts[i]:starts[i + 1]]`."""

    slots: np.ndarray  # int32 (2**20,), -1 = free
    hashes: np.ndarray  # uint64 (v,)
    tags: np.ndarray  # uint32 (v,)
    vrs: np.ndarray  # uint16 (v,), the two letters, 0 = implicit
    variants: np.ndarray  # int32 (v,)
    starts: np.ndarray  # int64 (v + 1,)
    arena: np.ndarray  # uint8
    used: np.ndarray  # int64 (1,), how many values there are


class PixelPlaces(NamedTuple):
    """Of each file of a batch the pixel element; tag 0 where there is none."""

    tags: np.ndarray  # uint32 (n,)
    vrs: np.ndarray  # uint16 (n,)
    places: np.ndarray  # int64 (n,)
    lengths: np.ndarray  # int64 (n,)


class InternedRows(NamedTuple):
    """Of each file of a batch the numbers of its values, in the order of the file."""

    values: np.ndarray  # int32 (n, 1024), of the top level
    counts: np.ndarray  # int64 (n,)
    nested: np.ndarray  # int32 (n, 256), of functional groups: shared, then of the first frame
    nested_counts: np.ndarray  # int64 (n,)


def rows(n: int) -> InternedRows:
    """Room for n files."""
    return InternedRows(
        np.zeros((n, MAX_ROW), np.int32),
        np.zeros(n, np.int64),
        np.zeros((n, MAX_NESTED), np.int32),
        np.zeros(n, np.int64),
    )


def vocabulary() -> Interned:
    """An empty one."""
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
    """Room for the pixels of n files."""
    return PixelPlaces(
        np.zeros(n, np.uint32), np.zeros(n, np.uint16), np.zeros(n, np.int64), np.zeros(n, np.int64)
    )


def _kinds_of_vrs() -> np.ndarray:  # uint8 (65536,), by the two letters
    kinds = np.zeros(2**16, np.uint8)
    for first in range(65, 91):
        for second in range(65, 91):
            letters = bytes([first, second])
            kind = TEXT if has_text(letters.decode()) else NONE
            kind = {b"SQ": SEQUENCE, b"UN": UNKNOWN}.get(letters, kind)
            kinds[first << 8 | second] = kind | (LONG if letters in LONG_VRS else 0)
    return kinds


def _tags_without_text() -> np.ndarray:  # uint32, sorted
    """What an implicit file does not say of a tag: that it is a sequence, or bulk."""
    vrs = vrs_of_tags().items()
    return np.array(sorted(t for t, vr in vrs if not has_text(vr.split(" or ")[0])), np.uint32)


KINDS = _kinds_of_vrs()
TEXTLESS = _tags_without_text()
SEQUENCES = np.array(sorted(t for t, vr in vrs_of_tags().items() if vr == "SQ"), np.uint32)
CODED = np.array(sorted(CODED_TAGS), np.uint32)
