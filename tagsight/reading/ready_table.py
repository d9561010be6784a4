"""A ready table of tags in place of DICOM files: opened, checked, dealt to shards.

A row is an image, or a series if the table is of series; the config names its columns. Their tags
are made in `ready_table_tags`.
"""

import difflib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from tagsight.archive.sharding import sample_mask
from tagsight.errors import ArchiveError, DataError
from tagsight.reading.column_splits import Split, counts

ROW = "row of the table"  # from 0
_BATCH = 2**16


class Layout(NamedTuple):
    """What the columns of a table hold.

    columns: DICOM keyword (or image, series, …) -> column; splits: of columns with several tags.
    """

    columns: dict[str, str]
    splits: tuple[Split, ...]

    @property
    def read(self) -> list[str]:
        """Return the columns of the table that are read."""
        split = [name for split in self.splits for name in split.columns]
        return list(dict.fromkeys([*self.columns.values(), *split]))


class ReadyTable(NamedTuple):
    """A table at `place`; rows: lazy, the columns that are read, as text, and ROW."""

    place: Path
    rows: pl.LazyFrame
    layout: Layout


def open_table(place: Path, layout: Layout) -> ReadyTable:
    """Open a table.

    Lists become multi-values, joined by `\\`; empty texts and NaN become null.
    Raises ArchiveError where it cannot be read, lacks a column, or has a column that holds neither
    text nor numbers.
    """
    with _readable(place):
        rows = _scan(place)
        schema = rows.collect_schema()
    for column in layout.read:
        if column not in schema:
            hint = _near(column, schema.names()[1:])  # after ROW
            raise ArchiveError(f"tags.columns, tags.split: {place} has no column {column}{hint}")
    texts = [_text(place, column, schema[column]) for column in layout.read]
    return ReadyTable(place, rows.select(ROW, *texts), layout)


def stored_column(table: ReadyTable, column: str) -> pl.Series:
    """Return a column of a table as it is stored; text where the table is a .csv.

    Raises ArchiveError where it cannot be read.
    """
    with _readable(table.place):
        return _scan(table.place).select(column).collect().to_series()


def _scan(place: Path) -> pl.LazyFrame:
    if place.suffix.lower() == ".csv":
        return pl.scan_csv(place, infer_schema=False, row_index_name=ROW)
    return pl.scan_parquet(place, row_index_name=ROW)


@contextmanager
def _readable(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as error:
        raise ArchiveError(
            f"tags.table: {place} cannot be read as {place.suffix} ({type(error).__name__}); "
            "write it again"
        ) from None


def _near(column: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(column, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else f"; it has {', '.join(known)}"


def _text(place: Path, column: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(column)
    if isinstance(dtype, (pl.List, pl.Array)):
        kind = dtype.inner
        texts = value.cast(pl.List(kind)).list.eval(pl.element().cast(pl.String).fill_null(""))
        value = texts.list.join("\\")
    else:
        kind = dtype
        value = (value.fill_nan(None) if dtype.is_float() else value).cast(pl.String)
    if kind.is_nested() or kind in (pl.Binary, pl.Object):
        raise ArchiveError(
            f"tags.columns, tags.split: {column} of {place} holds {kind}; "
            "text, numbers, dates, or lists of them can be used"
        )
    plain = value.str.strip_chars(" \t\r\n\0")
    return pl.when(plain != "").then(plain).alias(column)


def summary(table: ReadyTable) -> dict[str, Any]:
    """Return what table.json holds.

    Returns `rows`, and for each split its `column`, the number of `rows` that it is for, and how
    many of these stay `whole`.
    Raises DataError where there are no rows, or the image's column is not unique.
    """
    image = pl.col(table.layout.columns["image"])
    with _readable(table.place):
        rows, filled, distinct = _one(
            table, [pl.len(), image.count(), image.drop_nulls().n_unique().alias("distinct")]
        )
        split_rows = [_one(table, counts(split)) for split in table.layout.splits]
    if not rows:
        raise DataError(f"tags.table: {table.place} has no rows")
    if distinct < rows:
        raise DataError(
            f"tags.columns: image: in the column {table.layout.columns['image']} of {table.place} "
            f"{rows - filled:,} of {rows:,} rows are empty and {filled - distinct:,} duplicate "
            "another row's value; name a column with a unique value in each row"
        )
    columns = [split.column for split in table.layout.splits]
    return {
        "rows": rows,
        "split": [
            {"column": column, "rows": count, "whole": whole}
            for column, (count, whole) in zip(columns, split_rows, strict=True)
        ],
    }


def _one(table: ReadyTable, expressions: list[pl.Expr]) -> tuple[int, ...]:
    return table.rows.select(expressions).collect(engine="streaming").row(0)


def sample_rows(table: ReadyTable, share: int | float | None, seed: int) -> ReadyTable:
    """Return a random sample of rows, in their order.

    share: int, number of rows; float, their share; None, all rows.
    """
    if share is None:
        return table
    image = table.layout.columns["image"]
    images = table.rows.select(ROW, image).collect(engine="streaming")
    sample = images.filter(pl.Series(sample_mask(images[image].to_list(), share, seed)))
    return table._replace(rows=table.rows.filter(pl.col(ROW).is_in(sample[ROW].implode())))


def shard_rows(table: ReadyTable, shards: int) -> Iterator[pl.DataFrame]:
    """Yield the rows in `shards` parts of equal size, in their order; one is in memory at a time.

    The table is read once from start to end: a CSV would otherwise be read again for each part.
    """
    with _readable(table.place):
        (rows,) = _one(table, [pl.len()])
        batches = table.rows.collect_batches(chunk_size=_BATCH, maintain_order=True)
        buffer = table.rows.head(0).collect()
        for shard in range(shards):
            size = rows * (shard + 1) // shards - rows * shard // shards
            while len(buffer) < size:
                buffer = pl.concat([buffer, next(batches)])
            yield buffer.head(size)
            buffer = buffer.slice(size)
