"""The tables that come with the library, in `tagsight/data`."""

import csv
from importlib.resources import files


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a table by column. Written out where it is read, `name` is seen by recipes."""
    text = (files("tagsight") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
