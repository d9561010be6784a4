"""The table of spellings of a run: the library's, and after them the user's."""

from pathlib import Path

import polars as pl

from tagsight.terms.body_parts import read_spellings

SHIPPED = Path(__file__).parents[1] / "data/body_parts.csv"


def spelling_table(user_table: str | Path | None) -> pl.DataFrame:
    """Return the library's spellings, and after them the user's, which have precedence.

    user_table: the value of `tags.body_parts`, a path or None.
    Returns columns `spelling`, `term`; an empty term marks a word to ignore.
    Raises ConfigError where `user_table` lacks a column or has a term that Annex L does not have.
    """
    tables = [SHIPPED, *([Path(user_table)] if user_table else [])]
    return pl.concat([read_spellings(table) for table in tables])
