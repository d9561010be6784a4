"""The files of an archive, dealt to shards, and a random sample of them."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import polars as pl

from tagsight.archive.listing import NO_SITES, ListedFile, find
from tagsight.arrays import Bools, Int64s, UInt64s
from tagsight.errors import ArchiveError
from tagsight.run.atomic import telling_of_a_full_disk
from tagsight.run.progress import Progress
from tagsight.run.tables import LISTED

_BATCH = 50_000  # files held in memory


class Spill(NamedTuple):
    """A batch of files on disk, sorted by shard.

    ends: int64 (shards,), the row after the last of each shard.
    """

    path: Path
    ends: Int64s


def listed_with_shards(
    inputs: list[Path], shards: int, draw: int | float | None, seed: int
) -> pl.DataFrame:
    """Return all files of `inputs` in one table: see `shard_files`.

    Returns LISTED and shard (Int32), sorted by path.
    """
    with TemporaryDirectory() as folder:
        progress = Progress(None, "files found")
        parts = shard_files(inputs, shards, draw, seed, Path(folder), progress)
        numbered = [part.with_columns(shard=pl.lit(i, pl.Int32)) for i, part in enumerate(parts)]
    return pl.concat(numbered).sort("path")


def shard_files(
    inputs: list[Path],
    shards: int,
    draw: int | float | None,
    seed: int,
    folder: Path,
    progress: Progress,
    sites: Mapping[Path, str] = NO_SITES,
) -> Iterator[pl.DataFrame]:
    """Yield the files of `inputs`, or a random sample of them, shard by shard.

    draw, seed: see `FileSample`; folder: holds the files meanwhile, as only a batch of them, or a
    shard, is in memory; sites: see `listing.find`.
    Yields LISTED, sorted by path, whatever the order of inputs. Files of one folder are always of
    one shard, because a series lies in a folder. Each path is listed once.
    Raises ArchiveError where an input does not exist or cannot be read, or there is no file.
    """
    sample = FileSample(draw, seed)
    spills = list(_spilled(find(inputs, sites), shards, sample, folder, progress))
    if not progress.done:
        where = ", ".join(map(str, inputs))
        raise ArchiveError(f"input: no files in {where}; name a folder that holds DICOM files")
    for shard in range(shards):
        files = _of_shard(spills, shard)
        yield files.filter(pl.Series(sample.is_drawn(files["number"].to_numpy()))).drop("number")


def _spilled(
    files: Iterator[ListedFile],
    shards: int,
    sample: "FileSample",
    folder: Path,
    progress: Progress,
) -> Iterator[Spill]:
    for i, batch in enumerate(iter(lambda: list(islice(files, _BATCH)), [])):
        frame = pl.DataFrame(batch, schema=LISTED, orient="row")
        numbers = sample.offer(frame["path"].to_list())
        frame = frame.with_columns(_shards(frame["path"], shards), pl.Series("number", numbers))
        frame = frame.filter(pl.Series(sample.is_drawn(numbers))).sort("shard", maintain_order=True)
        spill = Spill(folder / f"{i}.parquet", np.cumsum(_counts(frame["shard"], shards)))
        with telling_of_a_full_disk(spill.path):
            frame.drop("shard").write_parquet(spill.path, row_group_size=_BATCH // 16)
        progress.add(len(batch))
        yield spill


def _shards(paths: pl.Series, shards: int) -> pl.Series:
    folders = paths.str.replace(r"[^/]*$", "")
    shard_by_folder = {folder: shard_of(folder, shards) for folder in folders.unique()}
    return folders.replace_strict(shard_by_folder, return_dtype=pl.Int32).alias("shard")


def _counts(shard: pl.Series, shards: int) -> Int64s:
    return np.bincount(shard.to_numpy(), minlength=shards)


def _of_shard(spills: list[Spill], shard: int) -> pl.DataFrame:
    """The shard's files; keeps the first row of each path."""
    parts = []
    for path, ends in spills:
        start = int(ends[shard - 1]) if shard else 0
        parts.append(pl.scan_parquet(path).slice(start, int(ends[shard]) - start).collect())
    return pl.concat(parts).unique("path", keep="first", maintain_order=True).sort("path")


def shard_of(folder: str, shards: int) -> int:
    """Return the shard of all files of a folder, from 0 on; the same on every machine."""
    return _number("", folder) % shards


class FileSample:
    """A random sample of paths: an int draws that many, a float that share, None all.

    Each path has a number, a hash of seed and path; the smallest are drawn. So the sample does not
    depend on the order of the paths, and a share keeps its files as an archive grows.
    """

    def __init__(self, draw: int | float | None, seed: int) -> None:
        self._draw = draw
        self._salt = f"{seed}\0"
        self._smallest = np.empty(0, np.uint64)

    def offer(self, paths: list[str]) -> UInt64s:
        """Offer paths to draw from; a repeated path counts once.

        Returns uint64 (paths,), their numbers.
        """
        if self._draw is None:
            return np.zeros(len(paths), np.uint64)
        numbers = np.array([_number(self._salt, path) for path in paths], np.uint64)
        if isinstance(self._draw, int):
            smallest = np.append(self._smallest, numbers[self.is_drawn(numbers)])
            self._smallest = np.unique(smallest)[: max(self._draw, 0)]
        return numbers

    def is_drawn(self, numbers: UInt64s) -> Bools:
        """Return which numbers are drawn, of the paths offered so far."""
        if isinstance(self._draw, float) and self._draw < 1:
            return numbers < np.uint64(math.ceil(self._draw * 2**64))
        if not isinstance(self._draw, int) or len(self._smallest) < self._draw:
            return np.ones(len(numbers), bool)
        return numbers <= self._smallest[-1] if self._draw > 0 else np.zeros(len(numbers), bool)


def sample_mask(paths: list[str], draw: int | float, seed: int) -> list[bool]:
    """Return which paths are drawn: see `FileSample`."""
    sample = FileSample(draw, seed)
    return sample.is_drawn(sample.offer(paths)).tolist()


def _number(salt: str, text: str) -> int:
    data = (salt + text).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
