"""Finds the files of an archive: folders walked, ready lists read; nothing is opened here."""

import csv
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from tagsight.errors import ArchiveError

LISTS = (".txt", ".csv", ".parquet")
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
_STAT_NEEDED = {"path": pl.String, "size": pl.Int64, "mtime_ns": pl.Int64}


class Found(NamedTuple):
    """A file: `path` in text form (see `to_text`), size in bytes, mtime in ns; null if unknown."""

    path: str
    size: int | None
    mtime_ns: int | None


def listing(
    inputs: list[Path], shards: int, draw: int | float | None, seed: int
) -> pl.DataFrame:  # (files, 4)
    """All files of `inputs`, drawn and dealt: path, size, mtime_ns (null = unknown), shard (Int32).

    A path that is found twice is listed once. Rows are sorted by path, whatever the inputs' order.
    Files of one folder are always of one shard, because series lie in folders.

    Raises:
        ArchiveError: an input that does not exist or cannot be read, or no file in all of them.
    """
    found = pl.DataFrame(list(find(inputs)), schema=_STAT_NEEDED, orient="row")
    if found.is_empty():
        where = ", ".join(map(str, inputs))
        raise ArchiveError(f"input: no files in {where}; name a folder that holds DICOM files")
    found = found.unique("path", keep="first", maintain_order=True).sort("path")
    if draw is not None:
        found = found.filter(pl.Series(drawn(found["path"].to_list(), draw, seed)))
    folders = found["path"].str.replace(r"[^/]*$", "")
    shard_of_each = {f: shard_of(f, shards) for f in folders.unique()}
    return found.with_columns(
        folders.replace_strict(shard_of_each, return_dtype=pl.Int32).alias("shard")
    )


def find(inputs: list[Path]) -> Iterator[Found]:
    """The files of folders (walked), of lists (`.txt`, `.csv`, `.parquet`) and files named singly.

    Paths are as the input is written, so that a run elsewhere on the same relative input has the
    same paths. Folders: regular files, links to them too, in the order of names; a folder reached
    twice, as by a link to its parent, is walked once; one that may not be listed is yielded
    itself, so that it is accounted for as unreadable. Lists: relative paths from the list's
    folder, without a look at the files; a column `path`, and if present `size`, `mtime` (s),
    `mtime_ns`.

    Raises:
        ArchiveError: an input that does not exist, a list without paths.
    """
    seen: set[tuple[int, int]] = set()
    for place in inputs:
        if place.is_dir():
            yield from _walk(os.path.normpath(place), seen)
        elif not place.is_file():
            raise ArchiveError(f"input: {place} does not exist; name a folder or a list of paths")
        elif place.suffix.lower() in LISTS:
            yield from _from_list(place)
        else:
            yield _found(os.path.normpath(place), place.stat())


def _found(path: str, status: os.stat_result | None) -> Found:
    if status is None:
        return Found(to_text(path), None, None)
    return Found(to_text(path), status.st_size, status.st_mtime_ns)


def _walk(top: str, seen: set[tuple[int, int]]) -> Iterator[Found]:
    """Depth first with a stack of our own: no recursion limit, one open folder at a time."""
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            yield Found(to_text(folder), None, None)
            continue
        for entry in inside:
            if entry.is_dir():
                folders.append(entry.path)
            elif (status_of := _status(entry)) is None or stat.S_ISREG(status_of.st_mode):
                yield _found(entry.path, status_of)


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """None for what is gone since or leads nowhere: it is listed, and rejected when read."""
    try:
        return entry.stat()
    except OSError:
        return None


def _from_list(place: Path) -> Iterator[Found]:
    base = os.path.normpath(place.parent)
    for row in _rows(place):
        if row["path"]:
            path = os.path.join(base, row["path"])
            yield Found(to_text(path), _whole(row.get("size")), _nanoseconds(row))


def _rows(place: Path) -> Iterator[dict[str, str]]:
    """Rows of a list, as text; Python's reader, since names need not be UTF-8."""
    if place.suffix.lower() == ".parquet":
        yield from _parquet_rows(place)
        return
    with place.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        if place.suffix.lower() == ".txt":
            yield from ({"path": line.rstrip("\r\n")} for line in file)
            return
        first = next(csv.reader(file), [])
        if "path" in first:
            yield from csv.DictReader(file, fieldnames=first)
        elif first and re.search(r"[/.]", first[0]):  # no header: a path looks like a path
            yield {"path": first[0]}
            yield from ({"path": row[0]} for row in csv.reader(file) if row)
        else:
            raise _no_column(place)


def _parquet_rows(place: Path) -> Iterator[dict[str, str]]:
    try:
        table = pl.scan_parquet(place)
        names = table.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ArchiveError(f"input: {place} is not a parquet file; write it anew") from error
    if "path" not in names:
        raise _no_column(place)
    wanted = [n for n in ("path", "size", "mtime", "mtime_ns") if n in names]
    yield from table.select(pl.col(wanted).cast(pl.String)).collect().iter_rows(named=True)


def _no_column(place: Path) -> ArchiveError:
    return ArchiveError(f"input: {place} has no column `path`; name the column of paths `path`")


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _nanoseconds(row: dict[str, str]) -> int | None:
    if row.get("mtime_ns"):
        return _whole(row["mtime_ns"])
    whole, _, part = (row.get("mtime") or "").partition(".")
    if not whole.isdecimal() or not (part or "0").isdecimal():
        return None
    return int(whole) * 10**9 + int(part[:9].ljust(9, "0"))


def shard_of(folder: str, shards: int) -> int:
    """The shard, 0 ≤ shard < shards, of all files of a folder; the same on every machine."""
    return _number("", folder) % shards


def drawn(paths: list[str], draw: int | float, seed: int) -> list[bool]:
    """Which paths are drawn: an int draws that many, a float that share.

    Each path draws its own number from a hash of seed and path; the smallest numbers win. So the
    draw does not hang on the order of the paths, and a share keeps its files as an archive grows.
    """
    numbers = [_number(f"{seed}\0", path) for path in paths]
    if isinstance(draw, float):
        return [number < draw * 2**64 for number in numbers]
    limit = sorted(numbers)[: max(draw, 0)]
    return [bool(limit) and number <= limit[-1] for number in numbers]


def _number(salt: str, text: str) -> int:
    data = (salt + text).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


def to_text(path: str) -> str:
    """A path as text that any table can hold; `to_path` leads back to the same bytes.

    Bytes that are not UTF-8 become `\\xNN`, and so does `!`, which stands between a container and
    its member (see `member_text`). A path that needs this or already looks so gets its
    backslashes escaped too, so that no two paths share a text.
    """
    if path.isascii():
        if "!" not in path and ("\\" not in path or not _ESCAPED.search(path)):
            return path
    elif _is_plain(path):
        return path
    escaped = path.replace("\\", "\\x5c").replace("!", "\\x21")
    return os.fsencode(escaped).decode("utf-8", "backslashreplace")


def _is_plain(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return "!" not in path and not _ESCAPED.search(path)


def to_path(text: str) -> str:
    """The path that `to_text` wrote."""
    if "\\" not in text or not _ESCAPED.search(text):
        return text
    data = re.sub(
        rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode()
    )
    return os.fsdecode(data)


def member_text(container: str, name: str) -> str:
    """The text form `container!member` of a container's member; `container` is text already."""
    return f"{container}!{to_text(name)}"


def container_of(text: str) -> str:
    """The text form of the file that `text` is in: of its container, or its own."""
    return text.partition("!")[0]
