"""Containers of files: which there are, and what is in them (tar, compressed tar, zip).

A member goes by the text form `container!member`. Of members of one name the last one counts, as
when a tar is unpacked. A container in a container is a member like any other.
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

_NAMES = r"(?i)\.(?:tar|zip|tgz|tar\.(gz|bz2|xz))$"
_OPEN = 4  # containers of which a process remembers the members
_BLOCK = 2**15  # covers 94 % of headers
_COLUMNS = {"path": pl.String, "size": pl.Int64, "mtime_ns": pl.Int64}
_REJECTED = {"path": pl.String, "reason": pl.String, "detail": pl.String}


class Container:
    """An open container and its members by name; `failure` says why there may be more.

    `size` (bytes) and `mtime_ns` are its file's.
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
            self.members.pop(member.name, None)  # so that they stay in the order of place
            self.members[member.name] = member
            if len(self.members) > MAX_MEMBERS:
                raise Rejection("too_large", "members")

    def member(self, name: str) -> Member:
        """The member of a name (text form).

        Raises:
            Refused: there is none, or it cannot be read.
        """
        member = self.members.get(name)
        if member is None:
            raise self.failure or Rejection("vanished")
        if member.rejected:
            raise bad_container(member.rejected)
        return member

    def stored(self, member: Member) -> Source | None:
        """The member where it lies; None if it has to be unpacked.

        Raises:
            Refused: it is damaged.
        """
        if member.packed is not None or self._data is not self._source:
            return None
        place = data_place(self._source, member) if self._zipped else member.place
        return self._source.part(member.size, place, owner=self)

    def blocks(self, member: Member) -> Iterator[bytes]:
        """The member's bytes, unpacked block by block, in all no more than it says it has.

        Raises:
            Refused: it is damaged.
        """
        return inflated(self._source, member) if self._zipped else self._cut(member)

    def _cut(self, member: Member) -> Iterator[bytes]:
        for place in range(member.place, member.place + member.size, _BLOCK):
            yield self._data.pread(min(_BLOCK, member.place + member.size - place), place)


def opened(path: str) -> Container:
    """The container at `path` (text form); of the last few that were asked, remembered.

    Raises:
        Refused: it cannot be opened.
    """
    try:
        status = os.stat(to_path(path))
    except (OSError, ValueError) as error:
        raise rejection_of(error) from error
    return _remembered(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=_OPEN)
def _remembered(path: str, _size: int, _mtime_ns: int) -> Container:
    return Container(path)


def expand(listing: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:  # (files, 3), (rejected, 3)
    """A list of files (path, size, mtime_ns) with a row per member in place of each container.

    Other files come first; members follow in order of place, which is the order that reads a
    compressed tar in one pass. Their size and mtime_ns are those of the container, for it is the
    container's change that has them read anew. Beside it (path, reason, detail) of containers and
    members that cannot be read.
    """
    inside = pl.col("path").str.contains(_NAMES)
    files = [listing.filter(~inside).select(pl.col(n).cast(t) for n, t in _COLUMNS.items())]
    rejected: list[tuple[str, str, str]] = []
    for path, size, mtime_ns in listing.filter(inside).select(list(_COLUMNS)).iter_rows():
        try:
            container = opened(path)
        except Rejection as error:
            rejected.append((path, error.reason, error.detail))
            continue
        names, unread = _sorted_out(path, container)
        rejected += unread
        files.append(_rows(names, size or container.size, mtime_ns or container.mtime_ns))
    return pl.concat(files), pl.DataFrame(rejected, schema=_REJECTED, orient="row")


def _sorted_out(path: str, container: Container) -> tuple[list[str], list[tuple[str, str, str]]]:
    """The paths of members that can be read, and who cannot be and why."""
    names: list[str] = []
    unread: list[tuple[str, str, str]] = []
    for name, member in container.members.items():
        if member.rejected:
            unread.append((f"{path}!{name}", "bad_container", member.rejected))
        else:
            names.append(f"{path}!{name}")
    if container.failure:
        unread.append((path, container.failure.reason, container.failure.detail))
    elif not container.members:
        unread.append((path, "empty_file", "no members"))
    return names, unread


def _rows(paths: list[str], size: int, mtime_ns: int) -> pl.DataFrame:
    frame = pl.DataFrame({"path": paths}, schema={"path": pl.String})
    return frame.with_columns(
        pl.lit(size, pl.Int64).alias("size"), pl.lit(mtime_ns, pl.Int64).alias("mtime_ns")
    )


def _unpacked(path: str, source: Source) -> Source:
    found = re.search(_NAMES, path)
    suffix = found[0][1:].lower() if found else ""
    if suffix in ("tar", "zip"):
        return source
    return Decompressed(source, suffix.rpartition(".")[2])
