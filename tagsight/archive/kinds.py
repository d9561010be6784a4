"""What a file is, told by its first bytes: compressed, a tar, a zip, or neither.

Names say little: `a.dcm` may be a tar, `a.tgz` a tar that nobody compressed, `a.zip` an image.
"""

from typing import Literal

from tagsight.archive.decompression import Decompressed, Packing
from tagsight.archive.source import Source, bad_container
from tagsight.archive.tars import is_header

Kind = Literal["tar", "zip"]
_HEAD = 512  # bytes: a header of a tar
_MOST_PACKINGS = 3  # of one file, one inside the other
_PACKINGS: tuple[tuple[bytes, Packing], ...] = (
    (b"\x1f\x8b\x08", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
)
_ZIPS = (b"PK\3\4", b"PK\5\6", b"PK\7\x08")


def packing_of(head: bytes) -> Packing | None:
    """Return how a file is compressed, by its first 512 bytes; None where it is not."""
    if head[128:132] == b"DICM":  # what stands in the preamble means nothing (PS3.10 7.1)
        return None
    packing = next((packing for mark, packing in _PACKINGS if head.startswith(mark)), None)
    return packing if packing != "bz2" or head[3:4].isdigit() else None


def kind_of(head: bytes) -> Kind | None:
    """Return which container a file is, by its first 512 bytes; None where it is none."""
    if head[128:132] == b"DICM":
        return None
    if head.startswith(_ZIPS):
        return "zip"
    return "tar" if is_header(head) else None


def opened(source: Source) -> tuple[Source, Kind | None]:
    """Return the bytes that a source holds when all compression is undone, and what they are.

    Closing them closes the source.
    Raises Rejection where they cannot be unpacked.
    """
    for _ in range(_MOST_PACKINGS):
        head = source.pread(_HEAD, 0)
        packing = packing_of(head)
        if packing is None:
            return source, kind_of(head)
        source = Decompressed(source, packing)
    raise bad_container("compressed again and again")
