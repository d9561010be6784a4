"""A delivery to a finished run: files, or a table, read as the run's own were, in parts."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from tagsight.archive.dealing import deal
from tagsight.assigning.finished_run import FinishedRun
from tagsight.dicom.headers import Wanted
from tagsight.errors import ArchiveError, ConfigError, DataError
from tagsight.reading import ready_table
from tagsight.reading.column_splits import Split
from tagsight.reading.ready_table_tags import tags
from tagsight.reading.shard_reader import Shard, read_shard
from tagsight.run.jobs import LOG, Progress
from tagsight.run.table_config import SUFFIXES
from tagsight.run.tables import REJECTED
from tagsight.terms.body_parts import BodyParts

ROWS = 2**16  # of a table, at a time


def places(archive: str | Sequence[str] | None) -> list[Path]:
    """Return where the new images are: `assign.input`.

    Raises ConfigError where it is not set, ArchiveError where one of them is not there.
    """
    if archive is None:
        raise ConfigError(
            "assign.input: not set; name the folder or list of new files, of a run on a ready "
            "table the new table: snakemake assign … --config 'assign={input: /new/folder}'"
        )
    named = [Path(place) for place in ([archive] if isinstance(archive, str) else archive)]
    for place in named:
        if not place.exists():
            raise ArchiveError(f"assign.input: {place} does not exist; name what is there")
    return named


def delivered(
    run: FinishedRun, named: list[Path], spellings: pl.DataFrame, shards: int, folder: Path
) -> Iterator[Shard]:
    """Yield the images in these places, in parts; one is to be used up before the next.

    Of a run on files they are files, which are dealt to so many parts by their folders; `folder`
    holds what was read of them. Of a run on a ready table they are tables with its columns. Raises
    ArchiveError or DataError where there is nothing that can be read.
    """
    how = wanted(run.reading, spellings)
    if "columns" in run.reading:
        for place in named:
            yield from _rows(run, place, how)
        return
    for number, files in enumerate(_listed(named, shards, folder / "listed")):
        store = folder / f"read-{number:04d}"
        yield read_shard(files, run.key, how, store, Progress(len(files), "files"))


def wanted(reading: Mapping[str, Any], spellings: pl.DataFrame) -> Wanted:
    """Return what the reader is to keep, as the run's own had it."""
    derive = tuple(reading["derive_text"])
    return Wanted(
        keep=frozenset(reading["keep"]),
        undrawable=frozenset(reading.get("keep_undrawable", ())),
        derive=derive,
        vocabulary=BodyParts(spellings) if derive else None,
    )


def _listed(named: list[Path], shards: int, folder: Path) -> Iterator[pl.DataFrame]:
    """The files in these places, in the parts that `deal` makes, less those without any.

    `folder` holds what is not in memory meanwhile.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with _said_of_input("input: "):
        parts = deal(named, shards, None, 0, folder, Progress(None, "files found"))
        yield from (part for part in parts if len(part))
    shutil.rmtree(folder)


def _rows(run: FinishedRun, place: Path, how: Wanted) -> Iterator[Shard]:
    if place.suffix not in SUFFIXES or not place.is_file():
        raise ArchiveError(
            f"assign.input: {place} is no .parquet or .csv file; the run here is on a ready table "
            "(tags.table), and what is put into it is a table with the same columns"
        )
    splits = tuple(map(Split.from_config, run.reading["split"]))
    with _said_of_input("tags.table: "):
        rows = ready_table.open_table(place, ready_table.Layout(run.reading["columns"], splits))
        count = ready_table.summary(rows)["rows"]
        LOG.info("%d rows", count)
        for part in ready_table.deal(rows, -(-count // ROWS)):
            read = tags(part, rows, run.key, how)
            yield Shard(read.lazy(), pl.DataFrame(schema=REJECTED), len(read))


@contextmanager
def _said_of_input(key: str) -> Iterator[None]:
    """Say of `assign.input` what is said of another key."""
    try:
        yield
    except (ArchiveError, DataError) as error:
        raise type(error)(f"assign.input: {str(error).removeprefix(key)}") from None
