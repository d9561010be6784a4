"""The tables that come with the library, in `tagsight/data`."""

import csv
from importlib.resources import files


def rows_of(name: str) -> list[dict[str, str]]:
    """Return the rows of a table, by column.

    name: of the file; written as a literal in the call, so that recipes see it.
    """
    text = (files("tagsight") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
