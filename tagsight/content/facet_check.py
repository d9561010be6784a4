"""How the facets' words agree with words of descriptions that the facets do not read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tagsight.content.content import (
    ContentTables,
    content,
    described_words,
    more_exact,
)
from tagsight.content.facets import Facet
from tagsight.content.header import stored_columns

MOST_DISAGREEMENTS = 20  # of a facet that are listed, the most frequent ones
FEW, POOR = 20, 0.8  # from so many series on, a smaller share that agrees is worth a warning


def facet_words(tags: pl.LazyFrame, spellings: pl.DataFrame, tables: ContentTables) -> pl.DataFrame:
    """Return the words of a shard's images from tags and from descriptions, once for each series.

    Returns facet, series, tags, descriptions (words, or null), alike (whether they are the same, or
    one says the same and more), images.
    """
    of_tags = content(tags, spellings, tables, described=False)
    said = described_words(tags, tables.facets)
    series = stored_columns(tags, ["series"])["series"].fill_null(of_tags["image"])
    parts = []
    for facet in tables.facets:
        rows = pl.DataFrame(
            {
                "series": series,
                "tags": of_tags[facet.name],
                "descriptions": said[facet.name],
                "alike": _alike(facet, of_tags[facet.name], said[facet.name]),
                "picture": of_tags["picture"],
            }
        ).filter("picture")
        counts = rows.group_by("series", "tags", "descriptions", "alike").agg(images=pl.len())
        parts.append(counts.select(pl.lit(facet.name).alias("facet"), pl.all()))
    return pl.concat(parts)


def _alike(facet: Facet, word: pl.Series, said: pl.Series) -> pl.Series:
    """Whether two words are the same, or one says the same and more, Boolean (n,)."""
    same = (word == said).fill_null(value=False)
    return same | more_exact(facet, word, said) | more_exact(facet, said, word)


def check(words: pl.DataFrame, facets: Sequence[Facet]) -> dict[str, dict[str, Any]]:
    """Return how the words of each facet agree, from the tables that `facet_words` returns.

    Returns facet -> filled and filled_with_descriptions (images that have a word), compared (series
    with words from both), agree (the same, or one that says more), disagreements (tags,
    descriptions, series; the most frequent ones).
    """
    return {facet.name: _of(words.filter(pl.col("facet") == facet.name)) for facet in facets}


def poor(checked: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the facets of which so many series disagree that their words are to be doubted."""
    return [
        name
        for name, facet in checked.items()
        if facet["compared"] >= FEW and facet["agree"] < POOR * facet["compared"]
    ]


def _of(words: pl.DataFrame) -> dict[str, Any]:
    has = words.filter(pl.col("tags").is_not_null())
    either = words.filter(pl.col("tags").is_not_null() | pl.col("descriptions").is_not_null())
    both = has.filter(pl.col("descriptions").is_not_null())
    pairs = both.select("series", "tags", "descriptions", "alike").unique()
    others = pairs.filter(~pl.col("alike"))
    counts = Counter(others.select("tags", "descriptions").iter_rows())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {
        "filled": int(has["images"].sum()),
        "filled_with_descriptions": int(either["images"].sum()),
        "compared": len(pairs),
        "agree": len(pairs) - len(others),
        "disagreements": [
            {"tags": word, "descriptions": said, "series": n}
            for (word, said), n in ordered[:MOST_DISAGREEMENTS]
        ],
    }
