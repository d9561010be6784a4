"""A delivery to a finished run, files or a table, read in parts as the run read its images."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from tagsight.archive.sharding import shard_files
from tagsight.archive.sites import Site, named_sites, site_by_path
from tagsight.assigning.finished_run import FinishedRun
from tagsight.dicom.headers import ReaderOptions
from tagsight.errors import ArchiveError, ConfigError, DataError
from tagsight.reading import ready_table
from tagsight.reading.column_splits import Split
from tagsight.reading.ready_table_tags import tags
from tagsight.reading.shard_reader import Shard, read_shard
from tagsight.reading.site_tags import of_sites
from tagsight.run.plain_text import counted
from tagsight.run.progress import LOG, Progress
from tagsight.run.tables import REJECTED
from tagsight.run.user_files.table_config import SUFFIXES

ROWS = 2**16  # of a table, at a time


def input_sites(
    archive: str | Sequence[str] | Mapping[str, object] | None,
    run_input: str | Sequence[str] | Mapping[str, object] | None = None,
) -> dict[str | None, Site]:
    """Return where the new images are, by site (None: of no site), each with the run's own tables.

    archive: `assign.input`; run_input: `input`.
    Raises ConfigError where it is not set or names a site that `input` does not, ArchiveError where
    a path does not exist.
    """
    if archive is None:
        raise ConfigError(
            "assign.input: not set; set it to a folder or list of files (or, if the run used "
            "tags.table, to a table): snakemake assign … --config 'assign={input: /new/folder}'"
        )
    given = named_sites(archive)
    known = named_sites(run_input) if isinstance(run_input, Mapping) else {}
    for name in given:
        if name is not None and name not in known:
            sites = ", ".join(map(str, known)) or "none"
            raise ConfigError(
                f"assign.input: {name} is no site of `input`, whose sites are: {sites}"
            )
    for path in (path for site in given.values() for path in site.paths):
        if not path.exists():
            raise ArchiveError(f"assign.input: {path} does not exist; name what is there")
    return {
        name: known[name]._replace(paths=site.paths) if name in known else site
        for name, site in given.items()
    }


def not_applied(
    sites: Mapping[str | None, Site], run_input: str | Sequence[str] | Mapping[str, object] | None
) -> str | None:
    """Return what to say where sites of the run have own tables, and new files are of no site.

    sites: of `input_sites`; run_input: `input`. None where there is nothing to say.
    """
    known = named_sites(run_input) if isinstance(run_input, Mapping) else {}
    own = [str(name) for name, site in known.items() if site.units or site.body_parts]
    if None not in sites or not own:
        return None
    return (
        f"input has units or spellings of its own for {', '.join(own)}, and assign.input names no "
        "site, so none were applied: numbers of such a site are compared as if they were in the "
        f"standard's units. Of its files say so: assign={{input: {{{own[0]}: /new/folder}}}}"
    )


def read_parts(
    run: FinishedRun,
    sites: Mapping[str | None, Site],
    how: ReaderOptions,
    shards: int,
    folder: Path,
) -> Iterator[Shard]:
    """Yield the images of these sites in parts; use a part up before asking for the next.

    sites: of `input_sites`: for a run on files, folders, lists or files, which are dealt to
    `shards` parts by their folders; for a run on a ready table, tables with its columns; how: of
    the run's settings (`reader_options`); folder: for intermediate results.
    Raises ArchiveError or DataError where nothing can be read.
    """
    if "columns" in run.reader_settings:
        for site in sites.values():
            for path in site.paths:
                yield from _rows(run, path, how)
        return
    for number, files in enumerate(_listed(sites, shards, folder / "listed")):
        store = folder / f"read-{number:04d}"
        shard = read_shard(files, run.key, how, store, Progress(len(files), "files"))
        yield shard._replace(tags=of_sites(shard.tags, files, sites))


def _listed(sites: Mapping[str | None, Site], shards: int, folder: Path) -> Iterator[pl.DataFrame]:
    """The files of these sites, in the non-empty parts that `shard_files` makes.

    folder: for intermediate results, removed at the end.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    paths = [path for site in sites.values() for path in site.paths]
    with _as_input("input: "):
        progress = Progress(None, "files found")
        parts = shard_files(paths, shards, None, 0, folder, progress, site_by_path(sites))
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
        LOG.info(counted(count, "row"))
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
