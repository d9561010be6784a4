"""The reader of a shard: from its files to its table of tags; it stores what it has read."""

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

from tagsight.archive.expanding import DEEPEST, expand
from tagsight.archive.opening import open_source
from tagsight.archive.paths import to_path
from tagsight.archive.source import OF_THE_PATH
from tagsight.arrays import Int32s
from tagsight.dicom.headers import Image, ReaderOptions, RejectedFile
from tagsight.dicom.privacy import PIXEL_FACTS
from tagsight.errors import DataError
from tagsight.reading.batch_reader import BATCH, Batch, batch_size
from tagsight.reading.part_store import FIXED, ROWS, Parts, type_of
from tagsight.reading.reader_process import MEMORY, SECONDS, WANT, ReaderProcess
from tagsight.rejections import MACHINES, Rejection
from tagsight.run.hashing import keyed_hash
from tagsight.run.plain_text import counted
from tagsight.run.processes import FAILURES, alive, map_supervised
from tagsight.run.progress import LOG, Progress
from tagsight.run.tables import BOOKKEEPING, FILES

COMMIT_SECONDS = 20.0
MAX_PLAIN = 400  # files for which loading the fast tokenizer does not pay
MOST_HASHED = 2**31  # bytes of a file that is compared with others of its UID
_BLOCK = 2**20
_ANOTHER = "does another job read the same files? Let it end, and run again: what was read is kept"


class Shard(NamedTuple):
    """The two tables of a shard; `tags` is lazy: read from the store when it is collected."""

    tags: pl.LazyFrame
    rejected: pl.DataFrame
    images: int


def read_shard(
    listing: pl.DataFrame, key: bytes, options: ReaderOptions, store: Path, progress: Progress
) -> Shard:
    """Return the tags of the files in a listing, and the files that are not images.

    listing: path, size, mtime_ns (null = unknown); key: of the hashes; store: folder of what has
    been read.
    Returns tags, all text: image, series, study, patient (keyed hashes, null where the file has
    none), path, `duplicate_uid`, `burned_in`, `undrawable`, `withheld` (keywords joined by `\\`),
    then one column per keyword, by name, the five pixel facts always; and rejected: path, reason,
    detail. Both are sorted by path. A container (`a.tar`) is read as its members, `a.tar!member`.

    Each image is one row. Where files in one folder have the same SOP Instance UID and the same
    bytes, the first by name is kept and the others are rejected as `duplicate`; where their bytes
    differ all are kept, and `duplicate_uid` is yes. Copies in other folders are images: folders may
    be in different shards, read by independent jobs, and no result may depend on the number of
    shards. Samples keep such copies together, as they share their patient and their series.

    What has been read is written to `store` at least every 20 s, under a name made from `key` and
    `options`; a run that was killed continues there, and unchanged files are not read again. The
    store holds no more than the two tables.
    """
    parts = Parts(store / _name(key, options))
    files, bad_containers = expand(listing, store=parts.folder)
    index = parts.index()
    for _ in range(DEEPEST + 1):  # what turns out to be a container is read as its members
        index = _read_new(files, index, key, options, parts, progress)
        found = files.join(index.filter(reason="container"), on="path", how="semi")
        if found.is_empty():
            break
        members, more = expand(found, every=True, store=parts.folder)
        files = pl.concat([files.join(found, on="path", how="anti"), members])
        bad_containers = pl.concat([bad_containers, more])
    index = index.join(files, on="path", how="semi")
    if parts.merge(index):
        index = parts.index()
    if lost := len(files.join(index, on="path", how="anti")):
        raise DataError(f"of {counted(len(files), 'file')} {lost:,} were not read; {_ANOTHER}")
    _remark(index)
    return _shard(parts, index, bad_containers)


def require_all(written: Path | str, shard: Shard) -> None:
    """Raise DataError if the table of tags that was written of a shard lacks an image of it."""
    images = pl.scan_parquet(written).select(pl.len()).collect().item()
    if images != shard.images:
        raise DataError(
            f"{written}: has {images:,} of {counted(shard.images, 'image')}; {_ANOTHER}"
        )


def _read_new(
    files: pl.DataFrame,
    index: pl.DataFrame,
    key: bytes,
    options: ReaderOptions,
    parts: Parts,
    progress: Progress,
) -> pl.DataFrame:
    """Read the files that the store does not have as they are; returns its index after that."""
    valid = index.filter(_is_for_good())
    files = _with_sizes(files, valid)
    unchanged = valid.join(files, on=list(FILES), how="semi", nulls_equal=True)
    new = files.join(unchanged, on="path", how="anti", maintain_order="left")
    LOG.info("%s, %d of them new", counted(len(files), "file"), len(new))
    progress.total = len(files)
    progress.resume(len(unchanged) - progress.done)
    if new.is_empty():
        return index
    _read(new, key, options, parts, progress)
    return parts.index()


