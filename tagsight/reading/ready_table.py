"""A ready table of tags in place of DICOM files: opened, checked, dealt to shards.

A row is an image, or a series if the table is of series; the config names its columns. Their tags
are made in `ready_table_tags`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from polars.io.plugins import register_io_source

from tagsight.archive.sharding import sample_mask
from tagsight.errors import ArchiveError, DataError, TableError, UserError
from tagsight.reading.column_splits import Split, counts, literal
from tagsight.run.user_files.csv_file import csv_head, csv_rows
from tagsight.run.user_files.table_config import column_mistakes

ROW = "\0row"  # number of a row, from 0; no column is called so
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
    Raises ArchiveError where it cannot be read, lacks a column, has two of one name, or one that
    holds neither text nor numbers.
    """
    with _readable(place):
        if faults := list(column_mistakes(place, layout.read)):
            raise ArchiveError(f"tags.columns, tags.split: {'; '.join(faults)}")
        rows = _scan(place, layout.read)
        schema = rows.collect_schema()
    texts = [_text(place, column, schema[column]) for column in layout.read]
    return ReadyTable(place, rows.select(ROW, *texts), layout)


def stored_column(table: ReadyTable, column: str) -> pl.Series:
    """Return a column of a table as it is stored; text where the table is a .csv.

    Raises ArchiveError where it cannot be read.
    """
    with _readable(table.place):
        return _scan(table.place, table.layout.read).select(literal(column)).collect().to_series()


def _scan(place: Path, columns: Sequence[str]) -> pl.LazyFrame:
    """The columns as they are stored, and ROW."""
    if place.suffix.lower() == ".csv":
        return _scan_csv(place, columns)
    table = pl.scan_parquet(place, glob=False)
    return table.select(map(literal, columns)).with_row_index(ROW)


def _scan_csv(place: Path, columns: Sequence[str]) -> pl.LazyFrame:
    """Text columns of a CSV, read by Python's csv: polars' reader can lose rows in silence."""
    head = csv_head(place, columns)
    places = [head.columns.index(column) for column in columns]
    schema = pl.Schema({ROW: pl.get_index_type(), **dict.fromkeys(columns, pl.String)})

    def source(
        names: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        rows = islice(csv_rows(place, head), n_rows)
        done = 0
        while batch := list(islice(rows, size or _BATCH)):
            texts = {
                c: [row[at] or None for row in batch] for c, at in zip(columns, places, strict=True)
            }
            numbers = pl.int_range(done, done + len(batch), dtype=pl.get_index_type(), eager=True)
            frame = pl.DataFrame({ROW: numbers, **texts}, schema=schema)
            done += len(batch)
            frame = frame if predicate is None else frame.filter(predicate)
            yield frame if names is None else frame.select(map(literal, names))

    return register_io_source(source, schema=schema, is_pure=True)


@contextmanager
def _readable(place: Path) -> Iterator[None]:
    """Say which table cannot be read, and why: whatever polars raises, panics of its too."""
    try:
        yield
    except UserError as error:
        raise _at_table(error) from None
    except BaseException as error:
        fault = _fault_of(error)
        if fault is None:
            raise
        raise ArchiveError(
            f"tags.table: {place} cannot be read as {place.suffix} ({fault}); write it again"
        ) from None


def _at_table(error: UserError) -> UserError:
    return ArchiveError(f"tags.table: {error}") if isinstance(error, TableError) else error


def _fault_of(error: BaseException) -> str | None:
    """The kind of an error of polars' or of the machine's; None of any other."""
    inner = str(error).partition("TableError: ")[2]  # of one raised while polars was reading
    if isinstance(error, (OSError, pl.exceptions.PolarsError)):
        return inner.split("\n")[0] or type(error).__name__
    return "PanicException" if type(error).__name__ == "PanicException" else None


def _text(place: Path, column: str, dtype: pl.DataType) -> pl.Expr:
    value = literal(column)
    if isinstance(dtype, (pl.List, pl.Array)):
        kind = dtype.inner
        texts = value.cast(pl.List(kind)).list.eval(pl.element().cast(pl.String).fill_null(""))
        value = texts.list.join("\\")
    else:
        kind = dtype
        value = (value.fill_nan(None) if dtype.is_float() else value).cast(pl.String)
    if kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Duration, pl.Null, pl.Unknown):
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
    image = literal(table.layout.columns["image"])
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
    images = table.rows.select(ROW, literal(image)).collect(engine="streaming")
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
