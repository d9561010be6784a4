"""A delivery to a finished run, files or a table, read in parts as the run read its images."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from tagsight.archive.sharding import shard_files
from tagsight.assigning.finished_run import FinishedRun
from tagsight.dicom.headers import ReaderOptions
from tagsight.errors import ArchiveError, ConfigError, DataError
from tagsight.reading import ready_table
from tagsight.reading.column_splits import Split
from tagsight.reading.ready_table_tags import tags
from tagsight.reading.shard_reader import Shard, read_shard
from tagsight.run.progress import LOG, Progress
from tagsight.run.table_config import SUFFIXES
from tagsight.run.tables import REJECTED

ROWS = 2**16  # of a table, at a time


def input_paths(archive: str | Sequence[str] | None) -> list[Path]:
    """Return where the new images are.

    archive: `assign.input`.
    Raises ConfigError where it is not set, ArchiveError where a path does not exist.
    """
    if archive is None:
        raise ConfigError(
            "assign.input: not set; set it to a folder or list of files (or, if the run used "
            "tags.table, to a table): snakemake assign … --config 'assign={input: /new/folder}'"
        )
    paths = [Path(path) for path in ([archive] if isinstance(archive, str) else archive)]
    for path in paths:
        if not path.exists():
            raise ArchiveError(f"assign.input: {path} does not exist; name what is there")
    return paths


def read_parts(
    run: FinishedRun,
    paths: list[Path],
    how: ReaderOptions,
    shards: int,
    folder: Path,
) -> Iterator[Shard]:
    """Yield the images under these paths in parts; use a part up before asking for the next.

    paths: for a run on files, folders, lists or files, which are dealt to `shards` parts by their
    folders; for a run on a ready table, tables with its columns; how: of the run's settings
    (`reader_options`); folder: for intermediate results.
    Raises ArchiveError or DataError where nothing can be read.
    """
    if "columns" in run.reader_settings:
        for path in paths:
            yield from _rows(run, path, how)
        return
    for number, files in enumerate(_listed(paths, shards, folder / "listed")):
        store = folder / f"read-{number:04d}"
        yield read_shard(files, run.key, how, store, Progress(len(files), "files"))


def _listed(paths: list[Path], shards: int, folder: Path) -> Iterator[pl.DataFrame]:
    """The files under these paths, in the non-empty parts that `shard_files` makes.

    folder: for intermediate results, removed at the end.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with _as_input("input: "):
        parts = shard_files(paths, shards, None, 0, folder, Progress(None, "files found"))
        yield from (part for part in parts if len(part))
    shutil.rmtree(folder)


def _rows(run: FinishedRun, path: Path, how: ReaderOptions) -> Iterator[Shard]:
    if path.suffix not in SUFFIXES or not path.is_file():
        raise ArchiveError(
            f"assign.input: {path} is no .parquet or .csv file; the run here is on a ready table "
            "(tags.table), and what is put into it is a table with the same columns"
        )
    splits = tuple(map(Split.from_config, run.reader_settings["split"]))
    with _as_input("tags.table: "):
        rows = ready_table.open_table(
            path, ready_table.Layout(run.reader_settings["columns"], splits)
        )
        count = ready_table.summary(rows)["rows"]
        LOG.info("%d rows", count)
        for part in ready_table.shard_rows(rows, -(-count // ROWS)):
            read = tags(part, rows, run.key, how)
            yield Shard(read.lazy(), pl.DataFrame(schema=REJECTED), len(read))


@contextmanager
def _as_input(key: str) -> Iterator[None]:
    """Make errors about another config key name `assign.input`."""
    try:
        yield
    except (ArchiveError, DataError) as error:
        raise type(error)(f"assign.input: {str(error).removeprefix(key)}") from None
