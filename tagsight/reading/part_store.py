"""The store of what was read: parts that are written as reading goes, and read back in order.

Every row has the columns of `FIXED`, then texts by keyword. A path may be in several parts, when
its file has changed since: the last part tells.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tagsight.run.atomic import write_parquet

FIXED = (
    *("path", "size", "mtime_ns", "reason", "detail", "instance"),
    *("image", "series", "study", "patient", "burned_in", "undrawable", "withheld"),
)
ROWS = 8192
_INDEX = ["path", "size", "mtime_ns", "reason", "detail", "instance"]
_SPARE = 16  # parts more than needed before they are put together


def type_of(name: str) -> type[pl.DataType]:
    """Sizes and times are whole numbers, all else is text."""
    return pl.Int64 if name in ("size", "mtime_ns") else pl.String


class Parts:
    """The parts in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def paths(self) -> list[Path]:
        """In the order in which they were written."""
        return sorted(self.folder.glob("part-*.parquet"))

    def add(self, frame: pl.DataFrame) -> None:
        """Writes one part more, sorted by path."""
        last = max((int(part.stem[5:]) for part in self.paths()), default=0)
        write_parquet(frame.sort("path"), self.folder / f"part-{last + 1:08d}.parquet")

    def index(self) -> pl.DataFrame:
        """Of every path its row but for the texts, and the part (a file's name) that it is in."""
        empty = pl.DataFrame(schema={n: type_of(n) for n in _INDEX} | {"part": pl.String})
        tables = [
            pl.read_parquet(part, columns=_INDEX).with_columns(part=pl.lit(str(part)))
            for part in self.paths()
        ]
        return pl.concat([empty, *tables]).unique("path", keep="last", maintain_order=True)

    def rows(self, index: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """The whole rows that `index` names, in the order of paths, a few thousand at a time.

        A part is held as long as paths of it are still to come: those of one run follow on one
        another, so there is one of each run.
        """
        held: dict[str, pl.DataFrame] = {}
        for some in index.select("path", "part").sort("path").iter_slices(ROWS):
            pieces = []
            for (part,), wanted in some.group_by("part", maintain_order=True):
                held[part] = held[part] if part in held else pl.read_parquet(part)
                pieces.append(held[part].join(wanted.select("path"), on="path", how="semi"))
            yield pl.concat(pieces, how="diagonal").sort("path")
            last = some["path"][-1]
            held = {part: rows for part, rows in held.items() if rows["path"][-1] > last}

    def size(self) -> int:
        """How many rows the parts hold, spent ones too."""
        counts = (pl.scan_parquet(part).select(pl.len()).collect().item() for part in self.paths())
        return sum(counts)

    def keywords(self) -> set[str]:
        """The columns of texts of all parts."""
        names = (name for part in self.paths() for name in pl.read_parquet_schema(part))
        return set(names) - {*FIXED}

    def put_together(self, index: pl.DataFrame) -> bool:
        """Writes the parts anew when most of what they hold is spent, or they are very many.

        A kill while that goes on leaves rows twice, which is no harm.
        """
        old = self.paths()
        if len(old) <= len(index) // ROWS + _SPARE and self.size() <= 2 * len(index) + ROWS:
            return False
        for frame in self.rows(index):
            self.add(frame)
        for part in old:
            part.unlink()
        return True
