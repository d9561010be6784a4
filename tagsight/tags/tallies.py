"""How often each value of a tag occurs in an archive, and in how many people."""

import polars as pl

from tagsight.tags import parsers
from tagsight.tags.frequencies import person, present


def tally(tags: pl.LazyFrame, keyword: str) -> pl.DataFrame:
    """Return the distinct values of a tag, sorted, and `n`, the images that have each."""
    counts = tags.filter(present(keyword)).group_by(keyword).agg(n=pl.len())
    return counts.collect(engine="streaming").sort(keyword)


def people(tags: pl.LazyFrame, keyword: str) -> pl.DataFrame:
    """Return the distinct pairs of a tag's value and `person`, who has it."""
    pairs = tags.filter(present(keyword)).select(keyword, person=person().hash()).unique()
    return pairs.collect(engine="streaming")


def frequent(
    people: pl.DataFrame, tally: pl.DataFrame, parsed: pl.Series, min_patients: int
) -> set[str]:
    """Return the categories of at least min_patients patients, over all spellings, and all those
    of our tables.

    parsed: the category of each row of `tally`, null = none.
    """
    keyword = tally.columns[0]
    meaning = tally.select(keyword, category=parsed)
    counts = (
        people.join(meaning, on=keyword)
        .drop_nulls("category")
        .group_by("category")
        .agg(pl.col("person").n_unique())
    )
    enough = set(counts.filter(pl.col("person") >= min_patients)["category"])
    return enough | parsers.vocabulary()
