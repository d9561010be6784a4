"""What a compressed file unpacks to: read forward; what goes far back costs a new beginning."""

import bz2
import lzma
import zlib
from collections import deque
from functools import cached_property
from typing import ClassVar, Protocol

from tagsight.archive.source import Source, bad_container
from tagsight.rejections import Rejection

_CHUNK = 2**16  # bytes read at once
_PADDING = 32  # times that, in zeros, between files that are strung together
_BLOCK = 2**18  # bytes unpacked at once
_BLOCKS = 640  # that are held: 160 MiB, more than the files that the reader has in hand at once
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


class Decompressed(Source):
    """The bytes that the file `packed` unpacks to; `suffix`: bz2, xz, or else gzip.

    The last 160 MiB are held; a place before them costs unpacking anew from the beginning. Of all
    that there are in a process the one at work holds them.
    """

    _at_work: ClassVar["Decompressed | None"] = None

    def __init__(self, packed: Source, suffix: str) -> None:
        self._packed = packed
        self._suffix = suffix
        self.mtime_ns = packed.mtime_ns
        self._limit = max(_LIMIT, _RATIO * packed.size)
        self._begin()

    def _begin(self) -> None:
        self._unpacker = _unpacker(self._suffix)
        self._next = 0  # place in the packed file
        self._blocks: deque[bytes] = deque()  # each of full length but the last
        self._first = 0  # number of the first of them
        self._failure: Rejection | None = None  # what comes after them

    @cached_property
    def size(self) -> int:  # type: ignore[override]  # known only when asked
        """Bytes that it unpacks to: found by unpacking all of it. See `pread`."""
        while self._forward():
            pass
        if self._failure:
            raise self._failure
        return (self._first + len(self._blocks) - 1) * _BLOCK + len(self._blocks[-1])

    def pread(self, size: int, place: int, /) -> bytes:
        """Return bytes, see `Source`.

        Raises Rejection where the file is damaged or cut off, or unpacks to far more than archives
        do.
        """
        pieces = []
        while size > 0 and place >= 0 and (piece := self._piece(size, place)):
            pieces.append(piece)
            size -= len(piece)
            place += len(piece)
        return b"".join(pieces)

    def reaches(self, place: int, /) -> bool:
        """Return whether all bytes before `place` are there, unpacking no further. See `pread`."""
        return place <= 0 or self._piece(1, place - 1) != b""

    def _piece(self, size: int, place: int) -> bytes:
        """So many bytes from `place` on as its block has."""
        start = place % _BLOCK
        piece = self._block(place // _BLOCK)[start : start + size]
        if not piece and self._failure:
            raise self._failure
        return piece

    def _block(self, number: int) -> bytes:
        """A block by its number; nothing beyond the end."""
        if number < self._first:
            self._begin()
        while number >= self._first + len(self._blocks):
            if not self._forward():
                return b""
        return self._blocks[number - self._first]

    def _forward(self) -> bool:
        """On to the next block; False at the end."""
        if self._blocks and len(self._blocks[-1]) < _BLOCK:
            return False
        self._hold()
        data = self._unpack()
        if (self._first + len(self._blocks)) * _BLOCK > self._limit:
            raise Rejection("too_large", "unpacked")
        self._blocks.append(data)
        return bool(data)

    def _hold(self) -> None:
        """Makes room for a block."""
        other, Decompressed._at_work = Decompressed._at_work, self
        if other is not None and other is not self:
            other._forget(1)
        self._forget(_BLOCKS - 1)

    def _forget(self, left: int) -> None:
        while len(self._blocks) > left:
            self._blocks.popleft()
            self._first += 1

    def _unpack(self) -> bytes:
        """The next block, which is shorter at the end, and before what fails."""
        parts: list[bytes] = []
        left = _BLOCK
        try:
            while left and (part := self._unpack_some(left)):
                parts.append(part)
                left -= len(part)
        except Rejection as rejection:
            if not parts:
                raise
            self._failure = rejection
        return b"".join(parts)

    def _unpack_some(self, size: int) -> bytes:
        """At most `size` bytes more; none at the end. Files may be strung together, and padded."""
        data = b""
        try:
            while not data:
                more = b""
                if self._unpacker.eof and not (more := self._after_end()):
                    return b""
                if not more and self._unpacker.needs_input and not (more := self._read()):
                    raise bad_container("cut off")
                data = self._unpacker.decompress(more, size)
        except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
            raise bad_container("damaged") from error
        return data

    def _after_end(self) -> bytes:
        """The beginning of a further stream, for a new unpacker; nothing at the end."""
        more = self._unpacker.unused_data.lstrip(b"\0")
        for _ in range(_PADDING):
            if more:
                self._unpacker = _unpacker(self._suffix)
                return more
            more = self._read().lstrip(b"\0")
        return b""

    def _read(self) -> bytes:
        data = self._packed.pread(_CHUNK, self._next)
        self._next += len(data)
        return data
