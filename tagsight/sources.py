"""The bytes of a file, or of a container's member, read in any order.

One way of opening for all who read: headers, pixels, digests. What lies in a file as it is, plain
files and stored members, is read in place.
"""

import io
import os
from types import TracebackType
from typing import BinaryIO, Self

from tagsight.archive import to_path
from tagsight.regular import open_regular, unreadable


class Source:
    """A stretch of an open file: `size` in bytes; `mtime_ns` is that of the file or container."""

    __slots__ = ("_descriptor", "mtime_ns", "size")

    def __init__(self, descriptor: int, size: int, mtime_ns: int) -> None:
        self._descriptor = descriptor
        self.size = size
        self.mtime_ns = mtime_ns

    def pread(self, size: int, place: int) -> bytes:
        """At most `size` bytes from `place` on: fewer where the source ends.

        Raises:
            Refused: the disk fails.
        """
        size = min(size, self.size - place)  # a length that a file claims allocates nothing
        if size <= 0 or place < 0:
            return b""
        try:
            return os.pread(self._descriptor, size, place)
        except OSError as error:
            raise unreadable(error) from error

    def readinto(self, buffer: memoryview, place: int) -> int:
        """Fills `buffer` from `place` on; how many bytes there were.

        Raises:
            Refused: the disk fails.
        """
        size = min(len(buffer), self.size - place)
        if size <= 0 or place < 0:
            return 0
        try:
            return os.preadv(self._descriptor, [buffer[:size]], place)
        except OSError as error:
            raise unreadable(error) from error

    def file(self) -> BinaryIO:
        """A binary file over the source, at its start, for decoders; closing it is harmless."""
        return io.BufferedReader(_File(self))

    def close(self) -> None:
        """Gives the descriptor back."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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


def open_source(path: str) -> Source:
    """Opens the file at `path` (text form, see `archive.to_text`).

    Raises:
        Refused: vanished, unreadable, not_a_regular_file, empty_file.
    """
    descriptor, status = open_regular(to_path(path))
    return Source(descriptor, status.st_size, status.st_mtime_ns)
