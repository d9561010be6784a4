"""The table of spellings of a run: the library's, and on top of it the user's."""

from pathlib import Path

import polars as pl

from tagsight.terms.body_parts import read_spellings

SHIPPED = Path(__file__).parents[1] / "data/body_parts.csv"


def spelling_table(mine: str | Path | None) -> pl.DataFrame:
    """Return the spellings that come with the library, and after them those in `mine`, which win.

    mine: the value of `tags.body_parts`, a path or None.
    Returns columns `spelling`, `term`; an empty term marks a word to pass over.
    Raises ConfigError where `mine` lacks a column or has a term that Annex L does not have.
    """
    return pl.concat([read_spellings(SHIPPED), *([read_spellings(Path(mine))] if mine else [])])
