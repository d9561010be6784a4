"""The header of a DICOM file: the places of its data elements and of its pixels.

It takes Part 10 files (PS3.10 7.1), also those without preamble or meta header, and those whose
transfer syntax is not the one that they name. Nothing in a file is trusted: any fault ends in a
Rejection, with a reason of the closed list.
"""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import BinaryIO

from pydicom import config
from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_has_tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from tagsight.archive.opening import open_source
from tagsight.archive.source import BytesSource, Source
from tagsight.dicom import tokenizer
from tagsight.dicom.tokenizer import KNOWN_VRS, MAX_VALUE, ByteOrder, Element, Window
from tagsight.rejections import Rejection

PIXEL_TAGS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}
PIXEL_TAGS |= {0x7FE00010: "PixelData"}
SYNTAX_TAG, CHARSET_TAG = 0x00020010, 0x00080005
MAX_INFLATED = 256 * 2**20
_META = ByteOrder(implicit=False, little=True)  # PS3.10 7.1; some writers omit the VRs
_STOP = frozenset(PIXEL_TAGS)

# pydicom's messages about odd values quote the values.
config.settings.reading_validation_mode = config.IGNORE
config.logger.setLevel("CRITICAL")
warnings.filterwarnings("ignore", module="pydicom")


@dataclass(frozen=True)
class Pixels:
    """Where the pixel data are in the source: offset and length of the value in bytes."""

    keyword: str
    vr: str
    offset: int
    length: int  # tokenizer.UNDEFINED where encapsulated


@dataclass(frozen=True)
class ParsedFile:
    """A file's top-level elements up to the pixel data, and the source of their values."""

    elements: dict[int, Element]
    meta: dict[int, bytes]
    syntax: UID
    encoding: ByteOrder
    pixels: Pixels | None
    window: Window = field(repr=False)
    file: Source = field(repr=False)

    @property
    def little(self) -> bool:
        """Return whether the data set is little endian."""
        return self.encoding.little

    @property
    def size(self) -> int:
        """Return the size in bytes of the data set's source: the file, or what it unpacks to."""
        return self.window.size

    @cached_property
    def source(self) -> BinaryIO:
        """Return a binary file over the data set's source, for decoders."""
        return self.window.source.file()

    @cached_property
    def encodings(self) -> tuple[str, ...]:
        """Return Python's names of the data set's character sets."""
        element = self.elements.get(CHARSET_TAG)
        return character_sets(self.window.value(element)) if element else (default_encoding,)


@contextmanager
def open_header(path: str) -> Iterator[ParsedFile]:
    """Open a file and yield its parsed header.

    path: in text form, see `archive.paths`.
    Raises Rejection where anything is wrong with the file.
    """
    with open_source(path) as source:
        yield parse(source)


def parse(source: Source) -> ParsedFile:
    """Return the header of an open file.

    Raises Rejection where anything is wrong with it.
    """
    window = Window(source)
    start = _start(window)
    meta, place = _meta(window, start or 0)
    syntax = _syntax(meta)
    if syntax == DeflatedExplicitVRLittleEndian:
        window, place = Window(_inflated(source, place)), 0
    head = window.take(place, 6)
    if len(head) < 6:
        raise Rejection("truncated")
    encoding = _encoding(head)
    if encoding.implicit and _is_explicit(window, place, syntax):
        encoding = ByteOrder(implicit=False, little=syntax != ExplicitVRBigEndian)
    elements, pixels = _elements(window, place, encoding, marked=start is not None)
    return ParsedFile(
        elements=elements,
        meta=meta,
        syntax=syntax or _syntax_by(encoding),
        encoding=encoding,
        pixels=pixels,
        window=window,
        file=source,
    )


def _start(window: Window) -> int | None:
    """Place of the first element; None (it is at 0) where the file has no mark `DICM`.

    Without preamble and mark (PS3.10 7.1) the first element itself has to look like DICOM.
    """
    head = window.take(0, 132)
    if head[128:] == b"DICM":
        return 132
    if head[:4] == b"DICM":
        return 4
    if len(head) < 8 or not _looks_like_an_element(head):
        raise Rejection("not_dicom")
    return None


