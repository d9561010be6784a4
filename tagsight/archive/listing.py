"""The files of an archive: folders are walked, lists are read; no file of the archive is opened."""

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from tagsight.archive.paths import to_text
from tagsight.archive.source import patiently
from tagsight.errors import ArchiveError, TableError
from tagsight.rejections import Rejection
from tagsight.run.progress import LOG
from tagsight.run.user_files.csv_file import csv_head, csv_rows

LISTS = (".txt", ".csv", ".parquet")
_BATCH = 50_000  # files held in memory
# Snakemake puts its time stamp into a folder that a rule makes, as that of the demo.
_NOT_OF_THE_ARCHIVE = frozenset([".snakemake_timestamp"])
NO_SITES: Mapping[Path, str] = MappingProxyType({})


class ListedFile(NamedTuple):
    """A file: `path` in text form (see `paths.to_text`), bytes, ns since 1970; None = unknown."""

    path: str
    size: int | None
    mtime_ns: int | None
    site: str | None = None


def find(inputs: list[Path], sites: Mapping[Path, str] = NO_SITES) -> Iterator[ListedFile]:
    """Yield the files of folders, of lists (`.txt`, `.csv`, `.parquet`), and files named singly.

    sites: input -> the site that it is of, where it has one.
    Paths begin as the input is written, so that a run elsewhere on the same relative input has the
    same paths.
    Folders: regular files and links to them, folders in the order of names. A folder that is
    reached twice, as by a link to its parent, is walked once. Snakemake's own time stamp is passed
    over. A folder that cannot be listed is yielded itself, and a warning says how many there are,
    since the files in them are missing.
    Lists: a column `path`, and if present `size` (bytes), `mtime` (s), `mtime_ns`. A relative path
    starts from the list's folder; a path with `://` stays as it is. The files are not looked at.
    Raises ArchiveError where an input does not exist, or a list has no paths.
    """
    seen: set[tuple[int, int]] = set()
    failed: Counter[str] = Counter()
    for place in inputs:
        files, site = _under(place, seen, failed), sites.get(place)
        yield from files if site is None else (file._replace(site=site) for file in files)
    if failed:
        LOG.warning(
            "folders that could not be listed, so that the files in them are missing: %s; once "
            "disk and permissions are in order: snakemake --forcerun files",
            ", ".join(f"{count:,} ({why})" for why, count in sorted(failed.items())),
        )


def _under(place: Path, seen: set[tuple[int, int]], failed: "Counter[str]") -> Iterator[ListedFile]:
    if place.is_dir():
        yield from _walk(os.path.normpath(place), seen, failed)
    elif not place.is_file():
        raise ArchiveError(f"input: {place} does not exist; name a folder or a list of paths")
    elif place.suffix.lower() in LISTS:
        yield from _from_list(place)
    else:
        yield _listed_file(os.path.normpath(place), place.stat())


def _listed_file(path: str, status: os.stat_result | None) -> ListedFile:
    if status is None:
        return ListedFile(to_text(path), None, None)
    return ListedFile(to_text(path), status.st_size, status.st_mtime_ns)


def _walk(top: str, seen: set[tuple[int, int]], failed: "Counter[str]") -> Iterator[ListedFile]:
    """Walk depth first with a stack: no recursion limit, one open folder at a time.

    failed: counts why folders could not be listed.
    """
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                subfolders: list[str] = []
                yield from _files(folder, subfolders)
                folders += sorted(subfolders)
        except (OSError, Rejection) as error:
            told = error.detail if isinstance(error, Rejection) else os.strerror(error.errno or 0)
            failed[told or "vanished"] += 1
            yield ListedFile(to_text(folder), None, None)


def _files(folder: str, subfolders: list[str]) -> Iterator[ListedFile]:
    """The files of a folder; its folders are added to `subfolders`."""
    with patiently(lambda: os.scandir(folder)) as entries:
        for entry in entries:
            if entry.name in _NOT_OF_THE_ARCHIVE:
                continue
            if _is_folder(entry):
                subfolders.append(entry.path)
            elif (status := _status(entry)) is None or stat.S_ISREG(status.st_mode):
                yield _listed_file(entry.path, status)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder; a link to itself is not: it is listed, and rejected when read."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """Its status; None for a file that is gone or a dead link: rejected when read."""
    try:
        return entry.stat()
    except OSError:
        return None


def _from_list(place: Path) -> Iterator[ListedFile]:
    base = os.path.normpath(place.parent)
    for row in _rows(place):
        if row["path"]:
            path = row["path"] if "://" in row["path"] else os.path.join(base, row["path"])
            yield ListedFile(to_text(path), _integer(row.get("size")), _nanoseconds(row))


def _rows(place: Path) -> Iterator[dict[str, str]]:
    """Rows of a list, as text; Python's reader, since names need not be UTF-8."""
    if place.suffix.lower() == ".parquet":
        yield from _parquet_rows(place)
        return
    if place.suffix.lower() == ".txt":
        with place.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield from ({"path": line.rstrip("\r\n")} for line in file)
        return
    try:
        yield from _csv_rows(place)
    except TableError as error:
        raise ArchiveError(f"input: {error}") from None


def _csv_rows(place: Path) -> Iterator[dict[str, str]]:
    head = csv_head(place, ["path"], "surrogateescape")
    if "path" in head.columns:
        for row in csv_rows(place, head, "surrogateescape"):
            yield dict(zip(head.columns, row, strict=True))
    elif re.search(r"[/.]", head.columns[0]):  # no header: a path looks like a path
        yield {"path": head.columns[0]}
        yield from ({"path": row[0]} for row in csv_rows(place, head, "surrogateescape"))
    else:
        raise _no_column(place)


def _parquet_rows(place: Path) -> Iterator[dict[str, str]]:
    try:
        table = pl.scan_parquet(place, glob=False)
        names = table.collect_schema().names()
        count = table.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ArchiveError(f"input: {place} is not a parquet file; write it again") from error
    if "path" not in names:
        raise _no_column(place)
    columns = [n for n in ("path", "size", "mtime", "mtime_ns") if n in names]
    table = table.select(pl.col(columns).cast(pl.String))
    for start in range(0, count, _BATCH):
        yield from table.slice(start, _BATCH).collect().iter_rows(named=True)


def _no_column(place: Path) -> ArchiveError:
    return ArchiveError(f"input: {place} has no column `path`; name the column of paths `path`")


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _nanoseconds(row: dict[str, str]) -> int | None:
    if row.get("mtime_ns"):
        return _integer(row["mtime_ns"])
    seconds, _, part = (row.get("mtime") or "").partition(".")
    if not seconds.isdecimal() or not (part or "0").isdecimal():
        return None
    return int(seconds) * 10**9 + int(part[:9].ljust(9, "0"))
