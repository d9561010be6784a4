"""Regular files, and nothing else: opened without ever waiting, read in any order."""

import errno
import io
import os
import stat
from typing import BinaryIO, NamedTuple, Protocol, Self

from tagsight.rejections import Rejection

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Source:
    """A stretch of an open file: `size` in bytes; `mtime_ns` is that of the whole file.

    It begins at `start` of the file. With an `owner`, the descriptor is the owner's, who lives as
    long as the source and closes it.
    """

    __slots__ = ("_descriptor", "_owner", "_start", "mtime_ns", "size")

    def __init__(
        self, descriptor: int, size: int, mtime_ns: int, start: int = 0, owner: object = None
    ) -> None:
        self._descriptor = descriptor
        self._owner = owner
        self._start = start
        self.size = size
        self.mtime_ns = mtime_ns

    def pread(self, size: int, place: int) -> bytes:
        """At most `size` bytes from `place` on: fewer where the source ends.

        Raises:
            Refused: the disk fails; of a container's member, what it holds is damaged.
        """
        size = min(size, self.size - place)  # so that a length which a file claims costs nothing
        if size <= 0 or place < 0:
            return b""
        try:
            return os.pread(self._descriptor, size, self._start + place)
        except OSError as error:
            raise refusal(error) from error

    def readinto(self, buffer: memoryview, place: int) -> int:
        """Fills `buffer` from `place` on; how many bytes there were.

        Raises:
            Refused: as `pread`.
        """
        size = min(len(buffer), self.size - place)
        if size <= 0 or place < 0:
            return 0
        try:
            return os.preadv(self._descriptor, [buffer[:size]], self._start + place)
        except OSError as error:
            raise refusal(error) from error

    def reaches(self, place: int) -> bool:
        """Whether all bytes before `place` are there."""
        return place <= self.size

    def part(self, size: int, start: int, owner: object) -> "Source":
        """The stretch of `size` bytes from `start` on; `owner` closes this source."""
        return Source(self._descriptor, size, self.mtime_ns, self._start + start, owner)

    def file(self) -> BinaryIO:
        """A binary file over the source, at its start, for decoders; closing it is harmless."""
        return io.BufferedReader(_File(self))

    def close(self) -> None:
        """Gives the descriptor back."""
        if self._owner is None:
            os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _File(io.RawIOBase):
    """A place in a source that moves with reading."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typed as Buffer
        count = self._source.readinto(memoryview(buffer).cast("B"), self._place)
        self._place += count
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._source.size}[whence]
        self._place = max(start + offset, 0)
        return self._place


def open_regular(path: str) -> Source:
    """Opens the file at `path` (not in text form).

    O_NONBLOCK: opening a pipe returns at once instead of waiting for a writer for ever.

    Raises:
        Refused: vanished, unreadable, not_a_regular_file, empty_file.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise refusal(error) from error
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size:
        return Source(descriptor, status.st_size, status.st_mtime_ns)
    os.close(descriptor)
    raise Rejection("empty_file" if stat.S_ISREG(status.st_mode) else "not_a_regular_file")


def refusal(error: OSError | ValueError) -> Rejection:
    """What the system's error makes of a file."""
    if isinstance(error, FileNotFoundError):
        return Rejection("vanished")
    if not isinstance(error, OSError):  # a NUL in a name of a list
        return Rejection("vanished", "impossible name")
    if error.errno == errno.ENXIO:  # a socket, or a device that is not there
        return Rejection("not_a_regular_file")
    return Rejection("unreadable", os.strerror(error.errno or 0))


MAX_MEMBERS = 5_000_000  # of a container


class Member(NamedTuple):
    """A file in a container: `name` in text form (see `archive.to_text`), `size` in bytes.

    `place` is that of its bytes in a tar, of its local header in a zip. `packed` is its size in
    bytes where it is deflated, None where it is as it is. `refused` says why it cannot be read.
    """

    name: str
    size: int
    place: int
    packed: int | None = None
    checksum: int = 0
    refused: str = ""


class Stretch(Protocol):
    """Bytes in order: of a file, or of what it unpacks to."""

    def pread(self, size: int, place: int, /) -> bytes:
        """At most `size` bytes from `place` on."""

    def reaches(self, place: int, /) -> bool:
        """Whether all bytes before `place` are there."""


def bad_container(detail: str) -> Rejection:
    """The refusal of a container, or of a member, that is not as it should be."""
    return Rejection("bad_container", detail)
