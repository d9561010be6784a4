"""Containers in a list of files, replaced by their members.

Containers are gone through in a supervised process, with limits of memory, and of time without
progress: a bomb is rejected, and takes nothing with it.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import polars as pl

from tagsight.archive.opening import NAMES, NoContainer, open_container
from tagsight.archive.paths import is_of_a_system
from tagsight.archive.source import REASONS
from tagsight.rejections import Rejection
from tagsight.run.processes import CallLimits, Marker, Worker
from tagsight.run.tables import FILES, REJECTED

SECONDS = 20.0  # without a further block or member
MEMORY = 2 * 2**30  # bytes, for names of members and what is unpacked at once
DEEPEST = 3  # containers, one inside the other
LISTED = 1000  # members of a container that are rejected one by one

_CONTAINER = re.compile(NAMES)
_Rejected = tuple[str, str, str]  # path, reason, detail


class Walked(NamedTuple):
    """What is in a container: paths of members that can be read, and rejected ones.

    size: bytes, mtime_ns: ns, of the outermost file; members: None where the file is no container.
    """

    members: list[str] | None
    rejected: list[_Rejected]
    size: int = 0
    mtime_ns: int = 0


def expand(listing: pl.DataFrame, *, every: bool = False) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Replace each container by its members, and containers among these by theirs.

    listing: FILES (n,), null = unknown; every: whether all of these are containers, not only those
    that are called so.
    Returns FILES, other files first, then members in order of place, so that a compressed tar is
    read in one pass; and REJECTED, for containers and members that cannot be read. A member has
    the container's size and mtime_ns: where these change, its members are read again.
    """
    named = pl.lit(True) if every else pl.col("path").str.contains(NAMES)
    files = [listing.filter(~named).select(pl.col(n).cast(t) for n, t in FILES.items())]
    rejected: list[_Rejected] = []
    worker: Worker[str, Walked] = Worker(_walking, CallLimits(SECONDS, MEMORY))
    try:
        for path, size, mtime_ns in listing.filter(named).select(list(FILES)).iter_rows():
            walked = _walked(worker, path)
            rejected += walked.rejected
            paths = [path] if walked.members is None else walked.members
            files.append(_rows(paths, size or walked.size, mtime_ns or walked.mtime_ns))
    finally:
        worker.end()
    return pl.concat(files), pl.DataFrame(rejected, schema=REJECTED, orient="row")


def _walked(worker: "Worker[str, Walked]", path: str) -> Walked:
    """What is in a container, with what is in those among its members that are called so."""
    if path.count("!") >= DEEPEST:
        return Walked([], [(path, "too_deep", "containers")])
    walked = worker.call(path)
    if not isinstance(walked, Walked):
        return Walked([], [(path, REASONS[walked], "container")])
    members: list[str] = []
    rejected = list(walked.rejected)
    for member in walked.members or ():
        if _CONTAINER.search(member):
            inner = _walked(worker, member)
            members += [member] if inner.members is None else inner.members
            rejected += inner.rejected
        else:
            members.append(member)
    return walked if walked.members is None else walked._replace(members=members, rejected=rejected)


def _walking(_: Marker) -> Callable[[str], Walked]:
    return _walk


def _walk(path: str) -> Walked:
    try:
        container = open_container(path)
    except NoContainer:
        return Walked(None, [])
    except Rejection as rejection:
        return Walked([], [(path, rejection.reason, rejection.detail)])
    members: list[str] = []
    rejected: list[_Rejected] = []
    for name, member in container.members.items():
        reason = "system_file" if is_of_a_system(name) and not member.size else "empty_file"
        if member.defect:
            rejected.append((f"{path}!{name}", "bad_container", member.defect))
        elif not member.size:
            rejected.append((f"{path}!{name}", reason, ""))
        else:
            members.append(f"{path}!{name}")
    rejected[LISTED:] = _together(path, rejected[LISTED:])
    if container.failure:
        rejected.append((path, container.failure.reason, container.failure.detail))
    elif not container.members:
        rejected.append((path, "empty_file", "no members"))
    return Walked(members, rejected, container.size, container.mtime_ns)


def _together(path: str, rejected: list[_Rejected]) -> list[_Rejected]:
    """One row for members beyond those that are listed."""
    reasons = {reason for _, reason, _ in rejected}
    detail = f"{len(rejected):,} more members"
    return [(path, reasons.pop() if len(reasons) == 1 else "bad_container", detail)][
        : len(rejected)
    ]


def _rows(paths: list[str], size: int, mtime_ns: int) -> pl.DataFrame:
    frame = pl.DataFrame({"path": paths}, schema={"path": pl.String})
    return frame.with_columns(
        pl.lit(size, pl.Int64).alias("size"), pl.lit(mtime_ns, pl.Int64).alias("mtime_ns")
    )