def _is_for_good() -> pl.Expr:
    """Whether what was read of a file tells of the file, not of the machine at that moment."""
    failed = pl.col("reason").is_in(MACHINES) | (pl.col("detail") == WANT)
    return pl.col("reason").is_null() | ~failed


def _remark(index: pl.DataFrame) -> None:
    """Say what could not be read although nothing is wrong with it, and what is wrong and read."""
    failed = index.filter(
        ~_is_for_good() & (pl.col("reason") != "vanished") & ~pl.col("detail").is_in(OF_THE_PATH)
    )
    if not failed.is_empty():
        what = pl.concat_str("reason", "detail", separator=" ", ignore_nulls=True).str.strip_chars()
        counts = failed.select(what=what)["what"].value_counts(sort=True).sort("what").rows()
        LOG.warning(
            "%s could not be read by this machine at this time (%s): see that disk, permissions "
            "and memory are in order; they are tried again whenever the rule runs: "
            "snakemake --forcerun tags",
            counted(len(failed), "file"),
            ", ".join(f"{what} {count:,}" for what, count in counts),
        )
    if remarked := index["remark"].drop_nulls().len():
        LOG.info("delimiters that close nothing were passed over in %d files", remarked)


def _name(key: bytes, options: ReaderOptions) -> str:
    content = [sorted(options.keep), sorted(options.undrawable), sorted(options.derive)]
    return keyed_hash(key, json.dumps(content))


def _with_sizes(files: pl.DataFrame, valid: pl.DataFrame) -> pl.DataFrame:
    """Fill in sizes and times that the listing lacks, for files in the store.

    They show whether a file is unchanged; files that are not in the store are opened anyway.
    """
    incomplete = pl.col("size").is_null() | pl.col("mtime_ns").is_null()
    lacking = files.filter(incomplete & pl.col("path").is_in(valid["path"].implode()))
    if lacking.is_empty():
        return files
    states = pl.DataFrame([_status(path) for path in lacking["path"]], schema=FILES, orient="row")
    return files.update(states, on="path")


def _status(path: str) -> tuple[str, int | None, int | None]:
    try:
        status = os.stat(to_path(path))
    except (OSError, ValueError):
        return path, None, None
    return path, status.st_size, status.st_mtime_ns


def _read(
    new: pl.DataFrame, key: bytes, options: ReaderOptions, parts: Parts, progress: Progress
) -> None:
    """Read files in the order of paths, which keeps files of a series together."""
    with ReaderProcess(key, options, plain=len(new) <= MAX_PLAIN) as reader:
        rows, since = PartRows(), time.monotonic()
        for files in new.iter_slices(min(BATCH, batch_size())):
            for paths, batch in reader.read(files["path"].to_list()):
                rows.add(files, paths, batch)
            progress.add(len(files))
            if len(rows) >= ROWS or time.monotonic() - since > COMMIT_SECONDS:
                parts.add(rows.take())
                since = time.monotonic()
        if len(rows):
            parts.add(rows.take())


class PartRows:
    """Rows of batches, collected for a part of the store."""

    def __init__(self) -> None:
        self._frames: list[pl.DataFrame] = []
        self._columns: list[str] = []
        self._texts: list[str | None] = []
        self._generation = -1
        self._facts: list[dict[str, str | int | None]] = []
        self._codes: list[Int32s] = []
        self._others: list[dict[str, str | int | None]] = []

    def __len__(self) -> int:
        return len(self._facts) + len(self._others) + sum(map(len, self._frames))

    def add(self, files: pl.DataFrame, paths: Sequence[str], batch: Batch) -> None:
        """Add what was read of `paths`; files: their rows of the listing, and others."""
        if batch.generation != self._generation:
            self._decode()
            self._columns, self._texts = [], []
            self._generation = batch.generation
        self._columns += batch.columns
        self._texts += batch.texts
        states = {path: state for path, *state in files.select(list(FILES)).iter_rows()}
        for rows, results in ((self._facts, batch.rows), (self._others, batch.others)):
            rows += [_row(paths[i], states[paths[i]], result) for i, result in results]
        self._codes.append(batch.codes)

    def take(self) -> pl.DataFrame:
        """Return the rows as a table, and drop them."""
        self._decode()
        if self._others:
            names = dict.fromkeys(name for row in self._others for name in row)
            columns = {name: [row.get(name) for row in self._others] for name in names}
            schema = {name: type_of(name) for name in names}
            self._frames.append(pl.DataFrame(columns, schema=schema))
            self._others = []
        empty = pl.DataFrame(schema={name: type_of(name) for name in FIXED})
        frames, self._frames = self._frames, []
        return pl.concat([empty, *frames], how="diagonal")

    def _decode(self) -> None:
        """Replace indices by texts, before a new generation of indices begins."""
        if not self._facts:
            return
        schema = {name: type_of(name) for name in self._facts[0]}
        facts = pl.DataFrame(self._facts, schema=schema)
        codes = np.full((len(facts), len(self._columns)), len(self._texts), np.uint32)
        at = 0
        for part in self._codes:
            codes[at : at + len(part), : part.shape[1]] = np.where(part < 0, len(self._texts), part)
            at += len(part)
        texts = pl.lit(pl.Series([*self._texts, None], dtype=pl.String))
        filled = np.flatnonzero((codes != len(self._texts)).any(axis=0)).tolist()
        numbers = pl.DataFrame({self._columns[c]: codes[:, c] for c in filled})
        values = numbers.select(texts.gather(pl.col(name)).alias(name) for name in numbers.columns)
        self._frames.append(facts.hstack(values))
        self._facts, self._codes = [], []


