"""Encapsulated pixels (PS3.5 A.4): their fragments, and the fragments of one frame."""

import struct
from itertools import pairwise
from typing import Literal

from tagsight.archive.source import Source
from tagsight.dicom.tokenizer import MAX_VALUE, UNDEFINED
from tagsight.rejections import Rejection

MAX_ITEMS = 2**17
RLE_HEAD = 64  # bytes
_ITEM = b"\xfe\xff\x00\xe0"
_HEADS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")  # JPEG, JPEG 2000, JP2

Form = Literal["fragments", "bare", "native"]


def form_of(source: Source, offset: int, length: int, native: int) -> Form:
    """Return how pixels are written, whatever the transfer syntax says.

    length: of the element, UNDEFINED where the file says so; native: bytes that all frames would
    have if they were not compressed, 0 where the header does not tell.
    `fragments`: as PS3.5 A.4 has it, of undefined length or not; `bare`: one compressed frame
    without items around it; `native`: neither.
    """
    if length == UNDEFINED:
        return "fragments"
    if native and native <= length <= native + 1:  # nothing need be read of most files
        return "native"
    head = source.pread(12, offset)
    if head[:4] == _ITEM and _end(source, offset) >= offset + length - 8:  # perhaps a delimiter
        return "fragments"
    return "bare" if length < max(native, 1) and head.startswith(_HEADS) else "native"


def _end(source: Source, offset: int) -> int:
    places = items(source, offset)
    return sum(places[-1]) if places else 0


def items(source: Source, offset: int) -> list[tuple[int, int]]:
    """Return place and length of the offset table and of every fragment; empty if one is cut off.

    Items are found by their lengths, so that a delimiter inside a fragment is ignored. The last
    delimiter may be missing. After a fragment of odd length (PS3.5 A.4 has none) a byte of padding
    that was not counted is skipped.
    """
    places: list[tuple[int, int]] = []
    place = offset
    while place + 8 <= source.size and len(places) <= MAX_ITEMS:
        head = source.pread(9, place)
        if head[:4] != _ITEM and place % 2 != offset % 2 and head[1:5] == _ITEM:
            place, head = place + 1, head[1:]
        if head[:4] != _ITEM or len(head) < 8:
            break
        length = int(struct.unpack("<I", head[4:8])[0])
        places.append((place + 8, length))
        place += 8 + length
    return places if place <= source.size else []


def is_run_length_head(head: bytes) -> bool:
    """Return whether a frame begins with the header of RLE (PS3.5 G.5).

    That is: the number of segments, then the place of each, ascending from the header's end, then
    zeros.
    """
    if len(head) < RLE_HEAD:
        return False
    count, *places = struct.unpack_from("<16I", head)
    ascending = all(one < other for one, other in pairwise(places[:count]))
    return 0 < count < 16 and places[0] == RLE_HEAD and ascending and not any(places[count:])


def is_compressed_head(head: bytes) -> bool:
    """Return whether a frame begins like one of JPEG, JPEG-LS, JPEG 2000 or RLE."""
    return head.startswith(_HEADS) or is_run_length_head(head)


def frame_of(
    source: Source, offset: int, index: int, count: int, *, fragment_per_frame: bool
) -> bytes:
    """Return the bytes of frame `index` of `count`.

    fragment_per_frame: every fragment is a frame, unless they say themselves where frames begin.
    An Extended Offset Table is not needed: where there is one, every fragment is a frame. A Basic
    Offset Table is used only if it points at fragments: many are empty, zero or of another file.
    Raises Rejection where the frame cannot be found or is too large.
    """
    table, *fragments = items(source, offset) or [(0, 0)]
    if len(fragments) < count:
        raise Rejection("pixels_incomplete")
    if len(fragments) == count:
        return _joined(source, fragments[index : index + 1])
    starts = _by_table(source, table, fragments, count) or _by_heads(source, fragments, count)
    if not starts and fragment_per_frame:
        return _joined(source, fragments[index : index + 1])
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
    """Indices of fragments that begin a frame, by their first bytes."""
    starts = [
        number
        for number, (place, length) in enumerate(fragments)
        if is_compressed_head(source.pread(min(length, RLE_HEAD), place))
    ]
    return starts if starts[:1] == [0] and len(starts) >= count else []


def _joined(source: Source, fragments: list[tuple[int, int]]) -> bytes:
    if sum(length for _, length in fragments) > MAX_VALUE:
        raise Rejection("too_large", "frame")
    return b"".join(source.pread(length, place) for place, length in fragments)
