"""Finds the files of an archive: folders walked, ready lists read; nothing is opened here."""

import csv
import hashlib
import math
import os
import re
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import polars as pl

from tagsight.errors import ArchiveError
from tagsight.run.jobs import Progress

LISTS = (".txt", ".csv", ".parquet")
_BATCH = 50_000  # files held in memory
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
_COLUMNS = {"path": pl.String, "size": pl.Int64, "mtime_ns": pl.Int64}


class FoundFile(NamedTuple):
    """A file: `path` in text form (see `to_text`), size in bytes, mtime in ns; null if unknown."""

    path: str
    size: int | None
    mtime_ns: int | None


class Spill(NamedTuple):
    """A batch of files on disk, sorted by shard: `ends` (shards,) says where each one ends."""

    path: Path
    ends: np.ndarray


def listing(
    inputs: list[Path], shards: int, draw: int | float | None, seed: int
) -> pl.DataFrame:  # (files, 4)
    """All files of `inputs` in one table, sorted by path: as `deal`, and the shard (Int32)."""
    with TemporaryDirectory() as folder:
        progress = Progress(None, "files found")
        parts = deal(inputs, shards, draw, seed, Path(folder), progress)
        numbered = [part.with_columns(shard=pl.lit(i, pl.Int32)) for i, part in enumerate(parts)]
    return pl.concat(numbered).sort("path")


def deal(
    inputs: list[Path],
    shards: int,
    draw: int | float | None,
    seed: int,
    folder: Path,
    progress: Progress,
) -> Iterator[pl.DataFrame]:
    """The files of `inputs`, drawn: shard by shard path, size, mtime_ns (null = unknown).

    Files of one folder are always of one shard, because series lie in folders. A path that is
    found twice is listed once. Rows are sorted by path, whatever the inputs' order. However many
    files there are, a batch of them or a shard is in memory; `folder` holds the rest meanwhile.

    Raises:
        ArchiveError: an input that does not exist or cannot be read, or no file in all of them.
    """
    drawing = Draw(draw, seed)
    spilled = list(_spilled(inputs, shards, drawing, folder, progress))
    if not progress.done:
        where = ", ".join(map(str, inputs))
        raise ArchiveError(f"input: no files in {where}; name a folder that holds DICOM files")
    for shard in range(shards):
        files = _of_shard(spilled, shard)
        yield files.filter(pl.Series(drawing.wins(files["number"].to_numpy()))).drop("number")


