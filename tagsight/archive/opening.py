"""The opening of whatever a path names, for all that read headers, pixels and digests.

Files, and members that a container stores as they are, are read in place; what is compressed is
unpacked as far as it is read. What a file is, its first bytes say.

To add a kind of input, say objects of S3 or instances of a DICOMweb server:

1. write its source: a class that inherits from `source.Source`, with `size`, `mtime_ns` and
   `pread`, and a function that opens it by a path in text form (see `paths.to_text`) or raises
   `Rejection`;
2. add the function to `OPENERS`, under the text that marks such paths: `("s3://", open_object)`.

Its paths come from a list: a file .txt, .csv or .parquet named as `input`, with a column `path`.
A path with `://` in it is taken as it is written. With columns `size` and `mtime_ns` in the list,
what has not changed is not read again. tests/unit/archive/test_source_contract.py holds all kinds
to one contract: add yours to `KINDS` there.
"""

import os
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from tagsight.archive.containers import Container
from tagsight.archive.kinds import Kind, opened
from tagsight.archive.paths import to_path
from tagsight.archive.source import FileSource, Source, bad_container, open_file, rejection_of
from tagsight.rejections import Rejection
from tagsight.run.processes import alive

MAX_UNPACKED = 2**30  # bytes of an unpacked member in memory
NAMES = r"(?i)\.(?:tar|zip|t[gx]z|tbz2?|tzst|tar\.(?:gz|bz2|xz|zst))$"  # of containers
_OPEN = 4  # containers that a process keeps open


class NoContainer(Rejection):
    """A file that holds no others, whatever its name says."""

    def __init__(self) -> None:
        super().__init__("bad_container", "no container")


def open_source(path: str) -> Source:
    """Open what `path` (text form, see `paths.to_text`) names, and undo its compression.

    Raises Rejection (vanished, unreadable, not_a_regular_file, empty_file, bad_container;
    `container` where it holds other files, see `expanding`).
    """
    source = _opened(path)
    try:
        data, kind = opened(source)
    except BaseException:
        source.close()
        raise
    if kind is not None:
        data.close()
        raise Rejection("container")
    return data


def open_container(path: str) -> Container:
    """Return the container at `path` (text form), cached if its file has not changed.

    Raises Rejection where it cannot be opened, NoContainer where it is none.
    """
    try:
        status = os.stat(to_path(path.partition("!")[0]))
    except (OSError, ValueError) as error:
        raise rejection_of(error) from error
    return _cached_container(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=_OPEN)
def _cached_container(path: str, _size: int, _mtime_ns: int) -> Container:
    source = _opened(path)
    try:
        data, kind = opened(source)
        return Container(source, data, kind or _kind_by_name(path, data.pread(132, 0)))
    except BaseException:
        source.close()
        raise


def forget_containers() -> None:
    """Close the containers that are kept open, as far as no member of theirs is."""
    _cached_container.cache_clear()


def _kind_by_name(path: str, head: bytes) -> Kind:
    """What a file of unknown content says that it is: a damaged container, or no container."""
    looks_like_dicom = head[128:] == b"DICM" or head[:2] in (b"\2\0", b"\x08\0")
    if looks_like_dicom or not re.search(NAMES, path):
        raise NoContainer
    return "zip" if path.lower().endswith(".zip") else "tar"


def _opened(path: str) -> Source:
    return next(opener(path) for mark, opener in OPENERS if mark in path)


class UnpackedMember(Source):
    """A member that is unpacked as far as it is read, and kept in memory so far.

    blocks: bytes of the member from its start on; size: their expected number; streamed: whether
    its container is compressed as a whole, so that going back costs as much as coming here.
    """

    __slots__ = ("_blocks", "_unpacked", "mtime_ns", "size", "streamed")

    def __init__(
        self, blocks: Iterator[bytes], size: int, mtime_ns: int, *, streamed: bool = False
    ) -> None:
        self._blocks = blocks
        self._unpacked = bytearray()
        self.size = size
        self.mtime_ns = mtime_ns
        self.streamed = streamed

    def pread(self, size: int, place: int, /) -> bytes:
        """Return bytes, see `Source`.

        Raises Rejection where the member is damaged, or where more than 1 GiB would be kept.
        """
        end = self._hold(min(place + size, self.size))
        return bytes(memoryview(self._unpacked)[place:end]) if 0 <= place < end else b""

    def _hold(self, end: int) -> int:
        if end > MAX_UNPACKED:
            raise Rejection("too_large", "packed member")
        while len(self._unpacked) < end:
            alive()  # the way to a place in it is not the time that its header takes
            block = next(self._blocks, b"")
            if not block:
                raise bad_container("cut off")
            self._unpacked += block
        return end


def _open_file(path: str) -> FileSource:
    return open_file(to_path(path))


def _open_member(path: str) -> Source:
    """Open a member; the last few containers are cached, so any order of opening is cheap.

    Compressed tars are the exception: going back by more than 160 MiB unpacks them from their
    start again.
    """
    outer, _, name = path.rpartition("!")
    container = open_container(outer)
    member = container.member(name)
    if member.size == 0:
        raise Rejection("empty_file")
    if (stored := container.stored(member)) is not None:
        return stored
    blocks, streamed = container.blocks(member), container.streamed
    return UnpackedMember(blocks, member.size, container.mtime_ns, streamed=streamed)


# The mark in a path of each kind (text form), and its opener; the first that fits is taken.
OPENERS: list[tuple[str, Callable[[str], Source]]] = [("!", _open_member), ("", _open_file)]
