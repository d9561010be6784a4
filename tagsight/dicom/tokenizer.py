"""The plain tokenizer: from bytes to data elements (PS3.5 7); values are read only on demand.

It never recurses, never trusts a length, and skips what is not needed. `fast_tokenizer` does the
same for ordinary files many times faster; this one is its reference, and reads all other files.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from pydicom.valuerep import VR

from tagsight.archive.source import Source
from tagsight.rejections import Rejection

UNDEFINED = 0xFFFFFFFF
MAX_DEPTH = 48
MAX_VALUE = 64 * 2**20
MAX_ELEMENTS = 300_000  # and items of a file: more than any useful header has
LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # PS3.5 7.1.2
KNOWN_VRS = frozenset(vr.encode() for vr in VR if len(vr) == 2)  # PS3.5 6.2
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_CHUNK = 32 * 2**10  # covers 94 % of headers


class ByteOrder(NamedTuple):
    """How elements are encoded: with implicit VR or not, little endian or not."""

    implicit: bool
    little: bool


class Element(NamedTuple):
    """A data element: its VR (None where the file has none that is known), place and length.

    `length` of a value of undefined length is as measured, with its delimiter.
    """

    vr: str | None
    place: int
    length: int
    encoding: ByteOrder  # of its items, if it is a sequence


class Head(NamedTuple):
    """What precedes a value; `length` as written in the file."""

    tag: int
    vr: str | None
    place: int
    length: int


class Window:
    """A part of a source in memory, moved on demand; counts the elements that are read.

    strays: whether a delimiter was met where nothing was open, and passed over.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.size = source.size
        self.elements_left = MAX_ELEMENTS
        self.strays = False
        self._data = source.pread(_CHUNK, 0)
        self._base = 0

    def take(self, place: int, length: int) -> bytes:
        """Return at most `length` bytes from `place` on: fewer where the source ends."""
        start = place - self._base
        if start < 0 or start + length > len(self._data):
            if length > _CHUNK:
                return self.source.pread(length, place)
            self._data, self._base, start = self.source.pread(_CHUNK, place), place, 0
        return self._data[start : start + length]

    def glance(self, place: int, length: int) -> bytes:
        """Return what `take` does, without moving there."""
        start = place - self._base
        if start >= 0 and start + length <= len(self._data):
            return self._data[start : start + length]
        return self.source.pread(length, place)

    def value(self, element: Element) -> bytes:
        """Return the bytes of an element's value.

        Raises Rejection where they are more than 64 MiB, or no longer in the source.
        """
        if element.length > MAX_VALUE:
            raise Rejection("too_large", "value")
        data = self.take(element.place, element.length)
        if len(data) < element.length:
            raise Rejection("truncated")
        return data

    def head(self, place: int, encoding: ByteOrder) -> Head:
        """Return the head of the element or item at `place`.

        Raises Rejection where the source ends, or has more than MAX_ELEMENTS.
        """
        self.elements_left -= 1
        if self.elements_left < 0:
            raise Rejection("too_large", "elements")
        data = self.take(place, 12)
        if len(data) < 8:
            raise Rejection("truncated")
        order = "<" if encoding.little else ">"
        group, number, letters, short = struct.unpack_from(f"{order}HH2sH", data)
        tag = group << 16 | number
        if encoding.implicit or group == 0xFFFE:
            return Head(tag, None, place + 8, struct.unpack_from(f"{order}I", data, 4)[0])
        if letters not in KNOWN_VRS:
            return self._odd(tag, letters, data, place, order)
        if letters not in LONG_VRS:
            return Head(tag, letters.decode(), place + 8, short)
        if len(data) < 12:
            raise Rejection("truncated")
        return Head(tag, letters.decode(), place + 12, struct.unpack_from(f"{order}I", data, 8)[0])

    def _odd(self, tag: int, letters: bytes, data: bytes, place: int, order: str) -> Head:
        """The head of an explicit element whose VR is none that PS3.5 knows.

        What cannot be letters is a length: some writers switch to implicit VR within sequences.
        New VRs have the long form (PS3.5 7.1.2), `??`, blanks and NULs the short one in most files.
        Of these forms the first is taken after whose value an element, an item or the end follows,
        else the first whose value fits. The VR is then the dictionary's.
        """
        whole, short = struct.unpack_from(f"{order}I", data, 4)[0], data[6:8]
        implicit = (place + 8, whole)
        if letters != b"\0\0" and not all(32 <= letter < 127 for letter in letters):
            return Head(tag, None, *implicit)
        forms = [(place + 8, struct.unpack(f"{order}H", short)[0]), implicit]
        if short == b"\0\0" and len(data) == 12:
            forms.insert(0, (place + 12, struct.unpack_from(f"{order}I", data, 8)[0]))
        followed = [form for form in forms if self._follows(*form, order)]
        if not letters.isalpha():
            forms.reverse()
        fitting = [form for form in forms if form[1] == UNDEFINED or sum(form) <= self.size]
        return Head(tag, None, *[*followed, *fitting, implicit][0])

    def _follows(self, place: int, length: int, order: str) -> bool:
        """Whether an explicit element, an item, a delimiter or the end is where a value ends."""
        at = place if length == UNDEFINED else place + length
        if at >= self.size:
            return at == self.size
        head = self.glance(at, 8)
        (group,) = struct.unpack_from(f"{order}H", head) if len(head) == 8 else (0,)
        return group == 0xFFFE or (head[4:6] in KNOWN_VRS and length != UNDEFINED)


