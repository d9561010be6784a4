"""Containers of files, and their members: tar, compressed tar, zip, one inside the other.

The path of a member has the text form `container!member`; names are only labels. Where several
members have one name, all are taken: the later ones have their number after it, `name (2)`.
"""

import weakref
from collections import Counter
from collections.abc import Container as Names
from collections.abc import Iterator

from tagsight.archive.decompression import Decompressed
from tagsight.archive.kinds import Kind
from tagsight.archive.source import (
    MAX_MEMBERS,
    MAX_NAMES,
    FileSource,
    Member,
    Source,
    bad_container,
)
from tagsight.archive.tars import tar_members
from tagsight.archive.zips import data_place, inflated, zip_members
from tagsight.rejections import Rejection
from tagsight.run.processes import alive

_BLOCK = 2**15  # covers 94 % of headers
_LONGEST = 4096  # bytes of a name: PATH_MAX of Linux


class Container:
    """An open container: what `opened` made of its source, which is closed with it.

    members: by name, in order of place; failure: why reading them ended early, or None; size: int,
    bytes, and mtime_ns: int, ns, both of its file; streamed: whether it is compressed as a whole.
    """

    def __init__(self, source: Source, data: Source, kind: Kind) -> None:
        weakref.finalize(self, source.close)
        self.size, self.mtime_ns = source.size, source.mtime_ns
        self._data, self._zipped = data, kind == "zip"
        self.streamed = isinstance(data, Decompressed)
        self.failure: Rejection | None = None
        self.members: dict[str, Member] = {}
        try:
            self._walk()
        except Rejection as rejection:
            self.failure = rejection

    def _walk(self) -> None:
        characters, named = 0, Counter[str]()
        for member in zip_members(self._data) if self._zipped else tar_members(self._data):
            alive()
            characters += len(member.name)
            member = _shortened(member, len(self.members))
            self.members[_told_apart(member.name, named, self.members)] = member
            if len(self.members) > MAX_MEMBERS:
                raise Rejection("too_large", "members")
            if characters > MAX_NAMES:
                raise Rejection("too_large", "names of members")

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
        if member.packed_size is not None or not isinstance(self._data, FileSource):
            return None
        place = data_place(self._data, member) if self._zipped else member.place
        return self._data.part(member.size, place, owner=self)

    def blocks(self, member: Member) -> Iterator[bytes]:
        """Yield the member's bytes, unpacked block by block, no more than its `size` in all.

        Raises Rejection where the member is damaged, now or as a block is asked for.
        """
        if member.packed_size is not None:
            return inflated(self._data, member)
        return self._cut(member, data_place(self._data, member) if self._zipped else member.place)

    def _cut(self, member: Member, start: int) -> Iterator[bytes]:
        for place in range(start, start + member.size, _BLOCK):
            yield self._data.pread(min(_BLOCK, start + member.size - place), place)


def _told_apart(name: str, named: Counter[str], taken: Names[str]) -> str:
    """The name of a member, with its number after it where others of this name came before."""
    named[name] += 1
    label = name if named[name] == 1 else f"{name} ({named[name]})"
    while label in taken:  # a member that is called so
        named[name] += 1
        label = f"{name} ({named[name]})"
    return label


def _shortened(member: Member, number: int) -> Member:
    """A member whose name is as long as names of files are; any other is not read."""
    if len(member.name) <= _LONGEST:
        return member
    return member._replace(name=f"{member.name[:100]}… ({number})", defect="long name")
