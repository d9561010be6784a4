"""Reads the files of a shard into its table of tags, and keeps what it has read."""

import hashlib
import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import polars as pl

from tagsight.archive import to_path
from tagsight.errors import DataError
from tagsight.hashing import keyed_hash
from tagsight.headers import PIXEL_FACTS, Image, Rejected, read_header
from tagsight.jobs import LOG, Progress
from tagsight.store import write_parquet

IDS = ("image", "series", "study", "patient", "path", "duplicate_uid", "withheld")
COMMIT_FILES = 2000
COMMIT_SECONDS = 20.0
PASSING = ("unreadable", "vanished")  # may be otherwise next time: never kept in the store
_KEY = {"path": pl.String, "size": pl.Int64, "mtime_ns": pl.Int64}
_FIXED = ("path", "size", "mtime_ns", "reason", "detail", "instance", *IDS[:4], "withheld")
_BLOCK = 2**20


def read_shard(
    listing: pl.DataFrame,
    key: bytes,
    keep: Collection[str],
    store: Path,
    progress: Progress,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # (images, …), (rejected, 3)
    """The tags of the files in `listing` (path, size, mtime_ns; null = unknown), and what is not
    an image.

    Tags, all text: image, series, study, patient (keyed hashes, null where the file has none),
    path, `duplicate_uid`, `withheld` (keywords joined by `\\`), then one column per keyword, by
    name; the five pixel facts always. Rejected: path, reason, detail. Both are sorted by path.

    Every image is a row of its own: of files in one folder with one SOP Instance UID and the same
    bytes the first by name is taken and the rest are rejected as `duplicate`; with different bytes
    all are taken, and `duplicate_uid` says yes. Copies in other folders are images too: folders
    may be of different shards, read by jobs that do not know of each other, and a result must not
    hang on the number of shards. Samples keep such copies together, for they share their patient
    and their series.

    What has been read is kept in `store`, under a name made from key and `keep`, at least every
    20 s; a run that was killed goes on from there, and files that are as they were are not read
    again. The store holds no more than the two tables do.
    """
    folder = store / keyed_hash(key, "\\".join(sorted(keep)))
    stored = _load(folder)
    listing = _with_sizes(listing.select(pl.col(n).cast(t) for n, t in _KEY.items()), stored)
    known = stored.join(listing, on=list(_KEY), how="semi", nulls_equal=True)
    todo = listing.join(known, on="path", how="anti")
    LOG.info("%d files, %d of them new", len(listing), len(todo))
    progress.resume(len(known))
    rows = pl.concat([known, *_read(todo, key, keep, folder, progress)], how="diagonal")
    rows = rows.sort("path")
    _compact(rows, folder)
    return _told_apart(rows)


def _with_sizes(listing: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Looks up what the list did not say of the files that the store knows: are they as they were?

    Files that it does not know are opened anyway, and tell then.
    """
    unknown = pl.col("size").is_null() | pl.col("mtime_ns").is_null()
    asked = listing.filter(unknown & pl.col("path").is_in(stored["path"].implode()))
    if asked.is_empty():
        return listing
    found = pl.DataFrame([_status(path) for path in asked["path"]], schema=_KEY, orient="row")
    return listing.update(found, on="path")


def _status(path: str) -> tuple[str, int | None, int | None]:
    try:
        status = os.stat(to_path(path))
    except OSError:
        return path, None, None
    return path, status.st_size, status.st_mtime_ns


def _read(
    todo: pl.DataFrame, key: bytes, keep: Collection[str], folder: Path, progress: Progress
) -> Iterator[pl.DataFrame]:
    """Tables of what was read, each one in the store before it is given out."""
    rows: list[dict[str, str | int | None]] = []
    since = time.monotonic()
    for path, size, mtime_ns in todo.iter_rows():
        rows.append(_row(path, size, mtime_ns, read_header(path, key, keep)))
        progress.add(1)
        if len(rows) >= COMMIT_FILES or time.monotonic() - since > COMMIT_SECONDS:
            yield _commit(rows, folder)
            rows, since = [], time.monotonic()
    if rows:
        yield _commit(rows, folder)


def _row(
    path: str, size: int | None, mtime_ns: int | None, read: Image | Rejected
) -> dict[str, str | int | None]:
    if isinstance(read, Rejected):
        if size is None or mtime_ns is None:
            _, size, mtime_ns = _status(path)
        facts = {"path": path, "size": size, "mtime_ns": mtime_ns}
        return facts | {"reason": read.reason, "detail": read.detail}
    return {
        "path": path,
        "size": read.size if size is None else size,
        "mtime_ns": read.mtime_ns if mtime_ns is None else mtime_ns,
        "image": read.image,
        "instance": read.instance,
        "series": read.series,
        "study": read.study,
        "patient": read.patient,
        "withheld": "\\".join(read.withheld),
        **read.values,
    }


def _commit(rows: list[dict[str, str | int | None]], folder: Path) -> pl.DataFrame:
    names = dict.fromkeys(name for row in rows for name in row) | dict.fromkeys(_FIXED)
    columns = {name: [row.get(name) for row in rows] for name in names}
    frame = pl.DataFrame(columns, schema={name: _type(name) for name in names})
    write_parquet(frame, _next_part(folder))
    return frame


def _type(name: str) -> type[pl.DataType]:
    return pl.Int64 if name in ("size", "mtime_ns") else pl.String


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _next_part(folder: Path) -> Path:
    last = max((int(part.stem[5:]) for part in _parts(folder)), default=0)
    return folder / f"part-{last + 1:08d}.parquet"


def _load(folder: Path) -> pl.DataFrame:
    """What the store holds: of a path that was read twice, the later."""
    empty = pl.DataFrame(schema={name: _type(name) for name in _FIXED})
    frame = pl.concat([empty, *map(pl.read_parquet, _parts(folder))], how="diagonal")
    frame = frame.filter(~pl.col("reason").is_in(PASSING) | pl.col("reason").is_null())
    return frame.unique("path", keep="last", maintain_order=True)


def _compact(rows: pl.DataFrame, folder: Path) -> None:
    """One part with what is still there, then the others go: a kill between leaves both."""
    old = _parts(folder)
    if len(old) == 1 and len(rows) == pl.scan_parquet(old).select(pl.len()).collect().item():
        return
    write_parquet(rows, _next_part(folder))
    for part in old:
        part.unlink()


def _told_apart(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The two tables; copies inside a folder are judged here, when all is read."""
    rejected = rows.filter(pl.col("reason").is_not_null()).select("path", "reason", "detail")
    images = rows.filter(pl.col("reason").is_null())
    copies, shared = _copies(images)
    images = images.filter(~pl.col("path").is_in(copies)).with_columns(
        pl.when(pl.col("path").is_in(shared)).then(pl.lit("yes")).alias("duplicate_uid")
    )
    again = pl.DataFrame({"path": copies}, schema={"path": pl.String}).with_columns(
        reason=pl.lit("duplicate"), detail=pl.lit("")
    )
    missing = [n for n in PIXEL_FACTS if n not in images.columns]
    images = images.with_columns(pl.lit(None, pl.String).alias(n) for n in missing)
    keywords = sorted(set(images.columns) - {*_FIXED, *IDS})
    filled = [n for n in keywords if n in PIXEL_FACTS or images[n].null_count() < len(images)]
    return images.select(*IDS, *filled), pl.concat([rejected, again]).sort("path")


def _copies(images: pl.DataFrame) -> tuple[list[str], list[str]]:
    """Paths whose bytes another of the folder with the same UID has, and those that share a UID."""
    folder = pl.col("path").str.replace(r"[^/]*$", "")
    several = images.filter(
        pl.col("instance").is_not_null() & (pl.len().over(folder, "instance") > 1)
    )
    told = several.select(
        "path",
        "instance",
        folder.alias("folder"),
        content=pl.Series(map(_content, several["path"]), dtype=pl.String),
    )
    same = ["folder", "instance", "content"]
    first = told.unique(same, keep="first", maintain_order=True)
    copies = told.join(first, on="path", how="anti")["path"].to_list()
    shared = first.filter(pl.len().over("folder", "instance") > 1)["path"].to_list()
    return copies, shared


def _content(path: str) -> str:
    """A digest of the file's bytes; of one that is gone since, its path, for nothing is known."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open(to_path(path), "rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError:
        return path
    return digest.hexdigest()


def check_reject_limit(n_files: int, n_rejected: int, limit: float) -> None:
    """Stops a run on an archive of which most is not images.

    Raises:
        DataError: more than the share `limit` of the files was rejected.
    """
    if n_rejected > limit * n_files:
        raise DataError(
            f"tags.reject_limit: {n_rejected:,} of {n_files:,} files are not images that can be "
            f"read, more than the {limit:.0%} allowed; see results/rejected, or raise the limit"
        )
