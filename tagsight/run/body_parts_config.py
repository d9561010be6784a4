"""Checks of the user's table of body parts that the config's schema cannot make."""

import csv
import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from tagsight.run.package_data import rows_of


def body_parts_mistakes(table: str | None, key: str = "tags.body_parts") -> Iterator[str]:
    """Yield the mistakes in the table that the config names at `key`, one line for each."""
    if table is None:
        return
    if not os.path.isfile(table):
        yield f"{key}: {table} does not exist (seen from {os.getcwd()})"
        return
    try:
        rows = list(csv.DictReader(Path(table).read_text("utf-8-sig").splitlines(), strict=True))
    except (UnicodeDecodeError, csv.Error):
        yield f"{key}: {table} is no table of text; write it as CSV in UTF-8"
        return
    if not rows or not {"spelling", "term"} <= rows[0].keys():
        yield f"{key}: {table}: the first line has to be spelling,term, and others follow"
        return
    if any(None in row for row in rows):  # csv's key for surplus parts
        yield f"{key}: {table}: a line has more parts than the first; quote its commas"
        return
    yield from (f"{key}: {table}: {line}" for line in _unknown(rows))


def _unknown(rows: list[dict[str, str]]) -> Iterator[str]:
    """Terms that are not in the standard."""
    terms = {row["term"] for row in rows_of("annex_l.csv")}
    for term in sorted({(row["term"] or "").strip() for row in rows} - terms - {""}):
        near = difflib.get_close_matches(term.upper(), terms, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        yield f"{term} is no term of DICOM PS3.16 Annex L{hint}"
