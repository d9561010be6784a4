"""The fast tokenizer: headers of many ordinary files at once, each value as a number.

Each distinct value (tag, VR, bytes, character set) is stored once: a header is a row of numbers.
Files that are unmarked, big endian, deflated or have unordered tags are left to `tokenizer`.
"""

from typing import Any

import numpy as np

from tagsight.arrays import Int32s, Int64s, UInt8s, UInt32s
from tagsight.dicom.header_texts import FRAME_GROUPS, PIXEL_REPRESENTATION, SHARED_GROUPS
from tagsight.dicom.part10 import CHARSET_TAG, PIXEL_TAGS, SYNTAX_TAG
from tagsight.dicom.tokenizer import MAX_DEPTH, UNDEFINED
from tagsight.reading.interning import (
    CODED,
    KINDS,
    LONG,
    NONE,
    ODD,
    SEQUENCE,
    SEQUENCES,
    TEXT,
    TEXTLESS,
    UNKNOWN,
    Interned,
    InternedRows,
    PixelPlaces,
    begins,
    forget,
    number_of,
    pixels,
    rows,
    vocabulary,
)
from tagsight.run.compiling import kernel

DONE, MORE, LEFT = 0, 1, 2  # read; more of the file is needed; left to the plain tokenizer
LONGEST = 4096  # bytes of a value
_DEFLATED = np.frombuffer(b"1.2.840.10008.1.2.1.99", np.uint8)
_DIRECTORY = np.frombuffer(b"1.2.840.10008.1.3.10", np.uint8)
_MEDIA, _UN = 0x00020002, 0x554E  # the latter's letters
_PIXELS = np.array(sorted(PIXEL_TAGS), np.uint32)
_DEEPEST = 2 * MAX_DEPTH
ItemEncoding = tuple[bool, int]  # implicit VR; the number of the character set

_jit: Any = kernel(nogil=True, boundscheck=False)


@_jit
def _u16(data: UInt8s, at: int) -> Any:
    return np.int64(data[at]) | np.int64(data[at + 1]) << 8


@_jit
def _u32(data: UInt8s, at: int) -> Any:
    return _u16(data, at) | _u16(data, at + 2) << 16


@_jit
def _letters(data: UInt8s, at: int) -> Any:
    """The two letters of the VR of an explicit element at `at`."""
    return np.int64(data[at + 4]) << 8 | np.int64(data[at + 5])


@_jit
def _is_in(tag: int, among: UInt32s) -> Any:
    place = np.searchsorted(among, tag)
    return place < len(among) and among[place] == tag


@_jit
def _head(data: UInt8s, at: int, implicit: bool) -> tuple[Any, Any, Any, Any]:
    """Tag, VR (0 = none, -1 = no VR that is known), place and length of the value."""
    tag = _u16(data, at) << 16 | _u16(data, at + 2)
    if implicit or tag >> 16 == 0xFFFE:
        return tag, 0, at + 8, _u32(data, at + 4)
    vr = _letters(data, at)
    if KINDS[vr] & ODD or vr == 0:
        return tag, -1, at + 8, 0
    if KINDS[vr] & LONG:
        return tag, vr, at + 12, _u32(data, at + 8)
    return tag, vr, at + 8, _u16(data, at + 6)


@_jit
def _skipped(data: UInt8s, at: Any, filled: int, implicit: bool) -> Any:
    """The end of a sequence; -1: more of the file is needed, -2: left to the plain tokenizer."""
    items = np.zeros(_DEEPEST + 2, np.uint8)  # of each open level: is it an item?
    depth = 1
    while depth > 0:
        if depth > _DEEPEST:
            return -2
        if at + 12 > filled and (at + 8 > filled or _u16(data, at) != 0xFFFE):
            return -1
        tag, vr, at, length = _head(data, at, implicit)
        if vr < 0 or vr == _UN:  # no known VR; UN, which may be implicit inside
            return -2
        in_item = items[depth - 1] == 1
        if tag == 0xFFFEE0DD:
            if in_item:
                return -2
            depth -= 1
        elif tag == 0xFFFEE00D and in_item:
            depth -= 1
        elif in_item == (tag == 0xFFFEE000):
            return -2
        elif length == UNDEFINED:
            items[depth] = 0 if in_item else 1
            depth += 1
        else:
            at = at + length
    return at


@_jit
def _variant(charset: int, signed: bool, data: UInt8s, at: int, end: int) -> Any:
    """What else a text depends on: the character set (if it is not ASCII), and the sign."""
    for i in range(at, end):
        if data[i] >= 128 or data[i] == 27:
            return charset << 1 | signed
    return np.int64(signed)


