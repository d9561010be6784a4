"""The number of shards of an archive, for `tags.shards: null`: one per 100,000 files.

The plan needs it before any job has run, and every job on a cluster makes the plan anew for itself:
all have to come to the same number, without a walk. So only what is cheap to count is counted: the
rows of lists and tables, and the files that a draw takes at most. A folder is one shard.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path

from tagsight.archive.listing import LISTS
from tagsight.archive.sites import named_sites
from tagsight.run.plain_text import counted

PER_SHARD, MOST = 100_000, 1024
_BLOCK = 2**20  # bytes read at a time

Places = str | Sequence[str] | Mapping[str, object] | None


def shard_count(places: Places, table: str | None, draw: int | float | None) -> int:
    """Return the number of shards.

    places: `input` of the config; table, draw: `tags.table` and `tags.draw`. What does not exist
    counts nothing: that is another's to say.
    """
    paths = _paths(table or places)
    rows = [_rows(path) for path in paths if path.suffix.lower() in LISTS and path.is_file()]
    files = sum(rows)
    if isinstance(draw, int):
        files = min(files, draw) if len(rows) == len(paths) else draw
    elif draw is not None:
        files = ceil(files * draw)
    return min(max(1, ceil(files / PER_SHARD)), MOST)


def remark(files: int, shards: int) -> str | None:
    """Return a line where the shards hold far more files than one should; else None."""
    if files <= 2 * PER_SHARD * shards or shards == MOST:
        return None
    better = min(ceil(files / PER_SHARD), MOST)
    return (
        f"tags.shards: {counted(files, 'file')} are read in {counted(shards, 'part')}; "
        f"`tags.shards: {better}` lets as many be read side by side"
    )


def _paths(places: Places) -> list[Path]:
    sites = {} if places is None else named_sites(places)
    return [path for site in sites.values() for path in site.paths]


def _rows(path: Path) -> int:
    """Rows of a list or table, a header among them."""
    if path.suffix.lower() == ".parquet":
        return _parquet_rows(path)
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))


def _parquet_rows(path: Path) -> int:
    import polars as pl  # loads for a while, and every job makes the plan

    try:
        return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError):
        return 0  # the job that reads it says what is wrong
