"""A source of bytes that is read in any order, and its two plain kinds: a file, bytes in memory.

All code that reads DICOM takes a `Source`, wherever the bytes are: tokenizer, decoders of pixels,
walks through containers. The kinds that unpack are `decompression.Decompressed` and
`opening.UnpackedMember`.
"""

import errno
import io
import os
import stat
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import BinaryIO, NamedTuple, Protocol, Self, TypeVar

from tagsight.rejections import Reason, Rejection
from tagsight.run.processes import Failure

T = TypeVar("T")

# Errors of disks and networks that may be gone at the next try, and of a process that has too many
# files open. None of them says anything of the file.
_PASSING = frozenset(
    {errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EIO, errno.ENOMEM}
    | {errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EREMOTEIO, errno.ECONNRESET}
)
_HANDLES = frozenset({errno.EMFILE, errno.ENFILE})
# Errors that tell of a path in a list, or of a link, and not of the machine: as details.
OF_THE_PATH = frozenset(map(os.strerror, (errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG)))
PASSING = frozenset(map(os.strerror, _PASSING | _HANDLES))  # as details
_PAUSES = (0.05, 0.5)  # s, before another try
_patience = [40]  # pauses that a process makes in all: a disk that is gone should not cost days

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Source(Protocol):
    """Bytes from 0 to `size`, read in any order.

    size: int, bytes; mtime_ns: int, ns since 1970, of the file that the bytes are in, 0 if unknown.
    A kind of source inherits from this class and has to define these two and `pread`; the other
    methods follow from them, and are overridden where a kind can do better.
    """

    __slots__ = ()

    size: int
    mtime_ns: int

    @abstractmethod
    def pread(self, size: int, place: int, /) -> bytes:
        """Return `size` bytes from `place` on, fewer only where the source ends.

        Returns nothing for a place below 0 or beyond the end, and for a size below 1.
        Raises Rejection where the bytes cannot be read.
        """

    @property
    def file_size(self) -> int:
        """Return the bytes of the file on disk, which may be packed: with its time they date it."""
        return self.size

    def readinto(self, buffer: memoryview, place: int, /) -> int:
        """Fill `buffer` (bytes) from `place` on.

        Returns the number of bytes that were filled in.
        Raises Rejection as `pread`.
        """
        data = self.pread(len(buffer), place)
        buffer[: len(data)] = data
        return len(data)

    def reaches(self, place: int, /) -> bool:
        """Return whether all bytes before `place` exist."""
        return place <= self.size

    def file(self) -> BinaryIO:
        """Return a binary file over the source, at its start, for decoders.

        Closing it leaves the source open.
        """
        return io.BufferedReader(_File(self))

    def close(self) -> None:
        """Free what the source holds: nothing, unless its kind does."""
        return  # an empty body would be an abstract one

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FileSource(Source):
    """A file, or a part of it: `size` bytes from `start` on of an open descriptor.

    descriptor: int, closed with the source unless there is an `owner`, who then closes it, and
    lives as long as the source.
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

    def pread(self, size: int, place: int, /) -> bytes:
        """Return bytes, see `Source`."""
        size = min(size, self.size - place)  # so that a false length in a file costs nothing
        if size <= 0 or place < 0:
            return b""
        read, blocks = 0, []
        while read < size and (block := self._pread(size - read, place + read)):
            blocks.append(block)
            read += len(block)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def _pread(self, size: int, place: int) -> bytes:
        """One call, which some network's file systems answer with less than there is."""
        return patiently(lambda: os.pread(self._descriptor, size, self._start + place))

    def readinto(self, buffer: memoryview, place: int, /) -> int:
        """Fill `buffer`, see `Source`, without a copy in between."""
        size = min(len(buffer), self.size - place)
        if size <= 0 or place < 0:
            return 0
        read = 0
        while read < size and (more := self._preadv(buffer[read:size], place + read)):
            read += more
        return read

    def _preadv(self, buffer: memoryview, place: int) -> int:
        return patiently(lambda: os.preadv(self._descriptor, [buffer], self._start + place))

    def part(self, size: int, start: int, owner: object) -> "FileSource":
        """Return the `size` bytes from `start` on as a source; `owner` closes the file."""
        return FileSource(self._descriptor, size, self.mtime_ns, self._start + start, owner)

    def close(self) -> None:
        """Close the descriptor, unless an owner does."""
        if self._owner is None:
            os.close(self._descriptor)


