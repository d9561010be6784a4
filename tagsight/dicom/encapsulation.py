"""Encapsulated pixels (PS3.5 A.4): their fragments, and the fragments of one frame."""

import struct
from itertools import pairwise

from tagsight.archive.source import Source
from tagsight.dicom.tokenizer import MAX_VALUE
from tagsight.rejections import Rejection

MAX_ITEMS = 2**17
_ITEM = b"\xfe\xff\x00\xe0"
_HEADS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")  # JPEG, JPEG 2000, JP2


def items(source: Source, offset: int) -> list[tuple[int, int]]:
    """Return place and length of the offset table and of every fragment; empty if one is cut off.

    Items are found by their lengths, so that a delimiter inside a fragment is ignored. The last
    delimiter may be missing.
    """
    places: list[tuple[int, int]] = []
    place = offset
    while place + 8 <= source.size and len(places) <= MAX_ITEMS:
        head = source.pread(8, place)
        if head[:4] != _ITEM:
            break
        length = int(struct.unpack("<I", head[4:])[0])
        places.append((place + 8, length))
        place += 8 + length
    return places if place <= source.size else []


def frame_of(
    source: Source, offset: int, index: int, count: int, *, fragment_per_frame: bool
) -> bytes:
    """Return the bytes of frame `index` of `count`.

    fragment_per_frame: every fragment is a frame.
    An Extended Offset Table is not needed: where there is one, every fragment is a frame. A Basic
    Offset Table is used only if it points at fragments: many are empty, zero or of another file.
    Raises Rejection where the frame cannot be found or is too large.
    """
    table, *fragments = items(source, offset) or [(0, 0)]
    if len(fragments) < count:
        raise Rejection("pixels_incomplete")
    if fragment_per_frame or len(fragments) == count:
        return _joined(source, fragments[index : index + 1])
    starts = _by_table(source, table, fragments, count) or _by_heads(source, fragments, count)
    if not starts and count > 1:
        raise Rejection("pixels_incomplete", "frames")
    first, end = list(pairwise([*(starts or [0]), len(fragments)]))[index]
    return _joined(source, fragments[first:end])


def _by_table(
    source: Source, table: tuple[int, int], fragments: list[tuple[int, int]], count: int
) -> list[int]:
    """Indices of fragments that begin a frame, by the Basic Offset Table; empty if it is wrong."""
    data = source.pread(min(table[1], 4 * MAX_ITEMS), table[0])
    offsets = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
    numbers = {place - 8: number for number, (place, _) in enumerate(fragments)}
    origin = fragments[0][0] - 8
    starts = [numbers.get(origin + offset, -1) for offset in offsets]
    ascending = starts[:1] == [0] and all(one < other for one, other in pairwise(starts))
    return starts if ascending and len(starts) >= count else []


def _by_heads(source: Source, fragments: list[tuple[int, int]], count: int) -> list[int]:
    """Indices of fragments that begin a frame, by the first bytes of JPEG and JPEG 2000 images."""
    starts = [
        number for number, (place, _) in enumerate(fragments)
        if source.pread(8, place).startswith(_HEADS)
    ]  # fmt: skip
    return starts if starts[:1] == [0] and len(starts) >= count else []


def _joined(source: Source, fragments: list[tuple[int, int]]) -> bytes:
    if sum(length for _, length in fragments) > MAX_VALUE:
        raise Rejection("too_large", "frame")
    return b"".join(source.pread(length, place) for place, length in fragments)
