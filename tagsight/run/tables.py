"""The archive's tables, kept in shards: their columns, and how they are read."""

from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl

# The columns of results/tags that are not DICOM keywords, in their order. The site is null unless
# the config names it (input, tags.columns): what files say of it is withheld.
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

# The columns of results/files: the site is null unless the config names it.
LISTED = {**FILES, "site": pl.String}

# The columns of results/rejected: files that were rejected, and why.
REJECTED = dict.fromkeys(("path", "reason", "detail"), pl.String)


def scan(shards: Sequence[Path | str]) -> pl.LazyFrame:
    """Return all shards of a table as one lazy table, in their order.

    A shard has the columns that its images have; a column that it lacks is null in its rows.
    Columns are in the order in which they first appear.
    """
    return pl.concat([pl.scan_parquet(shard) for shard in shards], how="diagonal")


def rows_of(images: pl.Series, shards: Sequence[Path | str]) -> pl.DataFrame:
    """Return the rows of some images, shard by shard, so that no more than one is ever held."""
    named = images.rename("image").to_frame()
    tables = (pl.read_parquet(shard).join(named, on="image", how="semi") for shard in shards)
    return pl.concat(list(tables), how="diagonal")


# What a UID looks like in the name of a file or folder: in full, short or cut off, with the
# separators that some exports write, or as what it was made from.
_POINT = r"(?:%2E|%20|[^\p{L}\p{N}/\\!]{1,3})"  # `!` is between an archive and what is in it
_UIDS = "|".join(
    (
        rf"[0-2](?:{_POINT}\d+){{5,}}",
        r"\d+(?:\.\d+)*\.\d{9,}(?:\.\d+)*",  # few numbers, one of them long, as 2.25.<UUID>
        r"\d+(?:\.\d+){3,}",
        r"2\.25\.\d+",
        rf"2{_POINT}25{_POINT}\d{{9,}}",
        r"[0-9a-f]{8}(?:-[0-9a-f]{4,12}){4}",  # a UUID; an identifier of Orthanc's
        r"[0-9a-f]{8}(?:[_. ][0-9a-f]{4}){3}[_. ][0-9a-f]{12}",
        r"\d{20,}",  # a UUID as a decimal number
        r"[0-9a-f]{32,}",  # a UUID, or a digest without a key, which whoever has the UID can make
    )
)


def without_uids(text: pl.Expr) -> pl.Expr:
    """Return the text with `*` in place of everything like a DICOM UID (PS3.5 §9) or a UUID.

    Files often have their SOP Instance UID as a name. What only looks like one, a date with a
    number after it, is masked too. The masked path is still a pattern that a shell can match.
    """
    return text.str.replace_all(rf"(?i:{_UIDS})", "*")


def present(keyword: str) -> pl.Expr:
    """Return an expression: whether a tag has a value."""
    return pl.col(keyword).is_not_null() & (pl.col(keyword) != "")


def person() -> pl.Expr:
    """Return an expression: an image's patient; if unknown, each study counts as a person.

    For what is drawn and compared by person; how many people have a value is `counted_person`.
    """
    return pl.coalesce("patient", "study", "series", "image")


def counted_person() -> pl.Expr:
    """Return an expression: what images are counted by where it is asked how many people there are.

    All that is shown of values asks this: names, rules, cards, pictures, sites, lists of values.
    Images without a patient (no Patient ID, or a code for nobody) may all be of one, however many
    studies they are of: together they count as one person at most.
    """
    return pl.col("patient").fill_null("")


def label_column(columns: Collection[str]) -> pl.Expr:
    """Return an expression: an image's label; in annotations without labels, its cluster."""
    return pl.col("label" if "label" in columns else "cluster")
