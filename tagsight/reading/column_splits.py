"""The splitting of columns of a ready table that hold several tags in one text."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl
from polars import selectors


class Split(NamedTuple):
    """How a column is split: an entry of `tags.split`.

    In the rows that `where` (column -> values) describes, the text in `column` is split at each
    `separator`; the parts are values of the keywords `into`, where None skips a part. Parts in
    `missing` are missing values. A text with another number of parts stays whole: which part is
    which is unknown.
    """

    column: str
    where: dict[str, frozenset[str]]
    separator: str
    into: tuple[str | None, ...]
    missing: frozenset[str]

    @classmethod
    def from_config(cls, entry: Mapping[str, Any]) -> "Split":
        """Return the split of an entry that obeys the schema; its values are compared as text."""
        where = {
            column: frozenset(map(str, [values] if isinstance(values, str) else values))
            for column, values in entry.get("where", {}).items()
        }
        missing = frozenset(map(str, entry.get("missing", ())))
        return cls(entry["column"], where, entry["separator"], tuple(entry["into"]), missing)

    @property
    def columns(self) -> list[str]:
        """Return the columns of the table that the split reads."""
        return [self.column, *self.where]


def literal(column: str) -> pl.Expr:
    """Return a column of this very name, be it `*` or `^a.*$`, which polars takes for patterns."""
    return selectors.by_name(column).as_expr()


def parts(rows: pl.DataFrame, split: Split) -> dict[str, pl.Series]:
    """Return keyword -> its values (n,), String, null where the row has none.

    rows: the table's columns as text.
    """
    text = rows.select(_described(split)).to_series().alias("text")
    lists = text.str.split(split.separator)
    lists = lists.set(lists.list.len() != len(split.into), None)
    keywords = [(i, keyword) for i, keyword in enumerate(split.into) if keyword is not None]
    return {keyword: _filled(lists.list.get(i), split.missing) for i, keyword in keywords}


def counts(split: Split) -> list[pl.Expr]:
    """Return expressions over a table: how many rows are to be split, how many stay whole.

    >>> split = Split("text", {}, ",", ("KVP", None), frozenset())
    >>> pl.DataFrame({"text": ["120,1", "80", None]}).select(counts(split)).row(0)
    (2, 1)
    """
    number = _described(split).str.count_matches(split.separator, literal=True) + 1
    return [number.count().alias("rows"), (number != len(split.into)).sum().alias("whole")]


def _described(split: Split) -> pl.Expr:
    """The texts to split, null in all other rows."""
    conditions = [literal(name).is_in(sorted(values)) for name, values in split.where.items()]
    return pl.when(pl.all_horizontal(pl.lit(True), *conditions)).then(literal(split.column))


def _filled(part: pl.Series, missing: frozenset[str]) -> pl.Series:
    plain = part.str.strip_chars()
    return plain.set(plain.is_in(["", *sorted(missing)]).fill_null(False), None)
