"""What a walk over a container finds."""

from typing import NamedTuple, Protocol

from tagsight.rejections import Rejection

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


def bad(detail: str) -> Rejection:
    """The refusal of a container, or of a member, that is not as it should be."""
    return Rejection("bad_container", detail)
