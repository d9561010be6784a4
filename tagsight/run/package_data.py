"""The tables that come with the library, in `tagsight/data`, and those of users."""

import csv
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path

from tagsight.run.user_files.csv_file import dict_rows


def rows_of(name: str) -> list[dict[str, str]]:
    """Return the rows of a table, by column.

    name: of the file; written as a literal in the call, so that recipes see it.
    """
    text = (files("tagsight") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def user_rows(table: str | Path | None, wanted: Collection[str] = ()) -> list[dict[str, str]]:
    """Return the rows of a user's table (.csv in UTF-8), by column; none of no table.

    wanted: its columns, by which the separator is found.
    Raises TableError where it is no table of text, with the line.
    """
    return [] if table is None else dict_rows(Path(table), wanted)