@_jit
def _wanted(tag: int, vr: int, length: int) -> bool:
    """Whether an element may have a text; private ones and lengths of groups have none."""
    if tag >> 16 & 1 or not tag & 0xFFFF:
        return False
    kind = KINDS[vr] & 3
    if vr == 0 or kind == UNKNOWN:
        group = tag >> 24
        if length > LONGEST and 0x50 <= group <= 0x60:
            return False  # overlays and curves
        return not _is_in(tag, TEXTLESS) or _is_in(tag, CODED)
    return kind == TEXT or (kind == SEQUENCE and _is_in(tag, CODED))


@_jit
def _meta(data: UInt8s, filled: int, voc: Interned, row: Int32s) -> tuple[int, int]:
    """Where the data set begins and the number of values in the row; or -1 and a status."""
    at, count = 132, 0
    while True:
        if at + 12 > filled:
            return -1, MORE
        if _u16(data, at) != 2:
            return (at, count) if count else (-1, LEFT)
        tag, vr, start, length = _head(data, at, False)
        at = start + length
        if vr < 0 or length == UNDEFINED:
            return -1, LEFT
        if at > filled:
            return -1, MORE
        if tag == _MEDIA and begins(data, start, at, _DIRECTORY):
            return -1, LEFT
        if tag == SYNTAX_TAG:
            if count or begins(data, start, at, _DEFLATED):
                return -1, LEFT
            row[0] = number_of(voc, tag, vr, 0, data, start, at)
            count = 1


@_jit
def _is_left(tag: int, last: int, vr: int, length: int) -> bool:
    """Whether an element, and so its file, is left to the plain tokenizer."""
    odd = vr < 0 or (vr == _UN and length == UNDEFINED) or tag >> 16 == 0xFFFE or tag >> 16 <= 4
    return odd or tag <= last


@_jit
def _first_item(data: UInt8s, at: int, end: int) -> Any:
    """Where a sequence's first item begins and ends at the latest; -1: left to the plain one.

    And whether a delimiter is to end it.
    """
    if at + 8 > end or (at + 8 == end and _u32(data, at) == 0xE0DDFFFE):
        return end, end, False
    if _u32(data, at) != 0xE000FFFE:
        return -1, -1, False
    length = _u32(data, at + 4)
    last = end if length == UNDEFINED else at + 8 + length
    return (at + 8, last, length == UNDEFINED) if last <= end else (-1, -1, False)


@_jit
def _next(data: UInt8s, at: int, last: int, delimited: bool, implicit: bool) -> Any:
    """Tag, VR, place, end of an item's next element before `last`; tag 0: its end, -1: left.

    delimited: whether a delimiter is to end the item.
    """
    if at + 8 > last or _u16(data, at) == 0xFFFE:
        closed = at + 8 > last or (delimited and _u16(data, at + 2) == 0xE00D)
        return (0 if closed else -1), 0, at, at
    if at + 12 > last and not implicit and KINDS[_letters(data, at)] & LONG:
        return -1, 0, at, at
    tag, vr, start, length = _head(data, at, implicit)
    if vr < 0 or (vr == _UN and length == UNDEFINED):
        return -1, 0, at, at
    end = _skipped(data, start, last, implicit) if length == UNDEFINED else start + length
    return (tag if 0 <= end <= last else -1), vr, start, end


@_jit
def _groups(
    data: UInt8s, at: int, end: int, encoding: ItemEncoding, voc: Interned, row: Int32s, count: int
) -> Any:
    """Add the values of functional groups: of the first item of each group in the first item.

    Returns the number of values in the row; -1 where it is left to the plain tokenizer.
    """
    at, last, delimited = _first_item(data, at, end)
    while at >= 0 and count >= 0:
        tag, _, start, at = _next(data, at, last, delimited, encoding[0])
        if tag == 0:
            return count
        if tag < 0:
            return -1
        if not tag >> 16 & 1 and _is_in(tag, SEQUENCES):
            start, stop, inner = _first_item(data, start, at)
            if start < 0:
                return -1
            count = _group(data, start, stop, inner, encoding, voc, row, count)
    return -1