def _spilled(
    inputs: list[Path], shards: int, drawing: "Draw", folder: Path, progress: Progress
) -> Iterator[Spill]:
    found = find(inputs)
    for i, batch in enumerate(iter(lambda: list(islice(found, _BATCH)), [])):
        frame = pl.DataFrame(batch, schema=_COLUMNS, orient="row")
        numbers = drawing.draw(frame["path"].to_list())
        frame = frame.with_columns(_shards(frame["path"], shards), pl.Series("number", numbers))
        frame = frame.filter(pl.Series(drawing.wins(numbers))).sort("shard", maintain_order=True)
        spill = Spill(folder / f"{i}.parquet", np.cumsum(_counts(frame["shard"], shards)))
        frame.drop("shard").write_parquet(spill.path, row_group_size=_BATCH // 16)
        progress.add(len(batch))
        yield spill


def _shards(paths: pl.Series, shards: int) -> pl.Series:
    folders = paths.str.replace(r"[^/]*$", "")
    of_each = {folder: shard_of(folder, shards) for folder in folders.unique()}
    return folders.replace_strict(of_each, return_dtype=pl.Int32).alias("shard")


def _counts(shard: pl.Series, shards: int) -> np.ndarray:
    return np.bincount(shard.to_numpy(), minlength=shards)


def _of_shard(spilled: list[Spill], shard: int) -> pl.DataFrame:
    """Of a path that was found twice the first."""
    parts = []
    for path, ends in spilled:
        start = int(ends[shard - 1]) if shard else 0
        parts.append(pl.scan_parquet(path).slice(start, int(ends[shard]) - start).collect())
    return pl.concat(parts).unique("path", keep="first", maintain_order=True).sort("path")


def find(inputs: list[Path]) -> Iterator[FoundFile]:
    """The files of folders (walked), of lists (`.txt`, `.csv`, `.parquet`) and files named singly.

    Paths are as the input is written, so that a run elsewhere on the same relative input has the
    same paths. Folders: regular files, links to them too, those of a folder in the system's order,
    folders in the order of names; a folder reached twice, as by a link to its parent, is walked
    once; one that may not be listed is yielded itself, so that it is accounted for as unreadable.
    Lists: relative paths from the list's
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


def _found(path: str, status: os.stat_result | None) -> FoundFile:
    if status is None:
        return FoundFile(to_text(path), None, None)
    return FoundFile(to_text(path), status.st_size, status.st_mtime_ns)


def _walk(top: str, seen: set[tuple[int, int]]) -> Iterator[FoundFile]:
    """Depth first with a stack of our own: no recursion limit, one open folder at a time."""
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                inside: list[str] = []
                yield from _files(folder, inside)
                folders += sorted(inside)
        except OSError:
            yield FoundFile(to_text(folder), None, None)


def _files(folder: str, inside: list[str]) -> Iterator[FoundFile]:
    """The files of a folder; its folders are put `inside`."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if _is_folder(entry):
                inside.append(entry.path)
            elif (status := _status(entry)) is None or stat.S_ISREG(status.st_mode):
                yield _found(entry.path, status)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """A link to itself is none: it is listed, and rejected when read."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """None for what is gone since or leads nowhere: it is listed, and rejected when read."""
    try:
        return entry.stat()
    except OSError:
        return None


def _from_list(place: Path) -> Iterator[FoundFile]:
    base = os.path.normpath(place.parent)
    for row in _rows(place):
        if row["path"]:
            path = os.path.join(base, row["path"])
            yield FoundFile(to_text(path), _whole(row.get("size")), _nanoseconds(row))


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
        count = table.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ArchiveError(f"input: {place} is not a parquet file; write it anew") from error
    if "path" not in names:
        raise _no_column(place)
    wanted = [n for n in ("path", "size", "mtime", "mtime_ns") if n in names]
    table = table.select(pl.col(wanted).cast(pl.String))
    for start in range(0, count, _BATCH):
        yield from table.slice(start, _BATCH).collect().iter_rows(named=True)


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


class Draw:
    """Which paths are drawn: an int draws that many, a float that share, None all.

    Each path draws its own number from a hash of seed and path; the smallest numbers win. So the
    draw does not hang on the order of the paths, and a share keeps its files as an archive grows.
    """

    def __init__(self, draw: int | float | None, seed: int) -> None:
        self._draw = draw
        self._salt = f"{seed}\0"
        self._smallest = np.empty(0, np.uint64)

    def draw(self, paths: list[str]) -> np.ndarray:  # (paths,), uint64
        """The numbers of paths, known from now on; a path that comes again counts once."""
        if self._draw is None:
            return np.zeros(len(paths), np.uint64)
        numbers = np.array([_number(self._salt, path) for path in paths], np.uint64)
        if isinstance(self._draw, int):
            together = np.append(self._smallest, numbers[self.wins(numbers)])
            self._smallest = np.unique(together)[: max(self._draw, 0)]
        return numbers

    def wins(self, numbers: np.ndarray) -> np.ndarray:  # (n,), bool
        """Which numbers are drawn; of so many, among those known so far."""
        if isinstance(self._draw, float) and self._draw < 1:
            return numbers < np.uint64(math.ceil(self._draw * 2**64))
        if not isinstance(self._draw, int) or len(self._smallest) < self._draw:
            return np.ones(len(numbers), bool)
        return numbers <= self._smallest[-1] if self._draw > 0 else np.zeros(len(numbers), bool)


def drawn(paths: list[str], draw: int | float, seed: int) -> list[bool]:
    """Which paths are drawn, see `Draw`."""
    drawing = Draw(draw, seed)
    return drawing.wins(drawing.draw(paths)).tolist()


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
