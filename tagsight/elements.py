"""From a file to its data elements, still raw: the seam behind which pydicom reads.

`opened` never blocks (pipes), never follows a length past the file's end, inflates with a bound,
and turns whatever goes wrong into `Refused` with a reason of the closed list.
"""

import io
import os
import stat
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from pydicom import config
from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_has_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filereader import data_element_generator
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian
from pydicom.valuerep import VR

from tagsight.archive import to_path
from tagsight.refusals import Refused

UNDEFINED = 0xFFFFFFFF
PIXEL_TAGS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}
PIXEL_TAGS |= {0x7FE00010: "PixelData"}
SYNTAX_TAG, CHARSET_TAG = 0x00020010, 0x00080005
MAX_READS = 600_000  # two to an element: more than any header that was ever of use
MAX_VALUE = 64 * 2**20
MAX_HEADER = 4 * MAX_VALUE
MAX_INFLATED = 256 * 2**20
_KNOWN_VRS = {vr.encode() for vr in VR if len(vr) == 2}
_BUFFER = 32 * 2**10  # covers 94 % of headers

config.settings.reading_validation_mode = config.IGNORE
config.logger.setLevel("CRITICAL")  # its messages quote values

Element = RawDataElement | DataElement


@dataclass(frozen=True)
class Pixels:
    """Where the pixel data lie in the source: offset and length of the value in bytes."""

    keyword: str
    vr: str
    offset: int
    length: int  # UNDEFINED where encapsulated


@dataclass(frozen=True)
class Parsed:
    """A file's top-level elements up to the pixel data, and the open source to go on reading."""

    elements: dict[int, Element]
    meta: dict[int, Element]
    encodings: list[str]
    syntax: UID
    little: bool
    pixels: Pixels | None
    source: BinaryIO
    size: int
    status: os.stat_result


class _Reader(io.BufferedReader):
    """A file that refuses absurd reads: pydicom believes whatever length a file claims."""

    reads = MAX_READS
    longest = MAX_VALUE
    room = MAX_HEADER

    def read(self, size: int | None = -1, /) -> bytes:
        asked = size or 0
        self.reads -= 1
        self.room -= asked
        if self.reads < 0 or self.room < 0 or asked > self.longest:
            raise Refused("too_large")
        return super().read(size)

    def free(self) -> None:
        """Lifts the bounds: what follows the header is read on purpose."""
        self.reads = self.longest = self.room = sys.maxsize