@_jit
def _group(
    data: UInt8s,
    at: int,
    last: int,
    delimited: bool,
    encoding: ItemEncoding,
    voc: Interned,
    row: Int32s,
    count: int,
) -> Any:
    """Add the values of one item; -1 where it is left to the plain tokenizer."""
    while True:
        tag, vr, start, at = _next(data, at, last, delimited, encoding[0])
        if tag == 0:
            return count
        if tag < 0 or tag in (CHARSET_TAG, PIXEL_REPRESENTATION):
            return -1
        if not _wanted(tag, vr, at - start):
            continue
        if at - start > LONGEST or count == len(row):
            return -1
        variant = _variant(encoding[1], False, data, start, at)
        value = number_of(voc, tag, vr, variant, data, start, at)
        if value < 0:
            return -1
        row[count] = value
        count += 1


@_jit
def _file(  # noqa: PLR0912 - the loop that all time goes into
    data: UInt8s,
    filled: int,
    size: int,
    voc: Interned,
    row: Int32s,
    nested: Int32s,
    pixel_places: PixelPlaces,
    n: int,
) -> Any:
    """Status of a file, and the numbers of values in its row and of its functional groups."""
    if filled < 144 or _u32(data, 128) != 0x4D434944:  # DICM
        return LEFT, 0, 0
    short = MORE if filled < size else LEFT  # the rest is further on, or missing
    at, count = _meta(data, filled, voc, row)
    if at < 0 or data[at + 1] > data[at]:  # the latter is big endian
        return (short if count == MORE else LEFT), 0, 0
    implicit = KINDS[_letters(data, at)] & ODD != 0 or _letters(data, at) == 0
    charset, signed, last, inner = 0, False, 0, 0
    while at != size:
        if at + 12 > filled:
            return short, 0, 0
        tag, vr, start, length = _head(data, at, implicit)
        if vr >= 0 and _is_in(tag, _PIXELS):
            pixel_places.tags[n], pixel_places.vrs[n] = tag, max(vr, 0)
            pixel_places.places[n], pixel_places.lengths[n] = start, length
            return DONE, count, inner
        if _is_left(tag, last, vr, length):
            return LEFT, 0, 0
        last = tag
        at = start + length
        if length == UNDEFINED:
            at = _skipped(data, start, filled, implicit)
        if at < 0 or at > size:
            return (short if at == -1 else LEFT), 0, 0
        grouped = tag == SHARED_GROUPS or tag == FRAME_GROUPS  # noqa: PLR1714 - numba
        if not grouped and not _wanted(tag, vr, at - start):
            continue
        if not grouped and (at - start > LONGEST or count == len(row)):
            return LEFT, 0, 0
        if at > filled:
            return short, 0, 0
        if grouped:
            encoding = (implicit, np.int64(charset))
            inner = _groups(data, start, at, encoding, voc, nested, inner)
            if inner < 0:
                return LEFT, 0, 0
            continue
        by_sign = signed and tag > PIXEL_REPRESENTATION and KINDS[vr] & 3 in (NONE, UNKNOWN)
        variant = _variant(charset, by_sign, data, start, at)
        value = number_of(voc, tag, vr, variant, data, start, at)
        if value < 0:
            return LEFT, 0, 0
        row[count] = value
        count += 1
        charset = value + 1 if tag == CHARSET_TAG else charset
        signed = _has_one(data, start, at) if tag == PIXEL_REPRESENTATION else signed
    return DONE, count, inner


@_jit
def _has_one(data: UInt8s, at: int, end: int) -> bool:
    for i in range(at, end):  # noqa: SIM110 - numba
        if data[i] == 1:
            return True
    return False


@_jit
def scan(
    buffer: UInt8s,
    filled: Int64s,
    sizes: Int64s,
    voc: Interned,
    rows: InternedRows,
    status: UInt8s,
    pixel_places: PixelPlaces,
) -> None:
    """Read the headers at the start of n files.

    buffer: uint8 (n, w), starts of files; filled: int64 (n,), their bytes; sizes: int64 (n,), of
    the whole files; voc: gets the values that are new;
    rows: written, numbers of values in `voc`; pixel_places: written, the elements of pixels;
    status: uint8 (n,), written: DONE, MORE or LEFT.
    """
    for n in range(len(filled)):
        pixel_places.tags[n] = 0
        before = voc.used[0]
        status[n], rows.counts[n], rows.nested_counts[n] = _file(
            buffer[n], filled[n], sizes[n], voc, rows.values[n], rows.nested[n], pixel_places, n
        )
        if status[n] != DONE and voc.used[0] > before:
            forget(voc, before)


def load() -> None:
    """Load the machine code from numba's cache, or compile it."""
    empty, status = np.zeros(0, np.int64), np.zeros(0, np.uint8)
    scan(np.zeros((0, 0), np.uint8), empty, empty, vocabulary(), rows(0), status, pixels(0))
