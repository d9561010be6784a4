"""Reads the files of a shard into its table of tags, and keeps what it has read."""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from tagsight.archive.containers import expand
from tagsight.archive.opening import open_source
from tagsight.archive.paths import to_path
from tagsight.dicom.headers import Image, Rejected, Wanted
from tagsight.dicom.privacy import PIXEL_FACTS
from tagsight.reading.batch_reader import BATCH, Batch
from tagsight.reading.part_store import FIXED, ROWS, Parts, type_of
from tagsight.reading.reader_process import ReaderProcess
from tagsight.rejections import Rejection
from tagsight.run.hashing import keyed_hash
from tagsight.run.progress import LOG, Progress
from tagsight.run.tables import BOOKKEEPING

COMMIT_SECONDS = 20.0
FEW = 400  # files that the plain reader has read before the fast one is loaded
PASSING = ("unreadable", "vanished", "too_slow")  # may be otherwise next time: tried again
_KEY = {"path": pl.String, "size": pl.Int64, "mtime_ns": pl.Int64}
_BLOCK = 2**20


class Shard(NamedTuple):
    """The two tables of a shard; `tags` is read from the store as it is written elsewhere."""

    tags: pl.LazyFrame
    rejected: pl.DataFrame
    images: int


def read_shard(
    listing: pl.DataFrame, key: bytes, wanted: Wanted, store: Path, progress: Progress
) -> Shard:
    """The tags of the files in `listing` (path, size, mtime_ns; null = unknown), and what is not
    an image.

    Tags, all text: image, series, study, patient (keyed hashes, null where the file has none),
    path, `duplicate_uid`, `burned_in`, `undrawable`, `withheld` (keywords joined by `\\`), then one
    column per keyword, by name; the five pixel facts always. Rejected: path, reason, detail. Both
    are sorted by path. Of a container (`a.tar`) the members are read, as `a.tar!member`.

    Every image is a row of its own: of files in one folder with one SOP Instance UID and the same
    bytes the first by name is taken and the rest are rejected as `duplicate`; with different bytes
    all are taken, and `duplicate_uid` says yes. Copies in other folders are images too: folders
    may be of different shards, read by jobs that do not know of each other, and a result must not
    hang on the number of shards. Samples keep such copies together, for they share their patient
    and their series.

    What has been read is kept in `store`, under a name made from key and `wanted`, at least every
    20 s; a run that was killed goes on from there, and files that are as they were are not read
    again. The store holds no more than the two tables do.
    """
    parts = Parts(store / _name(key, wanted))
    files, refused = expand(listing)
    index = parts.index()
    stored = index.filter(~pl.col("reason").is_in(PASSING) | pl.col("reason").is_null())
    files = _with_sizes(files, stored)
    known = stored.join(files, on=list(_KEY), how="semi", nulls_equal=True)
    todo = files.join(known, on="path", how="anti", maintain_order="left")
    LOG.info("%d files, %d of them new", len(files), len(todo))
    progress.total = len(files)
    progress.resume(len(known))
    if len(todo):
        _read(todo, key, wanted, parts, progress)
        index = parts.index()
    index = index.join(files, on="path", how="semi")
    if parts.put_together(index):
        index = parts.index()
    return _shard(parts, index, refused)


def _name(key: bytes, wanted: Wanted) -> str:
    asked = [sorted(wanted.keep), sorted(wanted.undrawable), sorted(wanted.derive)]
    return keyed_hash(key, json.dumps(asked))