def _looks_like_an_element(head: bytes) -> bool:
    """Whether it is of group 0002 or 0008, with a VR or a short length after its tag."""
    group, element = struct.unpack("<HH", head[:4])
    if head[4:6] in KNOWN_VRS:
        return {group, group >> 8} & {2, 8} != set()
    length = int(struct.unpack("<I", head[4:8])[0])
    return group in (2, 8) and element <= 0x0100 and length <= 0x400


def _meta(window: Window, place: int) -> tuple[dict[int, bytes], int]:
    """The values of group 0002 by tag, and where the data set begins."""
    values: dict[int, bytes] = {}
    while window.take(place, 2) == b"\2\0":
        tag, _, start, length = window.head(place, _META)
        place = tokenizer.end_of(window, start, window.size, length, _META)
        values[tag] = window.take(start, min(length, MAX_VALUE))
    return values, place


def _syntax(meta: dict[int, bytes]) -> UID | None:
    value = meta.get(SYNTAX_TAG, b"").decode("ascii", "replace").strip("\0 ")
    return UID(value) if value else None


def _inflated(source: Source, place: int) -> BytesSource:
    """The data set that the deflated rest of a file unpacks to, up to MAX_INFLATED bytes."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = unpacker.decompress(source.pread(MAX_VALUE, place), MAX_INFLATED)
    except zlib.error as error:
        raise Rejection("bad_header", "deflated") from error
    if not unpacker.eof:
        raise Rejection("too_large" if len(data) == MAX_INFLATED else "truncated", "deflated")
    return BytesSource(data, source.mtime_ns)


def _elements(
    window: Window, place: int, encoding: ByteOrder, *, marked: bool
) -> tuple[dict[int, Element], Pixels | None]:
    """The elements by tag (the last one of a repeated tag, as in pydicom), and the pixels."""
    by_tag: dict[int, Element] = {}
    pixels: Pixels | None = None
    try:
        for tag, element in tokenizer.elements(window, place, window.size, encoding, _STOP):
            if tag in _STOP:
                pixels = Pixels(PIXEL_TAGS[tag], element.vr or "OW", element.place, element.length)
            else:
                by_tag[tag] = element
    except Rejection as rejection:
        if marked or len(by_tag) > 2:
            raise
        raise Rejection("not_dicom") from rejection
    if not marked and sum(map(dictionary_has_tag, by_tag)) < 3:
        raise Rejection("not_dicom")
    if not by_tag and pixels is None:
        raise Rejection("truncated")
    return by_tag, pixels


def _encoding(head: bytes) -> ByteOrder:
    """The encoding, from the first element's bytes: the transfer syntax may be wrong.

    A group number is below 0x0100 at the start of a data set, so its zero byte shows the order.
    """
    implicit = head[4:6] not in KNOWN_VRS
    return ByteOrder(implicit, implicit or head[1] <= head[0])


def _is_explicit(window: Window, place: int, syntax: UID | None) -> bool:
    """Whether only the VR of the first element is one that PS3.5 lacks, as the syntax says."""
    if syntax is None or not syntax.is_transfer_syntax or syntax.is_implicit_VR:
        return False
    explicit = ByteOrder(implicit=False, little=syntax != ExplicitVRBigEndian)
    _, _, start, length = window.head(place, explicit)
    after = window.take(start + length, 6)
    return after[4:6] in KNOWN_VRS


def _syntax_by(encoding: ByteOrder) -> UID:
    if encoding.implicit:
        return UID("1.2.840.10008.1.2")
    return UID("1.2.840.10008.1.2.1" if encoding.little else "1.2.840.10008.1.2.2")


def character_sets(value: bytes) -> tuple[str, ...]:
    """Return Python's names of the character sets in a value of (0008,0005), Latin-1 if unknown."""
    printable = bytes(byte for byte in value if 32 <= byte < 127)  # pydicom fails on a NUL
    names = [part.strip() for part in printable.decode("ascii").split("\\")]
    return tuple(convert_encodings(names))
