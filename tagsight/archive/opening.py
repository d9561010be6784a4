"""The opening of whatever a path names, for all that read headers, pixels and digests.

Files, and members that a container stores as they are, are read in place; other members are
unpacked as far as they are read.

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

from collections.abc import Callable, Iterator

from tagsight.archive.containers import open_container
from tagsight.archive.paths import to_path
from tagsight.archive.source import FileSource, Source, bad_container, open_file
from tagsight.rejections import Rejection

MAX_UNPACKED = 2**30  # bytes of an unpacked member in memory


def open_source(path: str) -> Source:
    """Open what `path` (text form, see `paths.to_text`) names, by the first of `OPENERS`.

    Raises Rejection (vanished, unreadable, not_a_regular_file, empty_file, bad_container).
    """
    return next(opener(path) for mark, opener in OPENERS if mark in path)


class UnpackedMember(Source):
    """A member that is unpacked as far as it is read, and kept in memory so far.

    blocks: bytes of the member from its start on; size: their expected number.
    """

    __slots__ = ("_blocks", "_unpacked", "mtime_ns", "size")

    def __init__(self, blocks: Iterator[bytes], size: int, mtime_ns: int) -> None:
        self._blocks = blocks
        self._unpacked = bytearray()
        self.size = size
        self.mtime_ns = mtime_ns

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
    outer, _, name = path.partition("!")
    container = open_container(outer)
    member = container.member(name)
    if member.size == 0:
        raise Rejection("empty_file")
    stored = container.stored(member)
    return stored or UnpackedMember(container.blocks(member), member.size, container.mtime_ns)


# The mark in a path of each kind (text form), and its opener; the first that fits is taken.
OPENERS: list[tuple[str, Callable[[str], Source]]] = [("!", _open_member), ("", _open_file)]
