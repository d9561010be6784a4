"""What was imaged in each image: kind, region, and the words of its facets."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tagsight.content import kinds, regions
from tagsight.content.facets import Facet
from tagsight.content.header import headers, stored_columns
from tagsight.dicom.dictionary import DERIVED, words_column

DESCRIPTIONS = ("SeriesDescription", "ProtocolName", "StudyDescription")  # the nearest first
# How a series was computed or localized is a matter of its own, and a protocol is of several.
OF_SERIES_ALONE = frozenset(["localizer", "reformat"])
# A study has series of many techniques: what its description says of all of them is this.
OF_STUDIES = frozenset(["side", "tracer"])


@dataclass(frozen=True)
class ContentTables:
    """The tables of kinds and regions, and the facets."""

    kinds: kinds.Kinds
    regions: regions.Regions
    facets: tuple[Facet, ...]


def content(
    tags: pl.DataFrame | pl.LazyFrame,
    spellings: pl.DataFrame,
    tables: ContentTables,
    *,
    described: bool = True,
) -> pl.DataFrame:
    """Return what was imaged: image, kind, picture, region, and a column per facet.

    tags: a table of tags, as stored; spellings: of body parts; described: whether descriptions
    count, for regions and where the tags leave a facet without a word.

    All but `picture` are text; a region and a facet's word are null where they are not known.
    Rows are in the order of `tags`.
    """
    sources = [s for s in regions.SOURCES if described or s not in DERIVED]
    result = tags.lazy().select("image").collect()
    result = result.hstack(kinds.kinds(stored_columns(tags, kinds.KEYWORDS), tables.kinds))
    region = regions.regions(tags, tables.regions, spellings, sources)
    of_kind = result["kind"].replace_strict(
        tables.kinds.regions, default=None, return_dtype=pl.String
    )
    result = result.with_columns(region=region.fill_null(of_kind))
    words = pl.DataFrame([_words(tags, facet, result) for facet in tables.facets])
    if described:
        words = with_described(words, described_words(tags, tables.facets), tables.facets)
    of_pictures = words.select(pl.when(result["picture"]).then(pl.all()))
    return pl.concat([result, of_pictures], how="horizontal")


def with_described(
    of_tags: pl.DataFrame, of_descriptions: pl.DataFrame, wanted: Sequence[Facet]
) -> pl.DataFrame:
    """Return the words of tags, with those of descriptions where tags tell none, or less.

    of_tags, of_descriptions: a column per facet, (n,).
    """
    columns = []
    for facet in wanted:
        word, said = of_tags[facet.name], of_descriptions[facet.name]
        says_more = more_exact(facet, word, said)
        columns.append(said.zip_with(word.is_null() | says_more, word))
    return pl.DataFrame(columns)


def more_exact(facet: Facet, word: pl.Series, said: pl.Series) -> pl.Series:
    """Return whether a description's word says what the tags' word says, and more."""
    pairs = [f"{vague}\\{exact}" for vague, words in facet.more_exact.items() for exact in words]
    both = pl.select(pl.concat_str(word, said, separator="\\")).to_series()
    return both.is_in(pairs).fill_null(value=False)


def described_words(tags: pl.DataFrame | pl.LazyFrame, wanted: Sequence[Facet]) -> pl.DataFrame:
    """Return the words that descriptions have for facets, a column each, (n,).

    The first description that speaks for a facet (`_speaking`) and has a word for it counts; null
    where none has one, or where that one has several. Words that a facet does not have are ignored.
    """
    names = [words_column(description) for description in DESCRIPTIONS]
    stored = stored_columns(tags, names)
    none = pl.lit(None, pl.List(pl.String))
    columns = []
    for facet in wanted:
        found = (_described(pl.col(words_column(d)), facet) for d in _speaking(facet.name))
        nearest = pl.coalesce(*(pl.when(words.list.len() > 0).then(words) for words in found), none)
        one = pl.when(nearest.list.len() == 1).then(nearest.list.first())
        columns.append(one.alias(facet.name))
    return stored.select(columns)


def _speaking(facet: str) -> tuple[str, ...]:
    """The descriptions whose words count for a facet, the nearest first."""
    if facet in OF_SERIES_ALONE:
        return DESCRIPTIONS[:1]
    return DESCRIPTIONS if facet in OF_STUDIES else DESCRIPTIONS[:2]


def _described(column: pl.Expr, facet: Facet) -> pl.Expr:
    """The words of a facet in `weighting=T2\\plane=AX`, all different; a list, or null."""
    pairs = {f"{facet.name}={word}": word for word in facet.words}
    word = pl.element().replace_strict(pairs, default=None, return_dtype=pl.String)
    return column.str.split("\\").list.eval(word.drop_nulls().unique())


def _words(tags: pl.DataFrame | pl.LazyFrame, facet: Facet, result: pl.DataFrame) -> pl.Series:
    """The word of a facet for each image, (n,); each distinct header is read once."""
    if facet.read is None:
        return pl.repeat(None, len(result), dtype=pl.String, eager=True).alias(facet.name)
    stored = stored_columns(tags, facet.keywords).with_columns(result["kind"], result["region"])
    has_facet = pl.col("kind").is_in(sorted(facet.kinds)) if facet.kinds else pl.lit(value=True)
    rows = stored.with_row_index("row").filter(has_facet)
    keys = [*facet.keywords, "kind", "region"]
    distinct = rows.select(keys).unique()
    read = [facet.read(header) for header in headers(distinct, facet.keywords)]
    words = distinct.with_columns(pl.Series(facet.name, read, dtype=pl.String))
    found = rows.join(words, on=keys, how="left", nulls_equal=True).select("row", facet.name)
    everywhere = stored.select(row=pl.int_range(pl.len(), dtype=pl.UInt32))
    return everywhere.join(found, on="row", how="left", maintain_order="left")[facet.name]