def _with_sizes(files: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Looks up what the list did not say of the files that the store knows: are they as they were?

    Files that it does not know are opened anyway, and tell then.
    """
    unknown = pl.col("size").is_null() | pl.col("mtime_ns").is_null()
    asked = files.filter(unknown & pl.col("path").is_in(stored["path"].implode()))
    if asked.is_empty():
        return files
    found = pl.DataFrame([_status(path) for path in asked["path"]], schema=_KEY, orient="row")
    return files.update(found, on="path")


def _status(path: str) -> tuple[str, int | None, int | None]:
    try:
        status = os.stat(to_path(path))
    except (OSError, ValueError):
        return path, None, None
    return path, status.st_size, status.st_mtime_ns


def _read(todo: pl.DataFrame, key: bytes, wanted: Wanted, parts: Parts, progress: Progress) -> None:
    """Reads files in the order of paths, since those of a series lie side by side."""
    with ReaderProcess(key, wanted, few=len(todo) <= FEW) as fence:
        rows, since = Rows(), time.monotonic()
        for some in todo.iter_slices(BATCH):
            for paths, batch in fence.read(some["path"].to_list()):
                rows.add(some, paths, batch)
            progress.add(len(some))
            if len(rows) >= ROWS or time.monotonic() - since > COMMIT_SECONDS:
                parts.add(rows.take())
                since = time.monotonic()
        if len(rows):
            parts.add(rows.take())


class Rows:
    """Batches on their way to a part of the store."""

    def __init__(self) -> None:
        self._frames: list[pl.DataFrame] = []
        self._columns: list[str] = []
        self._texts: list[str | None] = []
        self._generation = -1
        self._facts: list[dict[str, str | int | None]] = []
        self._codes: list[np.ndarray] = []
        self._others: list[dict[str, str | int | None]] = []

    def __len__(self) -> int:
        return len(self._facts) + len(self._others) + sum(map(len, self._frames))

    def add(self, listed: pl.DataFrame, paths: Sequence[str], batch: Batch) -> None:
        """Takes what was read of `paths`, which are among those `listed`."""
        if batch.generation != self._generation:
            self._settle()
            self._columns, self._texts = [], []
            self._generation = batch.generation
        self._columns += batch.columns
        self._texts += batch.texts
        told = {path: (size, mtime) for path, size, mtime in listed.select(list(_KEY)).iter_rows()}
        for rows, read in ((self._facts, batch.rows), (self._others, batch.others)):
            rows += [_row(paths[place], told[paths[place]], what) for place, what in read]
        self._codes.append(batch.codes)

    def take(self) -> pl.DataFrame:
        """The rows as a table, and none from then on."""
        self._settle()
        if self._others:
            names = dict.fromkeys(name for row in self._others for name in row)
            columns = {name: [row.get(name) for row in self._others] for name in names}
            schema = {name: type_of(name) for name in names}
            self._frames.append(pl.DataFrame(columns, schema=schema))
            self._others = []
        empty = pl.DataFrame(schema={name: type_of(name) for name in FIXED})
        frames, self._frames = self._frames, []
        return pl.concat([empty, *frames], how="diagonal")

    def _settle(self) -> None:
        """Turns numbers into texts, while it is known what they stand for."""
        if not self._facts:
            return
        schema = {name: type_of(name) for name in self._facts[0]}
        facts = pl.DataFrame(self._facts, schema=schema)
        codes = np.full((len(facts), len(self._columns)), len(self._texts), np.uint32)
        at = 0
        for some in self._codes:
            codes[at : at + len(some), : some.shape[1]] = np.where(some < 0, len(self._texts), some)
            at += len(some)
        texts = pl.lit(pl.Series([*self._texts, None], dtype=pl.String))
        filled = np.flatnonzero((codes != len(self._texts)).any(axis=0)).tolist()
        numbers = pl.DataFrame({self._columns[c]: codes[:, c] for c in filled})
        values = numbers.select(texts.gather(pl.col(name)).alias(name) for name in numbers.columns)
        self._frames.append(facts.hstack(values))
        self._facts, self._codes = [], []


def _row(
    path: str, told: tuple[int | None, int | None], read: Image | Rejected
) -> dict[str, str | int | None]:
    """The columns of the store. Size and time are those of the list, where it has them: by these
    the file will be looked up."""
    size, mtime_ns = told
    if isinstance(read, Rejected):
        if size is None or mtime_ns is None:
            _, size, mtime_ns = _status(path)
        return {"path": path, "size": size, "mtime_ns": mtime_ns, **vars(read)}
    facts = read._asdict()
    values = facts.pop("values")
    facts["withheld"] = "\\".join(read.withheld)
    facts["burned_in"] = "yes" if read.burned_in else None
    if size is not None and mtime_ns is not None:
        facts |= {"size": size, "mtime_ns": mtime_ns}
    return {"path": path, **facts, **values}


def _shard(parts: Parts, index: pl.DataFrame, refused: pl.DataFrame) -> Shard:
    """The two tables; copies inside a folder are judged here, when all is read."""
    rejected = index.filter(pl.col("reason").is_not_null()).select("path", "reason", "detail")
    images = index.filter(pl.col("reason").is_null())
    copies, shared = _copies(images)
    images = images.filter(~pl.col("path").is_in(copies.implode()))
    again = copies.to_frame().with_columns(reason=pl.lit("duplicate"), detail=pl.lit(""))
    spent = parts.size() > len(index) or not copies.is_empty()
    keywords = _found(parts, images) if spent else parts.keywords()
    schema = dict.fromkeys([*BOOKKEEPING, *sorted({*PIXEL_FACTS, *keywords})], pl.String)

    def source(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        for rows in parts.rows(images if n_rows is None else images.sort("path").head(n_rows)):
            frame = _complete(rows, list(schema), shared)
            frame = frame if predicate is None else frame.filter(predicate)
            yield frame if columns is None else frame.select(columns)

    return Shard(
        tags=register_io_source(source, schema=schema, is_pure=True),
        rejected=pl.concat([rejected, again, refused]).sort("path"),
        images=len(images),
    )


def _complete(rows: pl.DataFrame, names: list[str], shared: pl.Series) -> pl.DataFrame:
    """Rows with all the columns of the shard's table."""
    yes = pl.when(pl.col("path").is_in(shared.implode())).then(pl.lit("yes"))
    rows = rows.with_columns(duplicate_uid=yes)
    missing = [pl.lit(None, pl.String).alias(n) for n in names if n not in rows.columns]
    return rows.with_columns(missing).select(names)


def _found(parts: Parts, images: pl.DataFrame) -> set[str]:
    """Keywords with a value in any of the images."""
    found = set()
    for rows in parts.rows(images):
        counts = rows.select(pl.exclude(*FIXED).null_count()).row(0, named=True)
        found |= {name for name, missing in counts.items() if missing < len(rows)}
    return found


def _copies(images: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Paths whose bytes another of the folder with the same UID has, and those that share a UID."""
    folder = pl.col("path").str.replace(r"[^/]*$", "")
    several = images.sort("path").filter(
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
    copies = told.join(first, on="path", how="anti")["path"]
    return copies, first.filter(pl.len().over("folder", "instance") > 1)["path"]


def _content(path: str) -> str:
    """A digest of the file's bytes; of one that is gone since, its path, for nothing is known."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open_source(path) as source:
            for place in range(0, source.size, _BLOCK):
                digest.update(source.pread(_BLOCK, place))
    except Rejection:
        return path
    return digest.hexdigest()
