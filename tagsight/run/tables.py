"""The archive's tables, kept in shards."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

# The columns of results/tags that are no DICOM keyword, in their order. The site is null unless a
# ready table names it (tags.columns): what files say of it is withheld.
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
    """Return all shards of a table as one, in their order, nothing read yet.

    Shards hold the columns that their images have; a column that one of them lacks is null there.
    Columns come in the order in which they first appear.
    """
    return pl.concat([pl.scan_parquet(shard) for shard in shards], how="diagonal")


def without_uids(text: pl.Expr) -> pl.Expr:
    """Return the text with `*` for whatever has the form of a DICOM UID (PS3.5 §9) in it.

    Files are often named by their SOP Instance UID. A masked path still is a pattern that a shell
    can follow.
    """
    return text.str.replace_all(r"[0-2](?:\.\d+){5,}", "*")


def present(keyword: str) -> pl.Expr:
    """Whether a tag is filled."""
    return pl.col(keyword).is_not_null() & (pl.col(keyword) != "")


def person() -> pl.Expr:
    """Who an image is of; where the archive doesn't say, each study counts as someone."""
    return pl.coalesce("patient", "study", "series", "image")
