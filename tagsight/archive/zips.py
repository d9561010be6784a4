"""The members of a zip, by its central directory.

Names are only labels and never become paths of files.
Source: PKWARE's APPNOTE 6.3.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from tagsight.archive.paths import to_text
from tagsight.archive.source import Member, Source, bad_container
from tagsight.rejections import Rejection

_BLOCK = 2**15  # covers 94 % of headers
_MAX_DIRECTORY = 2**28  # bytes: millions of members
_STORED, _DEFLATED = 0, 8
_END, _END_64, _LOCATOR = b"PK\5\6", b"PK\6\6", b"PK\6\7"
_HEAD = struct.Struct("<5xB2xHH4xIIIHHHH2xII")  # of an entry
_ENTRY, _LOCAL = b"PK\1\2", b"PK\3\4"
_ENTRY_SIZE, _LOCAL_SIZE, _END_SIZE, _END_64_SIZE, _LOCATOR_SIZE = 46, 30, 22, 56, 20
_IN_64, _IN_64_SHORT = 0xFFFFFFFF, 0xFFFF
_ENCRYPTED, _SIZES_FOLLOW, _UTF8 = 1, 8, 0x800
_UNIX, _LINK = 3, 0xA


class Directory(NamedTuple):
    """Where the central directory is; `shift`: bytes of data before the zip."""

    place: int
    size: int
    shift: int


class Entry(NamedTuple):
    """An entry of the central directory, as it is written there (APPNOTE 4.3.12)."""

    system: int
    flags: int
    method: int
    checksum: int
    packed_size: int
    size: int
    disk: int
    attributes: int
    place: int
    name: bytes


def zip_members(data: Source) -> Iterator[Member]:
    """Yield the files in a zip, in order of place; folders and symbolic links are skipped.

    Raises Rejection where it is no zip, or its directory is damaged or far too long.
    """
    directory = _directory(data)
    entries = list(_entries(data.pread(directory.size, directory.place)))
    entries.sort(key=lambda entry: entry.place)
    overlapping = _overlapping(entries, directory)
    for entry in entries:
        if not entry.name.endswith(b"/") and not _is_link(entry):
            defect = "overlapping" if entry.place in overlapping else _defect(entry)
            yield Member(
                name=_name(entry.name, entry.flags),
                size=entry.size,
                place=entry.place + directory.shift,
                packed_size=None if entry.method == _STORED else entry.packed_size,
                checksum=entry.checksum,
                defect=defect,
            )


def data_place(data: Source, member: Member) -> int:
    """Return the place of a member's first byte.

    Raises Rejection where its local header is missing, or contradicts the central directory.
    """
    head = data.pread(_LOCAL_SIZE, member.place)
    if len(head) < _LOCAL_SIZE or head[:4] != _LOCAL:
        raise bad_container("no local header")
    flags, method, checksum, packed, size, name, extra = struct.unpack("<6xHH4xIIIHH", head)
    same = _name(data.pread(name, member.place + _LOCAL_SIZE), flags) == member.name
    same &= method == (_STORED if member.packed_size is None else _DEFLATED)
    stored_size = member.size if member.packed_size is None else member.packed_size
    if not flags & _SIZES_FOLLOW:
        same &= checksum == member.checksum and packed in (stored_size, _IN_64)
        same &= size in (member.size, _IN_64)
    if not same or flags & _ENCRYPTED:
        raise bad_container("local header differs")
    place: int = member.place + _LOCAL_SIZE + name + extra
    if not data.reaches(place + stored_size):
        raise bad_container("cut off")
    return place


def inflated(data: Source, member: Member) -> Iterator[bytes]:
    """Return the bytes of a deflated member, block by block, no more than its `size`.

    Raises Rejection where it is damaged, now or as a block is asked for.
    """
    assert member.packed_size is not None
    return _inflated(data, member, data_place(data, member), member.packed_size)


def _inflated(data: Source, member: Member, place: int, packed_size: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    bytes_left, checksum = member.size, 0
    for packed in _blocks(data, place, place + packed_size):
        while bytes_left and (block := _next_block(unpacker, packed, bytes_left)):
            packed = unpacker.unconsumed_tail
            bytes_left -= len(block)
            checksum = zlib.crc32(block, checksum)
            if not bytes_left and checksum != member.checksum:
                raise bad_container("checksum")
            yield block
    if bytes_left:
        raise bad_container("cut off")


def _next_block(unpacker: "zlib._Decompress", packed: bytes, most: int) -> bytes:
    try:
        return unpacker.decompress(packed, min(_BLOCK, most))
    except zlib.error as error:
        raise bad_container("damaged") from error


def _blocks(data: Source, place: int, end: int) -> Iterator[bytes]:
    for start in range(place, end, _BLOCK):
        yield data.pread(min(_BLOCK, end - start), start)


def _directory(data: Source) -> Directory:
    tail_size = min(data.size, _END_SIZE + _LOCATOR_SIZE + 2**16)
    tail = data.pread(tail_size, data.size - tail_size)
    at = tail.rfind(_END, 0, len(tail) - _END_SIZE + 4)
    if at < 0:
        raise bad_container("no zip, or cut off")
    disk, first, count_here, count, size, place = struct.unpack_from("<4xHHHHII", tail, at)
    end = data.size - tail_size + at
    if at >= _LOCATOR_SIZE and tail.startswith(_LOCATOR, at - _LOCATOR_SIZE):
        disk, first, count_here, count, size, place, end = _end_64(data, end)
    if disk or first or count_here != count:
        raise bad_container("multi-disk")
    if size + place > end or size < count * _ENTRY_SIZE:
        raise bad_container("damaged")
    if size > _MAX_DIRECTORY:
        raise Rejection("too_large", "members")
    return Directory(end - size, size, end - size - place)


def _end_64(data: Source, end: int) -> tuple[int, int, int, int, int, int, int]:
    """The fields of the end record of a zip64, and its place.

    It lies before its locator. The place in the locator is wrong where data were put before the
    zip.
    """
    located, disks = struct.unpack("<8xQI", data.pread(_LOCATOR_SIZE, end - _LOCATOR_SIZE))
    if disks > 1:
        raise bad_container("multi-disk")
    for place in (end - _LOCATOR_SIZE - _END_64_SIZE, located):
        record = data.pread(_END_64_SIZE, place)
        if len(record) == _END_64_SIZE and record.startswith(_END_64):
            return *struct.unpack("<16xIIQQQQ", record), place
    raise bad_container("damaged")


def _entries(directory: bytes) -> Iterator[Entry]:
    place = 0
    while place < len(directory):
        head = directory[place : place + _ENTRY_SIZE]
        if len(head) < _ENTRY_SIZE or head[:4] != _ENTRY:
            raise bad_container("damaged")
        *facts, name, extra, comment, disk, attributes, local = _HEAD.unpack(head)
        place += _ENTRY_SIZE
        if place + name + extra + comment > len(directory):
            raise bad_container("damaged")
        text = directory[place : place + name]
        entry = Entry._make([*facts, disk, attributes, local, text])
        more = directory[place + name : place + name + extra]
        yield _with_64(entry, more) if _is_64(entry) else entry
        place += name + extra + comment


def _is_64(entry: Entry) -> bool:
    return _IN_64 in (entry.size, entry.packed_size, entry.place) or entry.disk == _IN_64_SHORT


def _with_64(entry: Entry, extra: bytes) -> Entry:
    """The entry with the numbers that did not fit taken from its extra field (APPNOTE 4.5.3)."""
    values = _long_values(extra)
    names = [name for name in ("size", "packed_size", "place") if getattr(entry, name) == _IN_64]
    if len(values) < len(names):
        return entry  # a number that equals the mark by chance is right
    long = dict(zip(names, values, strict=False))
    disk = 0 if entry.disk == _IN_64_SHORT else entry.disk
    return Entry._make((entry._asdict() | long | {"disk": disk}).values())


def _long_values(extra: bytes) -> list[int]:
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        if kind == 1:
            content = extra[place + 4 : place + 4 + length]
            return [v for (v,) in struct.iter_unpack("<Q", content[: len(content) // 8 * 8])]
        place += 4 + length
    return []


def _overlapping(entries: list[Entry], directory: Directory) -> set[int]:
    """Places of entries that share bytes, as in a zip bomb; no ordinary zip has them."""
    places: set[int] = set()
    last, end, limit = -1, 0, directory.place - directory.shift
    for entry in entries:
        if entry.place < end:
            places |= {last, entry.place}
        if (entry_end := _least_end(entry)) >= end:
            last, end = entry.place, entry_end
        if end > limit:
            places.add(entry.place)
    return places


def _least_end(entry: Entry) -> int:
    return entry.place + _LOCAL_SIZE + len(entry.name) + entry.packed_size


def _is_link(entry: Entry) -> bool:
    return entry.system == _UNIX and entry.attributes >> 28 == _LINK


def _defect(entry: Entry) -> str:
    """Why a member cannot be read; empty if it can."""
    if entry.flags & _ENCRYPTED:
        return "encrypted"
    if entry.method not in (_STORED, _DEFLATED):
        return f"method {entry.method}"
    if entry.disk:
        return "multi-disk"
    return "damaged" if entry.method == _STORED and entry.packed_size != entry.size else ""


def _name(name: bytes, flags: int) -> str:
    name = name.partition(b"\0")[0]
    return to_text(name.decode("utf-8" if flags & _UTF8 else "cp437", "surrogateescape"))
