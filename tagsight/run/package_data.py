"""The tables that come with the library, in `tagsight/data`, and those of users."""

import csv
from importlib.resources import files
from pathlib import Path


def rows_of(name: str) -> list[dict[str, str]]:
    """Return the rows of a table, by column.

    name: of the file; written as a literal in the call, so that recipes see it.
    """
    text = (files("tagsight") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def user_rows(table: str | Path | None) -> list[dict[str, str]]:
    """Return the rows of a user's table (.csv in UTF-8), by column; none of no table.

    Raises csv.Error or UnicodeDecodeError where it is no table of text.
    """
    if table is None:
        return []
    return list(csv.DictReader(Path(table).read_text("utf-8-sig").splitlines(), strict=True))