def elements(
    window: Window, place: int, end: int, encoding: ByteOrder, stop: frozenset[int] = frozenset()
) -> Iterator[tuple[int, Element]]:
    """Yield tags and elements from `place` to `end`.

    A delimiter before `end` closes nothing: some writers end a sequence of explicit length by one.
    It is passed over.
    An element whose tag is in `stop` is the last, with the length that is written in the file.
    Raises Rejection where a value reaches beyond `end`, or delimiters are misplaced.
    """
    while place + 8 <= end:
        tag, vr, start, length = window.head(place, encoding)
        if tag in (ITEM_END, SEQUENCE_END):
            window.strays |= start < end
            place = start
            continue
        inside = inner(vr, length, encoding)
        if tag in stop:
            yield tag, Element(vr, start, length, inside)
            return
        place = end_of(window, start, end, length, inside)
        yield tag, Element(vr, start, place - start, inside)


def inner(vr: str | None, length: int, encoding: ByteOrder) -> ByteOrder:
    """Return the encoding inside a sequence: the same as around it, with one exception.

    UN of undefined length is implicit little endian (PS3.5 6.2.2 note).
    """
    return ByteOrder(True, True) if vr == "UN" and length == UNDEFINED else encoding


def end_of(window: Window, place: int, end: int, length: int, encoding: ByteOrder) -> int:
    """Return where a value at `place` ends, with its delimiter.

    Raises Rejection where that is beyond `end`.
    """
    if length == UNDEFINED:
        return _end_of_undefined(window, place, end, encoding)
    if place + length > end:
        raise Rejection("truncated")
    return place + length


def _end_of_undefined(window: Window, place: int, end: int, encoding: ByteOrder) -> int:
    """Follow delimiters with a stack: for each open level whether it is an item.

    The end of a sequence ends an item that is open in it, too, unless a sequence of explicit length
    is just behind: then it closes nothing and is passed over, as the end of an item is where none
    is open.
    """
    levels, behind = [(False, encoding)], False
    while levels:
        if len(levels) > 2 * MAX_DEPTH:
            raise Rejection("too_deep")
        in_item, encoding = levels[-1]
        tag, vr, place, length = window.head(place, encoding)
        if tag in (ITEM_END, SEQUENCE_END):
            stray = behind if in_item and tag == SEQUENCE_END else tag == ITEM_END and not in_item
            window.strays |= stray
            if not stray:
                del levels[-2 if in_item and tag == SEQUENCE_END else -1 :]
            behind = False
        elif in_item == (tag == ITEM):
            raise Rejection("bad_header", "delimiters")
        elif length == UNDEFINED:
            levels.append((not in_item, inner(vr, length, encoding)))
            behind = False
        else:
            behind = in_item and _is_sequence(window, vr, place, length, encoding)
            place += length
        if place > end:
            raise Rejection("truncated")
    return place


def _is_sequence(
    window: Window, vr: str | None, place: int, length: int, encoding: ByteOrder
) -> bool:
    """Whether a value of explicit length holds items."""
    item = b"\xfe\xff\0\xe0" if encoding.little else b"\xff\xfe\xe0\0"
    return vr == "SQ" or (vr in (None, "UN") and length >= 8 and window.glance(place, 4) == item)


def items(window: Window, sequence: Element) -> Iterator[Iterator[tuple[int, Element]]]:
    """Yield the items of a sequence, each as an iterator of elements, read only on demand.

    Raises Rejection where the value is no sequence.
    """
    place, end = sequence.place, sequence.place + sequence.length
    while place + 8 <= end:
        tag, _, start, length = window.head(place, sequence.encoding)
        if tag in (ITEM_END, SEQUENCE_END):
            window.strays |= start < end
            place = start
            continue
        if tag != ITEM:
            raise Rejection("bad_header", "no item")
        if length != UNDEFINED and start + length > end:
            raise Rejection("truncated")
        place = (
            start + length if length != UNDEFINED else _end_of_item(window, start, end, sequence)
        )
        yield elements(window, start, place, sequence.encoding)


def _end_of_item(window: Window, place: int, end: int, sequence: Element) -> int:
    """Where an item of undefined length ends: at its delimiter, or at the end of its sequence.

    Another delimiter of a sequence, none of which is open in it, is passed over.
    """
    while place + 8 <= end:
        tag, vr, start, length = window.head(place, sequence.encoding)
        if tag == ITEM_END:
            return start
        if tag == SEQUENCE_END:
            if start >= end:
                return place
            place, window.strays = start, True
            continue
        place = end_of(window, start, end, length, inner(vr, length, sequence.encoding))
    return end
