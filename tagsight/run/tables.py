"""The archive's tables, kept in shards: their columns, and how they are read."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

# The columns of results/tags that are not DICOM keywords, in their order. The site is null unless a
# ready table names it (tags.columns): in files it is withheld.
BOOKKEEPING = (
    "image",
    "instance",
    "series",
    "study",
    "patient",
    "site",
    "path",
    "duplicate_uid",
    "burned_in",
    "undrawable",
    "withheld",
)

# The columns of a list of files: path (text form), bytes, ns since 1970; null = unknown.
FILES = {"path": pl.String, "size": pl.Int64, "mtime_ns": pl.Int64}

# The columns of results/rejected: files that were rejected, and why.
REJECTED = dict.fromkeys(("path", "reason", "detail"), pl.String)


def scan(shards: Sequence[Path | str]) -> pl.LazyFrame:
    """Return all shards of a table as one lazy table, in their order.

    A shard has the columns that its images have; a column that it lacks is null in its rows.
    Columns are in the order in which they first appear.
    """
    return pl.concat([pl.scan_parquet(shard) for shard in shards], how="diagonal")


def without_uids(text: pl.Expr) -> pl.Expr:
    """Return the text with `*` in place of everything like a DICOM UID (PS3.5 §9).

    Files often have their SOP Instance UID as a name. The masked path is still a pattern that a
    shell can match.
    """
    return text.str.replace_all(r"[0-2](?:\.\d+){5,}", "*")


def present(keyword: str) -> pl.Expr:
    """Return an expression: whether a tag has a value."""
    return pl.col(keyword).is_not_null() & (pl.col(keyword) != "")


def person() -> pl.Expr:
    """Return an expression: an image's patient; if unknown, each study counts as a person."""
    return pl.coalesce("patient", "study", "series", "image")
