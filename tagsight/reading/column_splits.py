"""Columns of a table that hold several tags in one text, taken apart."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl


class Split(NamedTuple):
    """How a column is taken apart: an entry of `tags.split`.

    Of the rows that `where` (column -> values) describes, the text in `column` is cut at each
    `separator`; the parts are values of the keywords `into`, None to pass one over. Parts that are
    `missing` are none. A text with another number of parts is left whole, for nobody knows which
    part is which.
    """

    column: str
    where: dict[str, frozenset[str]]
    separator: str
    into: tuple[str | None, ...]
    missing: frozenset[str]

    @classmethod
    def from_config(cls, entry: Mapping[str, Any]) -> "Split":
        """Read an entry that obeys the schema; numbers among the values are texts in the table."""
        where = {
            column: frozenset(map(str, [values] if isinstance(values, str) else values))
            for column, values in entry.get("where", {}).items()
        }
        missing = frozenset(map(str, entry.get("missing", ())))
        return cls(entry["column"], where, entry["separator"], tuple(entry["into"]), missing)

    @property
    def columns(self) -> list[str]:
        """The columns of the table that it reads."""
        return [self.column, *self.where]


def parts(rows: pl.DataFrame, split: Split) -> dict[str, pl.Series]:
    """Keyword -> its values (n,), String, null where the row has none.

    rows: the table's columns as text.
    """
    text = rows.select(_described(split)).to_series()
    several = text.str.split(split.separator)
    several = several.set(several.list.len() != len(split.into), None)
    named = [(i, keyword) for i, keyword in enumerate(split.into) if keyword is not None]
    return {keyword: _filled(several.list.get(i), split.missing) for i, keyword in named}


def counts(split: Split) -> list[pl.Expr]:
    """Expressions over a table: how many rows are to be taken apart, and how many are left whole.

    >>> split = Split("text", {}, ",", ("KVP", None), frozenset())
    >>> pl.DataFrame({"text": ["120,1", "80", None]}).select(counts(split)).row(0)
    (2, 1)
    """
    found = _described(split).str.count_matches(split.separator, literal=True) + 1
    return [found.count().alias("rows"), (found != len(split.into)).sum().alias("whole")]


def _described(split: Split) -> pl.Expr:
    """The texts to take apart, null in all other rows."""
    meant = [pl.col(name).is_in(sorted(values)) for name, values in split.where.items()]
    return pl.when(pl.all_horizontal(pl.lit(True), *meant)).then(split.column)


def _filled(part: pl.Series, missing: frozenset[str]) -> pl.Series:
    plain = part.str.strip_chars()
    return plain.set(plain.is_in(["", *sorted(missing)]).fill_null(False), None)
