"""The words of names: how a value is shown, in what order, and the ranges in which numbers count.

See data/name_words.csv, data/name_order.csv and data/name_bands.csv.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from tagsight.run.package_data import rows_of

ANY = "*"  # in the tables: of every kind; every word, shown as it is


@dataclass(frozen=True)
class Order:
    """The columns of a kind in the order in which they are spoken.

    always: those that are shown even where they tell no labels apart.
    """

    columns: tuple[str, ...]
    always: frozenset[str]


class Words:
    """How the values of columns are shown in names.

    What is in no row of data/name_words.csv, as words of a user's tables are, is shown as it is, a
    region in small letters; a row without `shown` says that a word is not shown.

    kinds: kind -> its word (`slides` for SM); a kind without one is shown as it is.
    facets: all that there are; those in no row of data/name_order.csv come after the others.
    """

    def __init__(self, kinds: Mapping[str, str] | None = None, facets: Iterable[str] = ()) -> None:
        self._kinds = kinds or {}
        self._more = tuple(sorted(frozenset(facets) - _ordered()))
        self._shown = {
            (row["column"], row["word"].upper(), kind): row["shown"]
            for row in rows_of("name_words.csv")
            for kind in (row["kinds"] or ANY).split()
        }

    def kind(self, kind: str) -> str:
        """Return the word of a kind."""
        return self._kinds.get(kind) or kind

    def shown(self, kind: str | None, column: str, word: str) -> str | None:
        """Return a word as it is shown for images of this kind, None where it is not shown."""
        for key in ((column, text, of) for text in (word.upper(), ANY) for of in (kind, ANY)):
            if key in self._shown:
                shown = self._shown[key]
                return word if shown == ANY else shown or None
        return word.lower().replace("_", " ") if column == "region" else word

    def columns(self, kind: str | None) -> tuple[str, ...]:
        """Return the columns of a kind in the order in which they are spoken, numbers last."""
        columns, numbers = order_of(kind).columns, number_columns()
        said = [column for column in columns if column not in numbers]
        return *said, *self._more, *(column for column in columns if column in numbers)

    def is_modality(self, kind: str | None) -> bool:
        """Return whether a kind is shown as a term of Modality, so that its name states the tag."""
        if kind is None:
            return False
        return self._shown.get(("modality", kind.upper(), ANY)) == self.kind(kind)


@cache
def order_of(kind: str | None) -> Order:
    """Return the order of a kind's columns; that of any kind where it has none of its own."""
    rows = {row["kind"]: row for row in rows_of("name_order.csv")}
    row = rows.get(kind or ANY, rows[ANY])
    return Order(tuple(row["columns"].split()), frozenset(row["always"].split()))


@cache
def _ordered() -> frozenset[str]:
    """The columns that have a place in the names of some kind."""
    return frozenset(c for row in rows_of("name_order.csv") for c in row["columns"].split())


@cache
def number_columns() -> frozenset[str]:
    """Return the columns whose words are ranges of numbers: shown where no word tells apart."""
    return frozenset(row["column"] for row in rows_of("name_words.csv") if row["word"] == ANY)


def bands() -> list[pl.Expr]:
    """Return an expression for each column of ranges, named as the tag that it is of.

    For frames that hold these tags, as text or as numbers. Each gives a String: the word of the
    range, null where the number is missing or in no range.
    """
    rows = rows_of("name_bands.csv")
    return [
        _band([row for row in rows if row["column"] == column])
        for column in dict.fromkeys(row["column"] for row in rows)
    ]


def _band(rows: list[dict[str, str]]) -> pl.Expr:
    number = pl.col(rows[0]["column"]).cast(pl.Float64, strict=False)
    words = [
        pl.when((number > float(row["above"])) & (number <= float(row["to"]))).then(
            pl.lit(row["word"])
        )
        for row in rows
    ]
    return pl.coalesce(words).alias(rows[0]["column"])