def _row(
    path: str, state: Sequence[int | None], result: Image | RejectedFile
) -> dict[str, str | int | None]:
    """A row of the store.

    state: size and time of the listing. Where the listing has them, the store takes them: the file
    will be looked up by them.
    """
    size, mtime_ns = state
    if isinstance(result, RejectedFile):
        if size is None or mtime_ns is None:
            _, size, mtime_ns = _status(path)
        return {"path": path, "size": size, "mtime_ns": mtime_ns, **vars(result)}
    facts = result._asdict()
    values = facts.pop("values")
    facts["withheld"] = "\\".join(result.withheld)
    facts["remark"] = result.remark or None
    facts["burned_in"] = "yes" if result.burned_in else None
    if size is not None and mtime_ns is not None:
        facts |= {"size": size, "mtime_ns": mtime_ns}
    return {"path": path, **facts, **values}


def _shard(parts: Parts, index: pl.DataFrame, bad_containers: pl.DataFrame) -> Shard:
    """The two tables; copies inside a folder are found here, once everything has been read."""
    rejected = index.filter(pl.col("reason").is_not_null()).select("path", "reason", "detail")
    rejected = rejected.with_columns(pl.col("reason").replace("container", "bad_container"))
    images = index.filter(pl.col("reason").is_null())
    copies, shared = _copies(images)
    images = images.filter(~pl.col("path").is_in(copies.implode()))
    duplicates = copies.to_frame().with_columns(reason=pl.lit("duplicate"), detail=pl.lit(""))
    has_outdated = parts.size() > len(index) or not copies.is_empty()
    keywords = _keywords(parts, images) if has_outdated else parts.keywords()
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
        rejected=pl.concat([rejected, duplicates, bad_containers]).sort("path"),
        images=len(images),
    )


def _complete(rows: pl.DataFrame, names: list[str], shared: pl.Series) -> pl.DataFrame:
    """Rows with all the columns of the shard's table."""
    yes = pl.when(pl.col("path").is_in(shared.implode())).then(pl.lit("yes"))
    rows = rows.with_columns(duplicate_uid=yes)
    missing = [pl.lit(None, pl.String).alias(n) for n in names if n not in rows.columns]
    return rows.with_columns(missing).select(names)


def _keywords(parts: Parts, images: pl.DataFrame) -> set[str]:
    """Keywords with a value in any of the images."""
    keywords = set()
    for rows in parts.rows(images):
        counts = rows.select(pl.exclude(*FIXED).null_count()).row(0, named=True)
        keywords |= {name for name, missing in counts.items() if missing < len(rows)}
    return keywords


def _copies(images: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Paths of copies of another file of their folder, and of other files that share a UID."""
    folder = pl.col("path").str.replace(r"[^/]*$", "")
    shared = images.sort("path").filter(
        pl.col("instance").is_not_null() & (pl.len().over(folder, "instance") > 1)
    )
    files = shared.select(
        "path",
        "instance",
        folder.alias("folder"),
        content=pl.Series(_contents(shared["path"].to_list()), dtype=pl.String),
    )
    same = ["folder", "instance", "content"]
    first = files.unique(same, keep="first", maintain_order=True)
    copies = files.join(first, on="path", how="anti")["path"]
    return copies, first.filter(pl.len().over("folder", "instance") > 1)["path"]


def _contents(paths: list[str]) -> list[str]:
    """A digest of each file's bytes; its path where these cannot be read or are far too many.

    In a supervised process, since a file may be one that ends a reader.
    """
    contents = list(paths)
    for place, digest in map_supervised(_digest, paths, 1, SECONDS, MEMORY):
        contents[place] = paths[place] if digest in FAILURES else digest
    return contents


def _digest(path: str) -> str:
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open_source(path) as source:
            if source.size > MOST_HASHED:
                return path
            for place in range(0, source.size, _BLOCK):
                alive()
                digest.update(source.pread(_BLOCK, place))
    except Rejection:
        return path
    return digest.hexdigest()
