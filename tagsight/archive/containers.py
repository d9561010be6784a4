"""Containers of files, and their members: tar, compressed tar, zip.

The path of a member has the text form `container!member`. Where several members have one name, the
last one is taken, as when a tar is unpacked. A container in a container is an ordinary member.
"""

import os
import re
import weakref
from collections.abc import Iterator
from functools import lru_cache

import polars as pl

from tagsight.archive.decompression import Decompressed
from tagsight.archive.paths import to_path
from tagsight.archive.source import (
    MAX_MEMBERS,
    Member,
    Source,
    bad_container,
    open_file,
    rejection_of,
)
from tagsight.archive.tars import tar_members
from tagsight.archive.zips import data_place, inflated, zip_members
from tagsight.rejections import Rejection
from tagsight.run.tables import FILES, REJECTED

_NAMES = r"(?i)\.(?:tar|zip|tgz|tar\.(gz|bz2|xz))$"
_OPEN = 4  # containers whose members a process keeps in memory
_BLOCK = 2**15  # covers 94 % of headers


class Container:
    """An open container.

    members: by name, in order of place; failure: why reading them ended early, or None; size: int,
    bytes, and mtime_ns: int, ns, both of its file.
    """

    def __init__(self, path: str) -> None:
        self._source = open_file(to_path(path))
        weakref.finalize(self, self._source.close)
        self.size, self.mtime_ns = self._source.size, self._source.mtime_ns
        self._zipped = path.lower().endswith(".zip")
        self._data = _unpacked(path, self._source)
        self.failure: Rejection | None = None
        self.members: dict[str, Member] = {}
        try:
            self._walk()
        except Rejection as rejection:
            self.failure = rejection

    def _walk(self) -> None:
        walk = zip_members(self._source) if self._zipped else tar_members(self._data)
        for member in walk:
            self.members.pop(member.name, None)  # keeps the order of place
            self.members[member.name] = member
            if len(self.members) > MAX_MEMBERS:
                raise Rejection("too_large", "members")

    def member(self, name: str) -> Member:
        """Return the member of a name (text form).

        Raises Rejection where it does not exist, or cannot be read.
        """
        member = self.members.get(name)
        if member is None:
            raise self.failure or Rejection("vanished")
        if member.defect:
            raise bad_container(member.defect)
        return member

    def stored(self, member: Member) -> Source | None:
        """Return the member as a part of the container's file, None if it has to be unpacked.

        Raises Rejection where the member is damaged.
        """
        if member.packed_size is not None or self._data is not self._source:
            return None
        place = data_place(self._source, member) if self._zipped else member.place
        return self._source.part(member.size, place, owner=self)

    def blocks(self, member: Member) -> Iterator[bytes]:
        """Yield the member's bytes, unpacked block by block, no more than its `size` in all.

        Raises Rejection where the member is damaged, now or as a block is asked for.
        """
        return inflated(self._source, member) if self._zipped else self._cut(member)

    def _cut(self, member: Member) -> Iterator[bytes]:
        for place in range(member.place, member.place + member.size, _BLOCK):
            yield self._data.pread(min(_BLOCK, member.place + member.size - place), place)


def open_container(path: str) -> Container:
    """Return the container at `path` (text form), cached if it has not changed.

    Raises Rejection where it cannot be opened.
    """
    try:
        status = os.stat(to_path(path))
    except (OSError, ValueError) as error:
        raise rejection_of(error) from error
    return _cached_container(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=_OPEN)
def _cached_container(path: str, _size: int, _mtime_ns: int) -> Container:
    return Container(path)


def expand(listing: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Replace each container by its members.

    listing: FILES (n,), null = unknown.
    Returns FILES, other files first, then members in order of place, so that a compressed tar is
    read in one pass; and REJECTED, for containers and members that cannot be read. A member has
    the container's size and mtime_ns: where these change, its members are read again.
    """
    is_container = pl.col("path").str.contains(_NAMES)
    files = [listing.filter(~is_container).select(pl.col(n).cast(t) for n, t in FILES.items())]
    rejected: list[tuple[str, str, str]] = []
    for path, size, mtime_ns in listing.filter(is_container).select(list(FILES)).iter_rows():
        try:
            container = open_container(path)
        except Rejection as error:
            rejected.append((path, error.reason, error.detail))
            continue
        readable, unreadable = _members(path, container)
        rejected += unreadable
        files.append(_rows(readable, size or container.size, mtime_ns or container.mtime_ns))
    return pl.concat(files), pl.DataFrame(rejected, schema=REJECTED, orient="row")


def _members(path: str, container: Container) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Paths of the members that can be read; path, reason and detail of the others."""
    readable: list[str] = []
    unreadable: list[tuple[str, str, str]] = []
    for name, member in container.members.items():
        if member.defect:
            unreadable.append((f"{path}!{name}", "bad_container", member.defect))
        else:
            readable.append(f"{path}!{name}")
    if container.failure:
        unreadable.append((path, container.failure.reason, container.failure.detail))
    elif not container.members:
        unreadable.append((path, "empty_file", "no members"))
    return readable, unreadable


def _rows(paths: list[str], size: int, mtime_ns: int) -> pl.DataFrame:
    frame = pl.DataFrame({"path": paths}, schema={"path": pl.String})
    return frame.with_columns(
        pl.lit(size, pl.Int64).alias("size"), pl.lit(mtime_ns, pl.Int64).alias("mtime_ns")
    )


def _unpacked(path: str, source: Source) -> Source:
    ending = re.search(_NAMES, path)
    suffix = ending[0][1:].lower() if ending else ""
    if suffix in ("tar", "zip"):
        return source
    return Decompressed(source, suffix.rpartition(".")[2])