class BytesSource(Source):
    """Bytes in memory: a data set that was deflated (PS3.5 A.5), the value of a sequence."""

    __slots__ = ("_data", "mtime_ns", "size")

    def __init__(self, data: bytes, mtime_ns: int = 0) -> None:
        self._data = data
        self.size = len(data)
        self.mtime_ns = mtime_ns

    def pread(self, size: int, place: int, /) -> bytes:
        """Return bytes, see `Source`."""
        return self._data[place : place + size] if size > 0 and place >= 0 else b""

    def file(self) -> BinaryIO:
        """Return a binary file over the bytes, at their start."""
        return io.BytesIO(self._data)


class _File(io.RawIOBase):
    """A position in a source that moves as it is read."""

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
        if whence == io.SEEK_END:
            offset += self._source.size
        elif whence == io.SEEK_CUR:
            offset += self._place
        self._place = max(offset, 0)
        return self._place


def open_file(path: str) -> FileSource:
    """Open the regular file at `path` (not in text form), without ever waiting.

    O_NONBLOCK: opening a pipe returns at once instead of waiting for a writer.
    Raises Rejection (vanished, unreadable, not_a_regular_file, empty_file).
    """
    descriptor = patiently(lambda: os.open(path, _FLAGS))
    try:
        status = patiently(lambda: os.fstat(descriptor))
    except Rejection:
        os.close(descriptor)
        raise
    if stat.S_ISREG(status.st_mode) and status.st_size:
        return FileSource(descriptor, status.st_size, status.st_mtime_ns)
    os.close(descriptor)
    raise Rejection("empty_file" if stat.S_ISREG(status.st_mode) else "not_a_regular_file")


def patiently(call: Callable[[], T]) -> T:
    """Return what a call of the system returns, after some tries where its error may pass.

    Raises Rejection.
    """
    for pause in (*_PAUSES, None):
        try:
            return call()
        except (OSError, ValueError) as error:
            passing = isinstance(error, OSError) and error.errno in _PASSING
            if pause is None or not passing or not _patience[0]:
                raise rejection_of(error) from error
            _patience[0] -= 1
            time.sleep(pause)
    raise AssertionError  # the last try returns or raises


def rejection_of(error: OSError | ValueError) -> Rejection:
    """Return the rejection of a file that could not be opened or read."""
    if isinstance(error, FileNotFoundError):
        return Rejection("vanished")
    if not isinstance(error, OSError):  # a NUL in a name from a list
        return Rejection("vanished", "impossible name")
    if error.errno == errno.ENXIO:  # a socket, or a device that is not there
        return Rejection("not_a_regular_file")
    return Rejection("unreadable", os.strerror(error.errno or 0))


# Why a file is rejected whose reading ended a supervised process.
REASONS: dict[Failure, Reason] = {
    "crashed": "reader_crashed",
    "out_of_memory": "too_large",
    "too_slow": "too_slow",
}
MAX_MEMBERS = 2_000_000  # of a container
MAX_NAMES = 2**28  # characters of all their names


class Member(NamedTuple):
    """A file in a container: `name` in text form (see `paths.to_text`), `size` in bytes.

    place: of its bytes in a tar, of its local header in a zip; packed_size: in bytes where it is
    deflated, None where it is stored as it is; defect: why it cannot be read, empty if it can.
    """

    name: str
    size: int
    place: int
    packed_size: int | None = None
    checksum: int = 0
    defect: str = ""


def bad_container(detail: str) -> Rejection:
    """Return the rejection of a container, or of a member, that is damaged or of another kind."""
    return Rejection("bad_container", detail)
