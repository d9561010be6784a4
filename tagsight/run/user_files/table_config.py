"""Checks of the config's keys for a ready table of tags that the schema cannot make."""

import difflib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydicom.datadict import keyword_dict, tag_for_keyword

from tagsight.errors import TableError
from tagsight.run.plain_text import counted, plain
from tagsight.run.user_files.csv_file import csv_head

# The columns that identify an image and what it belongs to, and their DICOM keyword in a file.
IDENTIFIERS = {
    "image": "SOPInstanceUID",
    "series": "SeriesInstanceUID",
    "study": "StudyInstanceUID",
    "patient": "PatientID",
}
NO_TAGS = (*IDENTIFIERS, "path", "site")
SUFFIXES = (".parquet", ".csv")


def table_mistakes(tags: Mapping[str, Any]) -> Iterator[str]:
    """Yield the mistakes in `tags.table`, `tags.columns` and `tags.split`, one line for each."""
    table, columns, split = tags["table"], tags["columns"], tags["split"]
    if table is None:
        useless = [f"tags.{key}" for key in ("columns", "split") if tags[key]]
        yield from (f"{key}: says how a table is read, but tags.table is null" for key in useless)
        return
    if not table.endswith(SUFFIXES):
        yield f"tags.table: {table} is neither .parquet nor .csv; write it as one of them"
    elif not os.path.isfile(table):
        yield f"tags.table: {table} does not exist (seen from {os.getcwd()})"
    yield from wildcard_mistakes("tags.table", table)
    if "image" not in columns:
        yield "tags.columns: image is not set; name the column that tells each row from all others"
    into = {f"tags.split.{i}.into": each["into"] for i, each in enumerate(split)}
    keywords = {"tags.columns": [name for name in columns if name not in NO_TAGS], **into}
    if not any(name for names in keywords.values() for name in names):
        yield "tags.columns: no DICOM keyword is set; name the columns that hold tags"
    for where, names in keywords.items():
        yield from (
            f"{where}: {name} is no DICOM keyword{suggestion(name)}" for name in _unknown(names)
        )

    yield from _column_mistakes(tags)


def _column_mistakes(tags: Mapping[str, Any]) -> Iterator[str]:
    """The columns that the config names and the table lacks, all of them."""
    table, columns, split = tags["table"], tags["columns"], tags["split"]
    if not table.endswith(SUFFIXES) or not os.path.isfile(table):
        return
    named = {"tags.columns": list(columns.values())}
    for i, each in enumerate(split):
        named[f"tags.split.{i}"] = [each["column"], *each.get("where", {})]
    asked = [name for names in named.values() for name in names]
    for where, names in named.items():
        try:
            faults = list(column_mistakes(Path(table), list(dict.fromkeys(names)), asked))
        except TableError as error:
            yield f"tags.table: {error}"
            return
        yield from (f"{where}: {fault}" for fault in faults)


def wildcard_mistakes(key: str, path: str) -> Iterator[str]:
    """Yield what is wrong with the path of an input of a rule: in it Snakemake looks for wildcards.

    >>> [*wildcard_mistakes("tags.table", "a/b.csv")]
    []
    """
    if re.search("[{}]", path):
        yield f"{key}: {path} has braces, which Snakemake takes for wildcards; rename or link it"


def column_mistakes(
    table: Path, wanted: Collection[str], asked: Collection[str] = ()
) -> Iterator[str]:
    """Yield what is wrong with the columns of a table that are wanted, one line for each.

    asked: others that the table has to have. Where it has none of all these its first line may be
    a patient, and nothing of it is shown.
    Raises TableError where its head cannot be read; of a parquet file that cannot be read nothing
    is said.
    """
    known = _columns_of(table, wanted)
    if known is None:
        return
    if {*wanted, *asked}.isdisjoint(known):
        yield (
            f"{table} has no column {', '.join(wanted)}; it has {counted(len(known), 'column')}: "
            "is its first line the names of the columns?"
        )
        return
    for column in wanted:
        if column not in known:
            near = difflib.get_close_matches(column, known, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
            hint = plain(hint)
            yield f"{table} has no column {column}; {hint}"
        elif known.count(column) > 1:
            yield f"{table} has {known.count(column)} columns {column}; rename all but one"


def _columns_of(table: Path, wanted: Collection[str]) -> list[str] | None:
    if table.suffix.lower() == ".csv":
        return csv_head(table, wanted).columns
    import polars as pl  # loads for a while, and every job makes the plan

    try:
        return pl.scan_parquet(table, glob=False).collect_schema().names()
    except BaseException as error:
        told = isinstance(error, (OSError, pl.exceptions.PolarsError))
        if told or type(error).__name__ == "PanicException":  # the job that reads it says why
            return None
        raise


def _unknown(names: list[str | None]) -> list[str]:
    return [name for name in names if name is not None and tag_for_keyword(name) is None]


def suggestion(keyword: str) -> str:
    """Return `; did you mean …?` for a misspelt DICOM keyword, empty if none is near."""
    similar = difflib.get_close_matches(keyword, keyword_dict, n=1, cutoff=0.75)
    return f"; did you mean {similar[0]}?" if similar else ""
