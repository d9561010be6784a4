"""The members of a tar (POSIX ustar and pax, GNU), by a walk over its headers alone.

Names are only labels and never become paths of files, so absolute ones and `..` do no harm.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tagsight.archive.paths import to_text
from tagsight.archive.source import Member, Source, bad_container
from tagsight.rejections import Rejection

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_PADDING = 2**20 // _BLOCK  # blocks of zeros between two tars in one file
_MAX_EXTENDED = 2**20  # bytes of a pax header or a long name
_MOST_IDLE, _IDLE_PER_MEMBER = 100_000, 10  # headers without data: links, folders, empty files
_REGULAR, _WITHOUT_DATA, _NO_FILES = b"\x0007", b"123456", b"123456DNV"
_LONG_NAME, _LONG_LINK, _SPARSE = b"L", b"K", b"S"
_SHARED, _BEFORE = b"g", b"xXgLK"  # headers about the headers after them
_NAMES = (b"GNU.sparse.name", b"path")


class Header(NamedTuple):
    """The block before a member's data: `kind`, `name` and `size`, and where the data begin."""

    kind: bytes
    name: bytes
    size: int
    place: int


def tar_members(data: Source) -> Iterator[Member]:
    """Yield the files in a tar, in order; links, folders and devices are skipped.

    Raises Rejection where the tar is cut off, or is no tar, or goes on and on without data: the
    members before that are complete.
    """
    place, idle = 0, 0
    shared: dict[bytes, bytes] = {}
    next_only: dict[bytes, bytes] = {}
    while (header := _next_header(data, place)) is not None:
        idle += -_IDLE_PER_MEMBER if header.size and header.kind in _REGULAR else 1
        if idle > _MOST_IDLE:
            raise Rejection("too_large", "headers without data")
        if header.kind in _BEFORE:
            (shared if header.kind == _SHARED else next_only).update(_extended(data, header))
            place = _after(header.place, header.size)
            continue
        facts = shared | next_only if shared or next_only else next_only
        header = header._replace(size=_true_size(facts, header)) if facts else header
        place = header.place
        if header.kind not in _WITHOUT_DATA:
            place = _after(place, header.size)
            if not data.reaches(header.place + header.size):
                raise bad_container("cut off")
        if header.kind not in _NO_FILES:
            yield _member(facts, header)
        next_only = {}


def _after(place: int, size: int) -> int:
    return place + -(-size // _BLOCK) * _BLOCK


def _next_header(data: Source, place: int) -> Header | None:
    """The header at `place`, or after blocks of zeros there; None at the end.

    Two blocks of zeros end a tar, but another tar may follow in the same file.
    """
    block = data.pread(_BLOCK, place)
    start = place
    while block == _ZEROS and place - start < _PADDING * _BLOCK:
        place += _BLOCK
        block = data.pread(_BLOCK, place)
    if place > start and not is_header(block):
        return None
    if len(block) < _BLOCK:
        raise bad_container("cut off")
    if not is_header(block):
        raise bad_container("damaged" if place else "no tar")
    return _header(data, block, place + _BLOCK)


def is_header(block: bytes) -> bool:
    """Return whether a block is a tar's header: whether its checksum is right.

    Some old writers summed signed bytes.
    """
    try:
        checksum = _number(block[148:156]) if len(block) == _BLOCK else None
    except ValueError:
        return False
    total = sum(block) - sum(block[148:156]) + 256
    return checksum == total or checksum == total - 256 * sum(byte > 127 for byte in block)


def _header(data: Source, block: bytes, place: int) -> Header:
    kind, name = block[156:157], _text(block[:100])
    if kind == b"\0" and name.endswith(b"/"):  # a folder, before folders had a kind
        kind = b"5"
    if block[257:263] == b"ustar\0" and block[345]:
        name = _text(block[345:500]) + b"/" + name
    if kind == _SPARSE:
        place = _after_map(data, block, place)
    try:
        size = _number(block[124:136])
    except ValueError:
        raise bad_container("damaged") from None
    if size < 0:
        raise bad_container("damaged")
    return Header(kind, name, size, place)


def _after_map(data: Source, block: bytes, place: int) -> int:
    """Where the data of a GNU sparse member begin: its map may take further blocks."""
    more = block[482]
    while more:
        block = data.pread(_BLOCK, place)
        if len(block) < _BLOCK:
            raise bad_container("cut off")
        more = block[504]
        place += _BLOCK
    return place


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    """Octal digits, or base 256 where the first bit is set; else ValueError."""
    if field[0] in (0x80, 0xFF):
        return int.from_bytes(field[1:], "big") - (field[0] == 0xFF) * 256 ** (len(field) - 1)
    return int(_text(field).strip() or b"0", 8)


def _extended(data: Source, header: Header) -> dict[bytes, bytes]:
    """What a pax header or a long name says about the members after it."""
    if header.size > _MAX_EXTENDED:
        raise bad_container("long header")
    value = data.pread(header.size, header.place)
    if len(value) < header.size:
        raise bad_container("cut off")
    if header.kind == _LONG_LINK:
        return {}
    return {b"path": _text(value)} if header.kind == _LONG_NAME else dict(_records(value))


def _records(value: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The records of a pax header, `length key=value` and a line feed each."""
    place = 0
    while place < len(value) and value[place]:
        digits = value[place : place + 8].partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        record = value[place : place + length]
        key, equals, content = record[len(digits) + 1 : -1].partition(b"=")
        if not equals or not record.endswith(b"\n") or len(record) < length:
            raise bad_container("damaged")
        yield key, content
        place += length


def _true_size(facts: dict[bytes, bytes], header: Header) -> int:
    size = facts.get(b"size")
    if not size:
        return header.size
    if not size.isdigit() or len(size) > 19:
        raise bad_container("damaged")
    return int(size)


def _member(facts: dict[bytes, bytes], header: Header) -> Member:
    raw_name = next((facts[key] for key in _NAMES if facts.get(key)), header.name)
    name = to_text(_text(raw_name).decode("utf-8", "surrogateescape"))
    defect = "" if header.kind in _REGULAR else "kind of member"
    if header.kind == _SPARSE or any(key.startswith(b"GNU.sparse.") for key in facts):
        defect = "sparse"
    return Member(name, header.size, header.place, defect=defect)
