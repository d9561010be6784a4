"""The bytes that a compressed file unpacks to; reading far back unpacks from the start again."""

import bz2
import lzma
import zlib
from collections import deque
from functools import cached_property
from typing import ClassVar, Literal, Protocol

from tagsight.archive.source import Source, bad_container
from tagsight.rejections import Rejection
from tagsight.run.processes import alive

Packing = Literal["gz", "bz2", "xz", "zst"]

_CHUNK = 2**16  # bytes read at once
_SIP = 256  # bytes that zstandard gets at once: they unpack to 8 MiB at most
_PADDING = 32  # chunks of zeros between two compressed streams in one file
_BLOCK = 2**18  # bytes unpacked at once
_BLOCKS = 640  # blocks in memory: 160 MiB, more than the files that the reader reads at once
# What a file may unpack to is told in bytes, not in seconds, so that it is the same on any machine.
_LIMIT = 2**27  # bytes that any file may unpack to
_RATIO = 300  # bytes more per byte of the file; black pictures come to a hundred
_MAX_DICTIONARY = 2**28  # bytes of memory that an .xz or .zst may ask for


class Unpacker(Protocol):
    """The interface of bz2 and lzma, which keep input until it is used."""

    @property
    def eof(self) -> bool:
        """Return whether the end of the stream was reached."""

    @property
    def needs_input(self) -> bool:
        """Return whether more output needs more input."""

    @property
    def unused_data(self) -> bytes:
        """Return the input after the end of the stream."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return at most `max_length` bytes more."""


class Gzip:
    """zlib's unpacker of gzip, with the interface of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Return whether the end of the stream was reached."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """Return the input after the end of the stream."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most `max_length` bytes more."""
        unpacked = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(unpacked) < max_length
        return unpacked


class Zstandard:
    """Zstandard's unpacker (RFC 8878), with the interface of the others."""

    def __init__(self) -> None:
        try:
            import zstandard  # here, as few archives need it
        except ImportError:
            raise bad_container("the package zstandard is not installed") from None
        self._error = zstandard.ZstdError
        self._inner = zstandard.ZstdDecompressor(max_window_size=_MAX_DICTIONARY).decompressobj()
        self._input, self._used = b"", 0
        self._rest = b""  # unpacked and not asked for yet

    @property
    def eof(self) -> bool:
        """Return whether the end of the stream was reached."""
        return bool(self._inner.eof) and not self._rest

    @property
    def needs_input(self) -> bool:
        """Return whether more output needs more input."""
        return not self._rest and self._used == len(self._input)

    @property
    def unused_data(self) -> bytes:
        """Return the input after the end of the stream."""
        return bytes(self._inner.unused_data) + self._input[self._used :]

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most `max_length` bytes more. Raises ValueError where the data are damaged."""
        if data:
            self._input, self._used = data, 0
        while len(self._rest) < max_length and self._used < len(self._input):
            if self._inner.eof:
                break
            piece = self._input[self._used : self._used + _SIP]
            self._used += len(piece)
            try:
                self._rest += self._inner.decompress(piece)
            except self._error as error:
                raise ValueError from error
        unpacked, self._rest = self._rest[:max_length], self._rest[max_length:]
        return unpacked


def _unpacker(packing: Packing) -> Unpacker:
    if packing == "bz2":
        return bz2.BZ2Decompressor()
    if packing == "xz":
        return lzma.LZMADecompressor(memlimit=_MAX_DICTIONARY)
    return Zstandard() if packing == "zst" else Gzip()


class Decompressed(Source):
    """The bytes that a compressed file unpacks to.

    packed: the file, which is closed with it; packing: how it is compressed.
    The last 160 MiB are kept; a place before them costs unpacking from the start again. In a
    process only the file that was read last keeps them.
    """

    _read_last: ClassVar["Decompressed | None"] = None

    def __init__(self, packed: Source, packing: Packing) -> None:
        self._packed = packed
        self._packing = packing
        self.mtime_ns = packed.mtime_ns
        self._limit = _LIMIT + _RATIO * packed.size
        self._begin()

    def _begin(self) -> None:
        self._unpacker = _unpacker(self._packing)
        self._next = 0  # place in the packed file
        self._blocks: deque[bytes] = deque()  # each of full length but the last
        self._first = 0  # number of the first of these blocks
        self._failure: Rejection | None = None  # why no block follows these

    @cached_property
    def size(self) -> int:  # type: ignore[override]  # known only when asked
        """Return the bytes that it unpacks to, which takes unpacking all. Raises as `pread`."""
        while self._forward():
            pass
        if self._failure:
            raise self._failure
        return (self._first + len(self._blocks) - 1) * _BLOCK + len(self._blocks[-1])

    @property
    def file_size(self) -> int:
        """Return the bytes of the packed file."""
        return self._packed.file_size

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
        """Return whether all bytes before `place` exist. Raises as `pread`."""
        return place <= 0 or self._piece(1, place - 1) != b""

    def close(self) -> None:
        """Close the packed file."""
        self._packed.close()

    def _piece(self, size: int, place: int) -> bytes:
        """At most `size` bytes from `place` on, no further than its block."""
        start = place % _BLOCK
        piece = self._block(place // _BLOCK)[start : start + size]
        if not piece and self._failure:
            raise self._failure
        return piece

    def _block(self, number: int) -> bytes:
        """A block by its number; empty beyond the end."""
        if number < self._first:
            self._begin()
        while number >= self._first + len(self._blocks):
            if not self._forward():
                return b""
        return self._blocks[number - self._first]

    def _forward(self) -> bool:
        """Unpack the next block; False at the end."""
        if self._blocks and len(self._blocks[-1]) < _BLOCK:
            return False
        self._hold()
        alive()  # the way to a member is not the member's time
        data = self._unpack()
        if (self._first + len(self._blocks)) * _BLOCK > self._limit:
            raise Rejection("too_large", "unpacked")
        self._blocks.append(data)
        return bool(data)

    def _hold(self) -> None:
        """Make room for a block."""
        other, Decompressed._read_last = Decompressed._read_last, self
        if other is not None and other is not self:
            other._forget(1)
        self._forget(_BLOCKS - 1)

    def _forget(self, kept: int) -> None:
        while len(self._blocks) > kept:
            self._blocks.popleft()
            self._first += 1

    def _unpack(self) -> bytes:
        """The next block; a shorter one at the end, and before a failure."""
        parts: list[bytes] = []
        missing = _BLOCK
        try:
            while missing and (part := self._unpack_some(missing)):
                parts.append(part)
                missing -= len(part)
        except Rejection as rejection:
            if not parts:
                raise
            self._failure = rejection
        return b"".join(parts)

    def _unpack_some(self, size: int) -> bytes:
        """At most `size` bytes more, empty at the end. Several streams may follow, with padding."""
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
        """The first bytes of a further stream, for a new unpacker; empty at the end."""
        more = self._unpacker.unused_data.lstrip(b"\0")
        for _ in range(_PADDING):
            if more:
                self._unpacker = _unpacker(self._packing)
                return more
            more = self._read().lstrip(b"\0")
        return b""

    def _read(self) -> bytes:
        data = self._packed.pread(_CHUNK, self._next)
        self._next += len(data)
        return data