@contextmanager
def opened(path: str) -> Iterator[Parsed]:
    """The parsed header of a file; `path` in text form (see `archive.to_text`).

    Raises:
        Refused: whatever is wrong with the file.
    """
    raw = _open(to_path(path))
    with raw, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        status = os.fstat(raw.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Refused("not_a_regular_file")
        if status.st_size == 0:
            raise Refused("empty_file")
        yield _parse(_Reader(raw, _BUFFER), status)


def _open(path: str) -> io.FileIO:
    """O_NONBLOCK: opening a pipe returns at once instead of waiting for a writer for ever."""
    try:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(path, flags)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Refused("not_a_regular_file")
        return io.FileIO(descriptor)
    except FileNotFoundError as error:
        raise Refused("vanished") from error
    except OSError as error:
        raise Refused("unreadable", os.strerror(error.errno or 0)) from error
    except ValueError as error:  # a NUL in a name of a list
        raise Refused("vanished", "impossible name") from error


def _parse(reader: _Reader, status: os.stat_result) -> Parsed:
    """Whatever pydicom throws at bad content is a reason, never a crash."""
    try:
        parsed = _read(reader, status)
    except Refused:
        raise
    except RecursionError as error:
        raise Refused("too_deep") from error
    except OSError as error:  # of the disk, or pydicom's own, which has no number
        if error.errno:
            raise Refused("unreadable", os.strerror(error.errno)) from error
        raise Refused("bad_header", type(error).__name__) from error
    except EOFError as error:
        raise Refused("truncated") from error
    except Exception as error:  # on mutated headers seven kinds were seen, and more may come
        raise Refused("bad_header", type(error).__name__) from error
    reader.free()
    return parsed


def _read(reader: _Reader, status: os.stat_result) -> Parsed:
    marked = _find_start(reader)
    meta = _read_meta(reader)
    syntax = _syntax(meta)
    source, size = _inflated(reader, status.st_size, syntax)
    implicit, little = _encoding(source)
    elements, pixels = _read_elements(source, size, (implicit, little), marked)
    if not marked and sum(map(dictionary_has_tag, elements)) < 3:
        raise Refused("not_dicom")
    if not elements:
        raise Refused("truncated")
    return Parsed(
        elements=elements,
        meta=meta,
        encodings=encodings(elements),
        syntax=syntax or _guessed(implicit, little),
        little=little,
        pixels=pixels,
        source=source,
        size=size,
        status=status,
    )


def _find_start(reader: _Reader) -> bool:
    """Leaves the reader at the first element; whether the file bears the mark of DICOM.

    Without preamble and mark (PS3.10 7.1) the first element itself has to look like DICOM.
    """
    head = reader.peek(_BUFFER)
    if head[128:132] == b"DICM":
        reader.seek(132)
        return True
    if head[:4] == b"DICM":
        reader.seek(4)
        return True
    if len(head) < 8 or not _looks_like_an_element(head):
        raise Refused("not_dicom")
    return False


def _looks_like_an_element(head: bytes) -> bool:
    """The first element is of group 0002 or 0008, with a VR or a short length after its tag."""
    group, element = struct.unpack("<HH", head[:4])
    if head[4:6] in _KNOWN_VRS:
        return {group, group >> 8} & {2, 8} != set()
    length = int(struct.unpack("<I", head[4:8])[0])
    return group in (2, 8) and element <= 0x0100 and length <= 0x400


def _read_meta(reader: _Reader) -> dict[int, Element]:
    """Group 0002: explicit little endian by PS3.10, implicit by some writers."""
    head = reader.peek(8)[:8]
    implicit = len(head) == 8 and head[4:6] not in _KNOWN_VRS

    def beyond(tag: int, _vr: str | None, _length: int) -> bool:
        return tag >> 16 != 2

    if head[:2] != b"\2\0":
        return {}
    return {e.tag: e for e in data_element_generator(reader, implicit, True, beyond)}


def _syntax(meta: dict[int, Element]) -> UID | None:
    value = meta[SYNTAX_TAG].value if SYNTAX_TAG in meta else None
    return UID(value.decode("ascii", "replace").strip("\0 ")) if value else None


def _inflated(reader: _Reader, size: int, syntax: UID | None) -> tuple[BinaryIO, int]:
    """The data set's source and its size: the file, or what its deflated rest unpacks to."""
    if syntax != DeflatedExplicitVRLittleEndian:
        return reader, size
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    data = unpacker.decompress(reader.read(MAX_VALUE), MAX_INFLATED)
    if not unpacker.eof:
        raise Refused("too_large" if len(data) == MAX_INFLATED else "truncated", "deflated")
    return io.BytesIO(data), len(data)


def _read_elements(
    source: BinaryIO, size: int, encoding: tuple[bool, bool], marked: bool
) -> tuple[dict[int, Element], Pixels | None]:
    elements: dict[int, Element] = {}
    pixels: Pixels | None = None

    def at_pixels(tag: int, vr: str | None, length: int) -> bool:
        nonlocal pixels
        place = source.tell()
        if tag in PIXEL_TAGS:
            pixels = Pixels(PIXEL_TAGS[tag], vr or "OW", place, length)
        elif length != UNDEFINED and place + length > size:
            raise Refused("truncated" if marked or len(elements) > 2 else "not_dicom")
        return pixels is not None

    for element in data_element_generator(source, *encoding, at_pixels):
        elements[element.tag] = element
    return elements, pixels


def _encoding(source: BinaryIO) -> tuple[bool, bool]:
    """Implicit VR, little endian: from the first element's bytes, for transfer syntaxes lie.

    A group number is below 0x0100 at the start of a data set, so its zero byte tells the order.
    """
    place = source.tell()
    head = source.read(6)
    source.seek(place)
    implicit = head[4:6] not in _KNOWN_VRS
    little = implicit or head[1] <= head[0]
    return implicit, little


def _guessed(implicit: bool, little: bool) -> UID:
    if implicit:
        return UID("1.2.840.10008.1.2")
    return UID("1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2")


def encodings(elements: dict[int, Element]) -> list[str]:
    """Python's names of the character sets of (0008,0005); unknown ones read as Latin-1."""
    element = elements.get(CHARSET_TAG)
    if element is None or not isinstance(element.value, bytes):
        return [default_encoding]
    named = [part.strip(" \0") for part in element.value.decode("latin-1").split("\\")]
    return convert_encodings(named)
