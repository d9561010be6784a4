"""The region of the body that each image shows, in coarse terms, by the majority of its sources.

Sources are the tags and the regions that descriptions name (`tags.derive_text`). Each votes for the
coarse term of its Annex L term; a vote for a whole (CHEST) gives way to that for a part of it which
another source names (HEART). In a tie the first of SOURCES counts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tagsight.content.header import stored_columns
from tagsight.dicom.dictionary import attribute, region_column
from tagsight.tags import parsers
from tagsight.tags.fitting import expand_to_rows

# From codes of the standard, by people who chose a place, to descriptions of a whole study. Body
# Part Examined comes from the protocol's settings, which often stay when another part is examined.
SOURCES = (
    "PrimaryAnatomicStructureSequence",
    "AnatomicRegionSequence",
    region_column("SeriesDescription"),
    "BodyPartExamined",
    region_column("ProtocolName"),
    region_column("StudyDescription"),
)
PARSED_AS = "AnatomicRegionSequence"  # all sources are read as this one: names of body parts


@dataclass(frozen=True)
class CoarseRegion:
    """A coarse term, and the coarse terms for parts of what the Annex L term covers."""

    name: str
    parts: frozenset[str]


class Regions:
    """The table of regions.

    table: columns term (of Annex L), region (empty where the term names no place), parts; later
    rows have precedence.
    """

    def __init__(self, table: pl.DataFrame) -> None:
        rows = table.select("term", "region", "parts").iter_rows()
        self.of_term = {
            term: CoarseRegion(region, frozenset((parts or "").split())) if region else None
            for term, region, parts in rows
        }

    def names(self) -> frozenset[str]:
        """Return all coarse terms."""
        return frozenset(region.name for region in self.of_term.values() if region)

    def region(self, terms: Sequence[str | None]) -> str | None:
        """Return the coarse term for the Annex L terms of an image's sources, first counts first.

        None where no source names a place.
        """
        named = [region for term in terms if term and (region := self.of_term.get(term))]
        names = {region.name for region in named}
        votes = [region.name for region in named if not region.parts & (names - {region.name})]
        counts = Counter(votes or [region.name for region in named])
        return max(counts, key=lambda name: counts[name], default=None)


def regions(
    tags: pl.DataFrame | pl.LazyFrame,
    table: Regions,
    spellings: pl.DataFrame,
    sources: Sequence[str] = SOURCES,
) -> pl.Series:
    """Return the region of each image, String (n,), null where no source names one.

    spellings: of body parts (`terms.spelling_table`).
    """
    stored = stored_columns(tags, sources)
    terms = pl.DataFrame([_terms(stored[source], spellings) for source in sources])
    keys = terms.with_columns(row=pl.concat_str(pl.all().fill_null(""), separator="\\"))["row"]
    distinct = keys.unique()
    named = [table.region(row.split("\\")) for row in distinct]
    columns = [pl.Series("region", named, dtype=pl.String)]
    return expand_to_rows(keys, distinct, columns).to_series()


def _terms(stored: pl.Series, spellings: pl.DataFrame) -> pl.Series:
    """The Annex L term of each value (n,); a value that is not understood has none."""
    distinct = stored.unique()
    vr = attribute(PARSED_AS).vr
    parsed = parsers.parse(PARSED_AS, vr, distinct, items=1, spellings=spellings)
    return expand_to_rows(stored, distinct, parsed.get_columns()).to_series().alias(stored.name)
