"""Which tags step back in a kind, since words of content are made of them."""

from collections.abc import Sequence

import polars as pl

from tagsight.content import regions
from tagsight.content.facets import Facet

FILLED = 0.5  # share of a kind's images with a word, from which its tags step back


def in_words(
    words: pl.DataFrame, kinds: pl.DataFrame, facets: Sequence[Facet]
) -> dict[str, frozenset[str]]:
    """Return kind → the tags that its words of content are made of.

    words: of `kind_frequencies.words`; kinds: `kind`, `images`, in any number of rows for each.

    A word that few images of a kind have replaces nothing: there the tags themselves are compared.
    """
    keywords = {facet.name: frozenset(facet.keywords) for facet in facets}
    keywords["region"] = frozenset(regions.SOURCES)
    images = dict(kinds.select("kind", "images").unique().iter_rows())
    filled = words.group_by("kind", "column").agg(pl.col("images").sum())
    out: dict[str, frozenset[str]] = {}
    for kind, column, count in filled.iter_rows():
        if kind in images and count >= FILLED * images[kind]:
            out[kind] = out.get(kind, frozenset()) | keywords.get(column, frozenset())
    return out
