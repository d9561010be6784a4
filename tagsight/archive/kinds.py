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
_SKIPPABLE = b"\x2a\x4d\x18"  # of Zstandard (RFC 8878 3.1.2), after a byte from 50 to 5F
_UNKNOWN = (  # of which no library is at hand
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x1f\x9d", "compress"),
    (b"MSCF", "cab"),
)
_ZIPS = (b"PK\3\4", b"PK\5\6", b"PK\7\x08")


def packing_of(head: bytes) -> Packing | None:
    """Return how a file is compressed, by its first 512 bytes; None where it is not."""
    if head[128:132] == b"DICM":  # what stands in the preamble means nothing (PS3.10 7.1)
        return None
    if head[1:4] == _SKIPPABLE and head[0] >> 4 == 5:
        return "zst"
    packing = next((packing for mark, packing in _PACKINGS if head.startswith(mark)), None)
    return packing if packing != "bz2" or head[3:4].isdigit() else None


def kind_of(head: bytes) -> Kind | None:
    """Return which container a file is, by its first 512 bytes; None where it is none.

    Raises Rejection where it is one that cannot be read.
    """
    if head[128:132] == b"DICM":
        return None
    for mark, name in _UNKNOWN:
        if head.startswith(mark):
            raise bad_container(f"{name}, which is not read")
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
