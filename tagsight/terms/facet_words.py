"""Spellings of tags as words of facets: `CRANIO-CAUDAL` is CC, `FATSAT` is FS.

The table is `data/facet_words.csv`; a user's rows stand before it. A row says that an item of its
keywords (`|` between several) which fits one of its `items` means a word of a facet, in images of
some `kinds` (`|` between several; empty for all). Items are patterns of a shell: `*` stands for any
characters, `?` for one, `[0-9]` for one of these; capitals and small letters are the same. A row
without a word takes its items out of the game: a phase image has no weighting.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import translate
from pathlib import Path
from typing import NamedTuple

from tagsight.run.package_data import rows_of, user_rows

SEPARATOR = "|"


class _Rule(NamedTuple):
    word: str
    keywords: frozenset[str]
    kinds: frozenset[str]
    fits: re.Pattern[str]


class FacetWords:
    """The table of facets' words.

    rows: facet, word, keyword, items, and perhaps kinds; the first that fits counts.
    """

    def __init__(self, rows: Sequence[Mapping[str, str]]) -> None:
        self._rules: dict[str, list[_Rule]] = {}
        for row in rows:
            self._rules.setdefault(row["facet"], []).append(_rule(row))

    def words(self, facet: str) -> tuple[str, ...]:
        """Return all words that the table has for a facet."""
        return tuple(dict.fromkeys(rule.word for rule in self._rules.get(facet, ()) if rule.word))

    def telling(self, facet: str, kind: str | None, **items: Sequence[str]) -> str | None:
        """Return the word of the first row of the table that fits any item.

        kind: of the image, None for any; items: items of tags in upper case, by keyword.
        Returns an empty word where that row has none, None where no row fits.
        """
        fitting = (
            rule.word
            for rule in self._of(facet, kind)
            if any(rule.fits.match(item) for key in rule.keywords for item in items.get(key, ()))
        )
        return next(fitting, None)

    def first(self, facet: str, kind: str, **items: Sequence[str]) -> str | None:
        """Return the word of the first item that a row of the table fits, else None.

        kind, items: as of `telling`.
        """
        words = (
            self.telling(facet, kind, **{keyword: [item]})
            for keyword, stated in items.items()
            for item in stated
        )
        return next((word for word in words if word), None)

    def _of(self, facet: str, kind: str | None) -> Iterator[_Rule]:
        rules = self._rules.get(facet, ())
        return (rule for rule in rules if kind is None or not rule.kinds or kind in rule.kinds)


def facet_words(table: str | Path | None = None) -> FacetWords:
    """Return the table of facets' words.

    table: the config's `labels.tables.facets`, of rows that count before the library's.
    """
    return FacetWords([*user_rows(table), *rows_of("facet_words.csv")])


def _rule(row: Mapping[str, str]) -> _Rule:
    items = (translate(item.strip().upper()) for item in row["items"].split(SEPARATOR))
    return _Rule(
        word=row["word"],
        keywords=frozenset(row["keyword"].split(SEPARATOR)),
        kinds=frozenset(filter(None, (row.get("kinds") or "").split(SEPARATOR))),
        fits=re.compile("|".join(items)),
    )
