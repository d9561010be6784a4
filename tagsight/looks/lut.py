"""Lookup tables of a header: palettes, modality and VOI tables (PS3.3 C.7.6.3.1.5, C.11.1, C.11.2).

Read from the bytes, since headers are often wrong about them: the VR (US, SS, OW, none) and the
bits of an entry (8 where words hold 16, or the reverse).
"""

import struct
from itertools import islice
from typing import NamedTuple

import numpy as np

from tagsight.dicom.dictionary import expanded_lut
from tagsight.dicom.part10 import ParsedFile
from tagsight.dicom.tokenizer import Element, items
from tagsight.rejections import Rejection

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_PALETTE = 0x00281101  # descriptor of the red one; green and blue follow
_COLOURS, _SEGMENTED = 0x100, 0x120  # offsets of tags, from a descriptor to its entries
_DESCRIPTOR, _DATA = 0x00283002, 0x00283006
MODALITY, VOI = 0x00283000, 0x00283010


class LookupTable(NamedTuple):
    """A lookup table.

    first: the stored value that is mapped to the first entry; entries: unsigned integers, or
    float32, (n,).
    """

    first: int
    entries: np.ndarray

    def of(self, array: np.ndarray) -> np.ndarray:
        """Return the entries for an array of integers; beyond the table its first or last entry."""
        top = len(self.entries) - 1
        if array.dtype == np.uint64:
            array = np.minimum(array, np.uint64(2**62))
        wide = array.astype(np.int32 if array.dtype.itemsize < 4 else np.int64)
        return np.asarray(self.entries[np.clip(wide - self.first, 0, top)])

    @property
    def white(self) -> int:
        """The largest value of the bits in use, at least 8 bits."""
        return int(2 ** max(int(self.entries.max()).bit_length(), 8) - 1)


def table(parsed: ParsedFile, sequence: int, *, signed: bool) -> LookupTable | None:
    """Return the first table of a sequence; None where it has no usable table.

    sequence: MODALITY or VOI; signed: whether the values that it maps may be negative.
    Raises Rejection where the sequence cannot be read.
    """
    if sequence not in parsed.elements:
        return None
    for item in islice(items(parsed.window, parsed.elements[sequence]), 1):
        elements = dict(item)
        if _DESCRIPTOR in elements and _DATA in elements:
            data = parsed.window.value(elements[_DATA])
            return _table(parsed, elements[_DESCRIPTOR], data, signed=signed)
    return None


def palette(parsed: ParsedFile, *, signed: bool) -> LookupTable:
    """Return the luma of a palette's colours: float32, 0 to 255.

    signed: whether the values that it maps may be negative.
    Raises Rejection (unsupported_pixels) where the palette is missing or cut.
    """
    channels = [_colour(parsed, _PALETTE + number, signed=signed) for number in range(3)]
    colours = [channel for channel in channels if channel is not None]
    if len({len(colour.entries) for colour in colours}) != 1 or len(colours) != 3:
        raise Rejection("unsupported_pixels", "palette")
    white = 255 if max(colour.white for colour in colours) == 255 else 65535
    entries = np.stack([colour.entries for colour in colours], axis=1)
    return LookupTable(colours[0].first, entries @ (LUMA * np.float32(255 / white)))


def _colour(parsed: ParsedFile, tag: int, *, signed: bool) -> LookupTable | None:
    elements, window = parsed.elements, parsed.window
    if tag not in elements:
        return None
    if tag + _COLOURS in elements:
        data = window.value(elements[tag + _COLOURS])
    elif tag + _SEGMENTED in elements:
        data = _expanded(parsed, elements[tag], window.value(elements[tag + _SEGMENTED]))
    else:
        return None
    return _table(parsed, elements[tag], data, signed=signed)


def _expanded(parsed: ParsedFile, descriptor: Element, segments: bytes) -> bytes:
    """The entries of a segmented palette (PS3.3 C.7.9.2), expanded."""
    bits = parsed.window.value(descriptor)[4:6]
    kind = "B" if 8 in bits else "H"
    size = struct.calcsize(kind)
    count = len(segments) // size
    layout = f"{_order(parsed)}{count}{kind}"
    numbers = struct.unpack(layout, segments[: count * size])
    entries = np.array(expanded_lut(numbers, layout)[: 2**16], np.uint16)
    return entries.astype(_order(parsed) + "u2").tobytes()


def _order(parsed: ParsedFile) -> str:
    return "<" if parsed.little else ">"


def _table(
    parsed: ParsedFile, descriptor: Element, data: bytes, *, signed: bool
) -> LookupTable | None:
    """The table of a descriptor (count, first, bits) and its entries."""
    head = parsed.window.value(descriptor)
    if len(head) < 6 or len(data) < 2:
        return None
    signed = signed or descriptor.vr == "SS"
    count, first = struct.unpack_from(_order(parsed) + ("Hh" if signed else "HH"), head)
    count = count or 2**16
    words = np.frombuffer(data[: len(data) // 2 * 2], _order(parsed) + "u2")
    if len(words) < count <= len(data):  # packed bytes, the lower of a word first
        words = np.frombuffer(words.astype("<u2").tobytes() + data[len(data) // 2 * 2 :], "u1")
    return LookupTable(first, words[:count].astype(np.uint16))
