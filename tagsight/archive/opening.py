"""The bytes of a file, or of a container's member, read in any order.

One way of opening for all who read: headers, pixels, digests. What lies in a file as it is, plain
files and stored members, is read in place; what is packed is unpacked as far as it is asked.
"""

from collections.abc import Iterator

from tagsight.archive.containers import opened
from tagsight.archive.paths import to_path
from tagsight.archive.source import Source, bad_container, open_regular
from tagsight.rejections import Rejection

__all__ = ["Source", "open_source"]

MAX_HELD = 2**30  # of an unpacked member, in bytes


def open_source(path: str) -> Source:
    """Opens the file at `path` (text form, see `archive.to_text`), or the member of a container.

    Of the last few containers the members are known, so that any order of opening them is cheap;
    but for compressed tars, which are unpacked from their start on where it goes back by more than
    160 MiB.

    Raises:
        Refused: vanished, unreadable, not_a_regular_file, empty_file, bad_container.
    """
    outer, mark, name = path.partition("!")
    if not mark:
        return open_regular(to_path(path))
    container = opened(outer)
    member = container.member(name)
    if member.size == 0:
        raise Rejection("empty_file")
    stored = container.stored(member)
    return stored or Unpacked(container.blocks(member), member.size, container.mtime_ns)


class Unpacked(Source):
    """A member that is unpacked as far as it is asked, and held so far in memory."""

    __slots__ = ("_blocks", "_held")

    def __init__(self, blocks: Iterator[bytes], size: int, mtime_ns: int) -> None:
        super().__init__(-1, size, mtime_ns, owner=blocks)
        self._blocks = blocks
        self._held = bytearray()

    def pread(self, size: int, place: int) -> bytes:
        """As of any source; Refused too where more than 1 GiB would have to be held."""
        end = self._hold(min(place + size, self.size))
        return bytes(memoryview(self._held)[place:end]) if 0 <= place < end else b""

    def readinto(self, buffer: memoryview, place: int) -> int:
        """As of any source; see `pread`."""
        data = self.pread(len(buffer), place)
        buffer[: len(data)] = data
        return len(data)

    def _hold(self, end: int) -> int:
        if end > MAX_HELD:
            raise Rejection("too_large", "packed member")
        while len(self._held) < end:
            block = next(self._blocks, b"")
            if not block:
                raise bad_container("cut off")
            self._held += block
        return end
