"""Makers of imaging devices, whatever the spelling; the rules are in data/manufacturers.csv."""

import csv
import re
from functools import cache
from importlib.resources import files


@cache
def known_maker(text: str) -> str | None:
    """Return the one name of the maker that `text` spells, or None where no rule fits."""
    plain = text.upper().replace("_", " ").strip()
    return next((maker for rule, maker in _rules() if rule.search(plain)), None)


def known_makers() -> frozenset[str]:
    """Return the names that known_maker can give."""
    return frozenset(maker for _, maker in _rules())


@cache
def _rules() -> list[tuple[re.Pattern[str], str]]:
    table = (files("tagsight") / "data" / "manufacturers.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(table.splitlines())
    return [(re.compile(row["pattern"]), row["maker"]) for row in rows]
