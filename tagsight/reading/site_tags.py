"""What the config says of sites, put into a shard's tags: names, own spellings, own units."""

from collections.abc import Mapping
from decimal import Context, Decimal
from pathlib import Path

import polars as pl

from tagsight.archive.sites import Site
from tagsight.dicom.numerals import plain
from tagsight.run.package_data import user_rows
from tagsight.terms.body_parts import BodyParts
from tagsight.terms.other_units import is_in_another_unit
from tagsight.terms.spelling_table import spelling_table

SPELT = "BodyPartExamined"  # the tag that sites spell their own way

Factors = Mapping[str, Decimal]  # keyword → what its numbers are multiplied by

# Digits of a number that was converted: more than any device measures, fewer than a DS can hold
# (PS3.5 6.2), so that no digit comes of rounding.
_EXACT = Context(prec=12)


def of_sites(
    tags: pl.LazyFrame, listing: pl.DataFrame, sites: Mapping[str | None, Site]
) -> pl.LazyFrame:
    """Return tags with their site, and what the sites spell and measure their own way put right.

    listing: `path` and `site` of the shard's files; sites: of `archive.sites.named_sites`.
    """
    named = {name: site for name, site in sites.items() if name}
    spelt = {name: site.body_parts for name, site in named.items() if site.body_parts}
    spellings = {name: BodyParts(spelling_table(table)) for name, table in spelt.items()}
    units = {name: unit_factors(site.units) for name, site in named.items() if site.units}
    return with_units(with_spellings(with_sites(tags, listing), spellings), units)


def with_sites(tags: pl.LazyFrame, listing: pl.DataFrame) -> pl.LazyFrame:
    """Return tags with the site of each image's file, or of the container that it lies in.

    listing: `path` and `site` of the shard's files.
    """
    outer = pl.col("path").str.replace(r"(?s)!.*$", "")  # a name may have a line feed
    sites = listing.select(outer="path", listed="site").filter(pl.col("listed").is_not_null())
    named = tags.with_columns(outer=outer).join(
        sites.lazy(), on="outer", how="left", maintain_order="left"
    )
    return named.with_columns(site=pl.col("listed")).drop("outer", "listed")


def with_spellings(tags: pl.LazyFrame, own: Mapping[str, BodyParts]) -> pl.LazyFrame:
    """Return tags in which a site's own spellings of body parts are replaced by their terms.

    own: site -> the library's spellings, and after them its own.
    Values that these do not read otherwise than the library alone stay as they are.
    """
    if not own or SPELT not in tags.collect_schema():
        return tags
    library = BodyParts(spelling_table(None))
    stored = tags.select("site", SPELT).drop_nulls().unique().collect(engine="streaming")
    changed = {
        (site, text): term
        for site, text in stored.iter_rows()
        if site in own and (term := own[site].term(text)) not in (None, library.term(text))
    }
    value = pl.col(SPELT)
    for (site, text), term in sorted(changed.items()):
        is_it = (pl.col("site") == site) & (pl.col(SPELT) == text)
        value = pl.when(is_it).then(pl.lit(term)).otherwise(value)
    return tags.with_columns(value.alias(SPELT))


def unit_factors(table: str | Path) -> dict[str, Decimal]:
    """Return the factors of a site's table of units, of columns `keyword`, `factor`."""
    return {row["keyword"]: Decimal(row["factor"]) for row in user_rows(table)}


def with_units(tags: pl.LazyFrame, own: Mapping[str, Factors]) -> pl.LazyFrame:
    """Return tags in which the numbers of sites with units of their own are in the standard's.

    own: site → its factors. Each item of a value is converted for itself; see `in_standard_unit`.
    """
    columns = tags.collect_schema()
    keywords = sorted({keyword for factors in own.values() for keyword in factors})
    converted = [_converted(tags, keyword, own) for keyword in keywords if keyword in columns]
    return tags.with_columns(converted) if converted else tags


def in_standard_unit(keyword: str, text: str, factor: Decimal) -> str:
    r"""Return a value (items joined by `\`) times the factor; what is no number stays as it is.

    So does a number whose product can only be in another unit still (`other_units.csv`): the
    site's unit is not that of this one, and a tag's parser converts it from the one it can be in.
    Of the two conversions one alone is ever made.

    >>> in_standard_unit("SliceThickness", "0.25", Decimal(10))
    '2.5'
    """
    return "\\".join(_item(keyword, item, factor) for item in text.split("\\"))


def _converted(tags: pl.LazyFrame, keyword: str, own: Mapping[str, Factors]) -> pl.Expr:
    """The column of a tag, converted at each site that has a factor for it."""
    sites = {site: factors[keyword] for site, factors in own.items() if keyword in factors}
    values = tags.select("site", keyword).drop_nulls().unique().collect(engine="streaming")
    column = pl.col(keyword)
    for site, factor in sorted(sites.items()):
        stored = values.filter(pl.col("site") == site)[keyword].sort()
        read = [in_standard_unit(keyword, text, factor) for text in stored]
        here = pl.col(keyword).replace_strict(
            stored, pl.Series(read, dtype=pl.String), default=None, return_dtype=pl.String
        )
        column = pl.when(pl.col("site") == site).then(here).otherwise(column)
    return column.alias(keyword)


def _item(keyword: str, text: str, factor: Decimal) -> str:
    stored = plain(text)
    if stored is None:
        return text
    number = _EXACT.multiply(Decimal(stored), factor).normalize(_EXACT)
    return text if is_in_another_unit(keyword, float(number)) else _written(number)


def _written(number: Decimal) -> str:
    """Plain digits, with an exponent only where they would be many."""
    return format(number, "f") if -6 < number.adjusted() < _EXACT.prec else str(number)
