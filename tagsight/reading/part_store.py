"""The reader's store: parts that are written while reading, and read back in order.

Every row has the columns of `FIXED`, then texts by keyword. A path is in several parts if its file
has changed meanwhile: the last part is valid. A part that is not as it was written is dropped, and
its files are read again. Two jobs may write into one store, where one was taken for dead and goes
on: no part is ever written over, and whoever misses one that the other has merged fails.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tagsight.run.atomic import forget_state, is_damaged, write_parquet

FIXED = (
    *("path", "size", "mtime_ns", "reason", "detail", "instance"),
    *("image", "series", "study", "patient", "burned_in", "undrawable", "withheld", "remark"),
)
ROWS = 8192
_INDEX = ["path", "size", "mtime_ns", "reason", "detail", "instance", "remark"]
_SPARE = 16  # parts beyond the number needed, before they are merged


def type_of(name: str) -> type[pl.DataType]:
    """Return the type of a column: sizes and times are whole numbers, all else is text."""
    return pl.Int64 if name in ("size", "mtime_ns") else pl.String


def _is_readable(part: Path) -> bool:
    """Whether a part has its columns: where it was cut, its checksum is gone, too."""
    try:
        return set(FIXED) <= set(pl.read_parquet_schema(part))
    except (pl.exceptions.PolarsError, OSError):
        return False


class Parts:
    """The parts in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer = os.urandom(4).hex()
        for part in self.paths():
            if is_damaged(part) or not _is_readable(part):
                forget_state(part)

    def paths(self) -> list[Path]:
        """Return the files in the order in which they were written."""
        return sorted(self.folder.glob("part-*.parquet"))

    def add(self, frame: pl.DataFrame) -> None:
        """Write one more part, sorted by path."""
        last = max((int(part.stem.split("-")[1]) for part in self.paths()), default=0)
        name = f"part-{last + 1:08d}-{self._writer}.parquet"
        write_parquet(frame.sort("path"), self.folder / name)

    def index(self) -> pl.DataFrame:
        """Return the row of each path without its texts, and the part (a file) that holds it."""
        empty = pl.DataFrame(schema={n: type_of(n) for n in _INDEX} | {"part": pl.String})
        indices = [
            pl.read_parquet(part, columns=_INDEX).with_columns(part=pl.lit(str(part)))
            for part in self.paths()
        ]
        return pl.concat([empty, *indices]).unique("path", keep="last", maintain_order=True)

    def rows(self, index: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Yield the whole rows of `index`, in the order of paths, a few thousand at a time.

        A part is in memory as long as it has paths to come. The parts of one run follow each other,
        so that one part of each run is in memory.
        """
        tables: dict[str, pl.DataFrame] = {}
        for block in index.select("path", "part").sort("path").iter_slices(ROWS):
            pieces = []
            for (part,), paths in block.group_by("part", maintain_order=True):
                tables[part] = tables[part] if part in tables else pl.read_parquet(part)
                pieces.append(tables[part].join(paths.select("path"), on="path", how="semi"))
            yield pl.concat(pieces, how="diagonal").sort("path")
            last = block["path"][-1]
            tables = {part: rows for part, rows in tables.items() if rows["path"][-1] > last}

    def size(self) -> int:
        """Return the number of rows in all parts, with those that are outdated."""
        counts = (pl.scan_parquet(part).select(pl.len()).collect().item() for part in self.paths())
        return sum(counts)

    def keywords(self) -> set[str]:
        """Return the columns of texts of all parts."""
        names = (name for part in self.paths() for name in pl.read_parquet_schema(part))
        return set(names) - {*FIXED}

    def merge(self, index: pl.DataFrame) -> bool:
        """Merge the parts if most of their rows are outdated, or there are very many.

        Returns whether it did. A kill meanwhile leaves rows twice, which does no harm.
        """
        old = self.paths()
        if len(old) <= len(index) // ROWS + _SPARE and self.size() <= 2 * len(index) + ROWS:
            return False
        for frame in self.rows(index):
            self.add(frame)
        for part in old:
            part.unlink(missing_ok=True)
        return True
