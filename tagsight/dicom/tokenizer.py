"""The plain tokenizer: from bytes to data elements (PS3.5 7); values are read only on demand.

It never recurses, never trusts a length, and skips what is not needed. `fast_tokenizer` does the
same for ordinary files many times faster; this one is its reference, and reads all other files.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from tagsight.archive.source import Source
from tagsight.rejections import Rejection

UNDEFINED = 0xFFFFFFFF
MAX_DEPTH = 48
MAX_VALUE = 64 * 2**20
MAX_ELEMENTS = 300_000  # and items of a file: more than any useful header has
LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # PS3.5 7.1.2
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_CHUNK = 32 * 2**10  # covers 94 % of headers


class ByteOrder(NamedTuple):
    """How elements are encoded: with implicit VR or not, little endian or not."""

    implicit: bool
    little: bool


class Element(NamedTuple):
    """A data element: its VR (None where the file has none), place and length of its value.

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
    """A part of a source in memory, moved on demand; counts the elements that are read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.size = source.size
        self.elements_left = MAX_ELEMENTS
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

        An explicit element without the two letters of a VR is read as an implicit one, as some
        writers switch within sequences.
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
        if encoding.implicit or group == 0xFFFE or not _is_vr(letters):
            return Head(tag, None, place + 8, struct.unpack_from(f"{order}I", data, 4)[0])
        if letters not in LONG_VRS:
            return Head(tag, letters.decode(), place + 8, short)
        if len(data) < 12:
            raise Rejection("truncated")
        return Head(tag, letters.decode(), place + 12, struct.unpack_from(f"{order}I", data, 8)[0])


def _is_vr(letters: bytes) -> bool:
    return letters.isalpha() and letters.isupper()


def elements(
    window: Window, place: int, end: int, encoding: ByteOrder, stop: frozenset[int] = frozenset()
) -> Iterator[tuple[int, Element]]:
    """Yield tags and elements from `place` to `end`, or to the end of their item.

    An element whose tag is in `stop` is the last, with the length that is written in the file.
    Raises Rejection where a value reaches beyond `end`, or delimiters are misplaced.
    """
    while place + 8 <= end:
        tag, vr, start, length = window.head(place, encoding)
        if tag in (ITEM_END, SEQUENCE_END):
            return
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
    """Follow delimiters with a stack: for each open level whether it is an item."""
    levels = [(False, encoding)]
    while levels:
        if len(levels) > 2 * MAX_DEPTH:
            raise Rejection("too_deep")
        in_item, encoding = levels[-1]
        tag, vr, place, length = window.head(place, encoding)
        if tag == SEQUENCE_END:
            del levels[-2 if in_item else -1 :]
        elif tag == ITEM_END and in_item:
            levels.pop()
        elif in_item == (tag == ITEM):
            raise Rejection("bad_header", "delimiters")
        elif length == UNDEFINED:
            levels.append((not in_item, inner(vr, length, encoding)))
        else:
            place += length
        if place > end:
            raise Rejection("truncated")
    return place


def items(window: Window, sequence: Element) -> Iterator[Iterator[tuple[int, Element]]]:
    """Yield the items of a sequence, each as an iterator of elements, read only on demand.

    Raises Rejection where the value is no sequence.
    """
    place, end = sequence.place, sequence.place + sequence.length
    while place + 8 <= end:
        tag, _, start, length = window.head(place, sequence.encoding)
        if tag == SEQUENCE_END:
            return
        if tag != ITEM:
            raise Rejection("bad_header", "no item")
        if length != UNDEFINED and start + length > end:
            raise Rejection("truncated")
        place = (
            start + length if length != UNDEFINED else _end_of_item(window, start, end, sequence)
        )
        yield elements(window, start, place, sequence.encoding)


def _end_of_item(window: Window, place: int, end: int, sequence: Element) -> int:
    """Where an item of undefined length ends."""
    while True:
        tag, vr, start, length = window.head(place, sequence.encoding)
        if tag in (ITEM_END, SEQUENCE_END):
            return start if tag == ITEM_END else place
        place = end_of(window, start, end, length, inner(vr, length, sequence.encoding))
