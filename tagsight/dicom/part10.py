"""From a file to its header: where each data element is, and where the pixels are.

Part 10 files (PS3.10 7.1), and what goes by that name: without preamble, without meta header, of
another transfer syntax than they say. Nothing of a file is believed: whatever is wrong with it
ends in `Refused`, with a reason of the closed list.
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
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian
from pydicom.valuerep import VR

from tagsight.archive.opening import open_source
from tagsight.archive.source import BytesSource, Source
from tagsight.dicom import tokenizer
from tagsight.dicom.tokenizer import MAX_VALUE, ByteOrder, Element, Window
from tagsight.rejections import Rejection

PIXEL_TAGS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}
PIXEL_TAGS |= {0x7FE00010: "PixelData"}
SYNTAX_TAG, CHARSET_TAG = 0x00020010, 0x00080005
MAX_INFLATED = 256 * 2**20
_META = ByteOrder(implicit=False, little=True)  # PS3.10 7.1; some writers leave the VRs out
_KNOWN_VRS = {vr.encode() for vr in VR if len(vr) == 2}
_STOP = frozenset(PIXEL_TAGS)

# What pydicom says of values that it finds odd quotes them.
config.settings.reading_validation_mode = config.IGNORE
config.logger.setLevel("CRITICAL")
warnings.filterwarnings("ignore", module="pydicom")


@dataclass(frozen=True)
class Pixels:
    """Where the pixel data lie in the source: offset and length of the value in bytes."""

    keyword: str
    vr: str
    offset: int
    length: int  # tokens.UNDEFINED where encapsulated


@dataclass(frozen=True)
class Parsed:
    """A file's top-level elements up to the pixel data, and what their values are read from."""

    elements: dict[int, Element]
    meta: dict[int, bytes]
    syntax: UID
    encoding: ByteOrder
    pixels: Pixels | None
    window: Window = field(repr=False)
    opened: Source = field(repr=False)

    @property
    def little(self) -> bool:
        """Whether the data set is little endian."""
        return self.encoding.little

    @property
    def size(self) -> int:
        """Bytes of the data set's source: of the file, or of what it unpacks to."""
        return self.window.size

    @cached_property
    def source(self) -> BinaryIO:
        """A binary file over the data set's source, for decoders."""
        return self.window.source.file()

    @cached_property
    def encodings(self) -> tuple[str, ...]:
        """Python's names of the data set's character sets."""
        element = self.elements.get(CHARSET_TAG)
        return character_sets(self.window.value(element)) if element else (default_encoding,)


@contextmanager
def opened(path: str) -> Iterator[Parsed]:
    """The parsed header of a file; `path` in text form (see `archive.to_text`).

    Raises:
        Refused: whatever is wrong with the file.
    """
    with open_source(path) as source:
        yield parse(source)


def parse(source: Source) -> Parsed:
    """The header of an open file.

    Raises:
        Refused: whatever is wrong with it.
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
    elements, pixels = _elements(window, place, encoding, marked=start is not None)
    return Parsed(
        elements=elements,
        meta=meta,
        syntax=syntax or _guessed(encoding),
        encoding=encoding,
        pixels=pixels,
        window=window,
        opened=source,
    )


def _start(window: Window) -> int | None:
    """Where the first element is; None (at 0) where the file bears no mark of DICOM.

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
    """The first element is of group 0002 or 0008, with a VR or a short length after its tag."""
    group, element = struct.unpack("<HH", head[:4])
    if head[4:6] in _KNOWN_VRS:
        return {group, group >> 8} & {2, 8} != set()
    length = int(struct.unpack("<I", head[4:8])[0])
    return group in (2, 8) and element <= 0x0100 and length <= 0x400


def _meta(window: Window, place: int) -> tuple[dict[int, bytes], int]:
    """The values of group 0002, and where the data set begins."""
    found: dict[int, bytes] = {}
    while window.take(place, 2) == b"\2\0":
        tag, _, start, length = window.head(place, _META)
        place = tokenizer.end_of(window, start, window.size, length, _META)
        found[tag] = window.take(start, min(length, MAX_VALUE))
    return found, place


def _syntax(meta: dict[int, bytes]) -> UID | None:
    value = meta.get(SYNTAX_TAG, b"").decode("ascii", "replace").strip("\0 ")
    return UID(value) if value else None


def _inflated(source: Source, place: int) -> BytesSource:
    """What the deflated rest of a file unpacks to, within bounds."""
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
    """Of a tag that comes twice the later element stands, as in pydicom."""
    found: dict[int, Element] = {}
    pixels: Pixels | None = None
    try:
        for tag, element in tokenizer.elements(window, place, window.size, encoding, _STOP):
            if tag in _STOP:
                pixels = Pixels(PIXEL_TAGS[tag], element.vr or "OW", element.place, element.length)
            else:
                found[tag] = element
    except Rejection as refused:
        if marked or len(found) > 2:
            raise
        raise Rejection("not_dicom") from refused
    if not marked and sum(map(dictionary_has_tag, found)) < 3:
        raise Rejection("not_dicom")
    if not found and pixels is None:
        raise Rejection("truncated")
    return found, pixels


def _encoding(head: bytes) -> ByteOrder:
    """From the first element's bytes, for transfer syntaxes lie.

    A group number is below 0x0100 at the start of a data set, so its zero byte tells the order.
    """
    implicit = head[4:6] not in _KNOWN_VRS
    return ByteOrder(implicit, implicit or head[1] <= head[0])


def _guessed(encoding: ByteOrder) -> UID:
    if encoding.implicit:
        return UID("1.2.840.10008.1.2")
    return UID("1.2.840.10008.1.2.1" if encoding.little else "1.2.840.10008.1.2.2")


def character_sets(value: bytes) -> tuple[str, ...]:
    """Python's names of the character sets that a value of (0008,0005) names; Latin-1 for those
    that nobody knows."""
    printed = bytes(byte for byte in value if 32 <= byte < 127)  # a NUL in a name is no name
    named = [part.strip() for part in printed.decode("ascii").split("\\")]
    return tuple(convert_encodings(named))
