"""Containers in a list of files, replaced by their members.

Containers are gone through in a supervised process, with limits of memory, and of time without
progress: a bomb is rejected, and takes nothing with it.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl

from tagsight.archive.opening import NAMES, NoContainer, open_container
from tagsight.archive.paths import is_of_a_system, to_path
from tagsight.archive.source import REASONS
from tagsight.rejections import MACHINES, Rejection
from tagsight.run.atomic import read_state, write_state
from tagsight.run.processes import CallLimits, Marker, Worker
from tagsight.run.tables import FILES, REJECTED

SECONDS = 20.0  # without a further block or member
MEMORY = 2 * 2**30  # bytes, for names of members and what is unpacked at once
LARGE = 2**24  # bytes of a container that takes a while to go through
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


def expand(
    listing: pl.DataFrame, *, every: bool = False, store: Path | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Replace each container by its members, and containers among these by theirs.

    listing: FILES (n,), null = unknown; every: whether all of these are containers, not only those
    that are called so; store: a folder that keeps what was found in large ones, which are gone
    through again only where they have changed.
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
            if (walked := _known(store, path)) is None:
                walked = _walked(worker, path)
                _keep(store, path, walked)
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


def _state_of(store: Path, path: str) -> Path:
    digest = hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=16)
    return store / f"container-{digest.hexdigest()}"


def _known(store: Path | None, path: str) -> Walked | None:
    """What was found in a container, where it has not changed since."""
    if store is None or (content := read_state(_state_of(store, path))) is None:
        return None
    members, rejected, size, mtime_ns = json.loads(content)
    try:
        status = os.stat(to_path(path.partition("!")[0]))
    except OSError:
        return None
    if (status.st_size, status.st_mtime_ns) != (size, mtime_ns):
        return None
    return Walked(members, [tuple(row) for row in rejected], size, mtime_ns)


def _keep(store: Path | None, path: str, walked: Walked) -> None:
    """Keep what was found in a container of which all is known."""
    failed = any(reason in MACHINES for _, reason, _ in walked.rejected)
    if store is None or walked.size < LARGE or "!" in path or not walked.members or failed:
        return
    write_state(json.dumps(walked).encode(), _state_of(store, path))


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
