"""What a compressed file unpacks to, read forward; going back starts anew from the beginning."""

import bz2
import lzma
import zlib
from typing import Protocol

from tagsight.members import bad
from tagsight.refusals import Refused
from tagsight.regular import Source

_CHUNK = 2**16
_LIMIT = 2**30  # bytes that any file may unpack to
_RATIO = 1000  # and beyond them, times its size
_MAX_DICTIONARY = 2**28  # bytes of memory that an .xz may ask for


class Unpacker(Protocol):
    """The manner of bz2 and lzma: input that is not used yet is kept inside."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""

    @property
    def needs_input(self) -> bool:
        """Whether more comes only of more input."""

    @property
    def unused_data(self) -> bytes:
        """What came after the end."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """At most `max_length` bytes more."""


class Gzip:
    """zlib's unpacker of gzip, in the manner of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """What came after it."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most `max_length` bytes more."""
        unpacked = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(unpacked) < max_length
        return unpacked


def _unpacker(suffix: str) -> Unpacker:
    if suffix == "bz2":
        return bz2.BZ2Decompressor()
    if suffix == "xz":
        return lzma.LZMADecompressor(memlimit=_MAX_DICTIONARY)
    return Gzip()


class Unpacking:
    """The bytes that the file `packed` unpacks to; `suffix`: bz2, xz, or else gzip.

    Holds what was last unpacked and no more. A place before that costs unpacking anew.
    """

    def __init__(self, packed: Source, suffix: str) -> None:
        self._packed = packed
        self._suffix = suffix
        self._limit = max(_LIMIT, _RATIO * packed.size)
        self._begin()

    def _begin(self) -> None:
        self._unpacker = _unpacker(self._suffix)
        self._next = 0  # place in the packed file
        self._data, self._start = b"", 0

    def pread(self, size: int, place: int) -> bytes:
        """At most `size` bytes from `place` on: fewer where the file ends.

        Raises:
            Refused: it is damaged or cut off, or unpacks to far more than archives do.
        """
        self.reaches(place)
        found = self._data[place - self._start : place - self._start + size]
        while len(found) < size and self._forward():
            found += self._data[: size - len(found)]
        return found

    def reaches(self, place: int) -> bool:
        """Whether all bytes before `place` are there; see `pread`."""
        if place < self._start:
            self._begin()
        while self._start + len(self._data) < place:
            if not self._forward():
                return False
        return True

    def _forward(self) -> bool:
        """On to the next bytes; False at the end."""
        data = self._unpack()
        if not data:
            return False
        self._start += len(self._data)
        self._data = data
        if self._start + len(data) > self._limit:
            raise Refused("too_large", "unpacked")
        return True

    def _unpack(self) -> bytes:
        """The next bytes; none at the end. Files may be strung together, and padded by zeros."""
        data = b""
        try:
            while not data:
                more = b""
                if self._unpacker.eof and not (more := self._after_end()):
                    return b""
                if not more and self._unpacker.needs_input and not (more := self._read()):
                    raise bad("cut off")
                data = self._unpacker.decompress(more, _CHUNK)
        except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
            raise bad("damaged") from error
        return data

    def _after_end(self) -> bytes:
        """The beginning of a further stream, for a new unpacker; nothing at the end."""
        more = self._unpacker.unused_data.lstrip(b"\0")
        while not more:
            read = self._read()
            if not read:
                return b""
            more = read.lstrip(b"\0")
        self._unpacker = _unpacker(self._suffix)
        return more

    def _read(self) -> bytes:
        data = self._packed.pread(_CHUNK, self._next)
        self._next += len(data)
        return data
