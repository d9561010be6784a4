"""Deals the files of an archive to shards, and draws some of them."""

import hashlib
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import polars as pl

from tagsight.archive.listing import find
from tagsight.errors import ArchiveError
from tagsight.run.progress import Progress

_BATCH = 50_000  # files held in memory


_COLUMNS = {"path": pl.String, "size": pl.Int64, "mtime_ns": pl.Int64}


class Spill(NamedTuple):
    """A batch of files on disk, sorted by shard: `ends` (shards,) says where each one ends."""

    path: Path
    ends: np.ndarray


def listing(
    inputs: list[Path], shards: int, draw: int | float | None, seed: int
) -> pl.DataFrame:  # (files, 4)
    """All files of `inputs` in one table, sorted by path: as `deal`, and the shard (Int32)."""
    with TemporaryDirectory() as folder:
        progress = Progress(None, "files found")
        parts = deal(inputs, shards, draw, seed, Path(folder), progress)
        numbered = [part.with_columns(shard=pl.lit(i, pl.Int32)) for i, part in enumerate(parts)]
    return pl.concat(numbered).sort("path")


def deal(
    inputs: list[Path],
    shards: int,
    draw: int | float | None,
    seed: int,
    folder: Path,
    progress: Progress,
) -> Iterator[pl.DataFrame]:
    """The files of `inputs`, drawn: shard by shard path, size, mtime_ns (null = unknown).

    Files of one folder are always of one shard, because series lie in folders. A path that is
    found twice is listed once. Rows are sorted by path, whatever the inputs' order. However many
    files there are, a batch of them or a shard is in memory; `folder` holds the rest meanwhile.

    Raises:
        ArchiveError: an input that does not exist or cannot be read, or no file in all of them.
    """
    drawing = Draw(draw, seed)
    spilled = list(_spilled(inputs, shards, drawing, folder, progress))
    if not progress.done:
        where = ", ".join(map(str, inputs))
        raise ArchiveError(f"input: no files in {where}; name a folder that holds DICOM files")
    for shard in range(shards):
        files = _of_shard(spilled, shard)
        yield files.filter(pl.Series(drawing.wins(files["number"].to_numpy()))).drop("number")


def _spilled(
    inputs: list[Path], shards: int, drawing: "Draw", folder: Path, progress: Progress
) -> Iterator[Spill]:
    found = find(inputs)
    for i, batch in enumerate(iter(lambda: list(islice(found, _BATCH)), [])):
        frame = pl.DataFrame(batch, schema=_COLUMNS, orient="row")
        numbers = drawing.draw(frame["path"].to_list())
        frame = frame.with_columns(_shards(frame["path"], shards), pl.Series("number", numbers))
        frame = frame.filter(pl.Series(drawing.wins(numbers))).sort("shard", maintain_order=True)
        spill = Spill(folder / f"{i}.parquet", np.cumsum(_counts(frame["shard"], shards)))
        frame.drop("shard").write_parquet(spill.path, row_group_size=_BATCH // 16)
        progress.add(len(batch))
        yield spill


def _shards(paths: pl.Series, shards: int) -> pl.Series:
    folders = paths.str.replace(r"[^/]*$", "")
    of_each = {folder: shard_of(folder, shards) for folder in folders.unique()}
    return folders.replace_strict(of_each, return_dtype=pl.Int32).alias("shard")


def _counts(shard: pl.Series, shards: int) -> np.ndarray:
    return np.bincount(shard.to_numpy(), minlength=shards)


def _of_shard(spilled: list[Spill], shard: int) -> pl.DataFrame:
    """Of a path that was found twice the first."""
    parts = []
    for path, ends in spilled:
        start = int(ends[shard - 1]) if shard else 0
        parts.append(pl.scan_parquet(path).slice(start, int(ends[shard]) - start).collect())
    return pl.concat(parts).unique("path", keep="first", maintain_order=True).sort("path")


def shard_of(folder: str, shards: int) -> int:
    """The shard, 0 ≤ shard < shards, of all files of a folder; the same on every machine."""
    return _number("", folder) % shards


class Draw:
    """Which paths are drawn: an int draws that many, a float that share, None all.

    Each path draws its own number from a hash of seed and path; the smallest numbers win. So the
    draw does not hang on the order of the paths, and a share keeps its files as an archive grows.
    """

    def __init__(self, draw: int | float | None, seed: int) -> None:
        self._draw = draw
        self._salt = f"{seed}\0"
        self._smallest = np.empty(0, np.uint64)

    def draw(self, paths: list[str]) -> np.ndarray:  # (paths,), uint64
        """The numbers of paths, known from now on; a path that comes again counts once."""
        if self._draw is None:
            return np.zeros(len(paths), np.uint64)
        numbers = np.array([_number(self._salt, path) for path in paths], np.uint64)
        if isinstance(self._draw, int):
            together = np.append(self._smallest, numbers[self.wins(numbers)])
            self._smallest = np.unique(together)[: max(self._draw, 0)]
        return numbers

    def wins(self, numbers: np.ndarray) -> np.ndarray:  # (n,), bool
        """Which numbers are drawn; of so many, among those known so far."""
        if isinstance(self._draw, float) and self._draw < 1:
            return numbers < np.uint64(math.ceil(self._draw * 2**64))
        if not isinstance(self._draw, int) or len(self._smallest) < self._draw:
            return np.ones(len(numbers), bool)
        return numbers <= self._smallest[-1] if self._draw > 0 else np.zeros(len(numbers), bool)


def drawn(paths: list[str], draw: int | float, seed: int) -> list[bool]:
    """Which paths are drawn, see `Draw`."""
    drawing = Draw(draw, seed)
    return drawing.wins(drawing.draw(paths)).tolist()


def _number(salt: str, text: str) -> int:
    data = (salt + text).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
