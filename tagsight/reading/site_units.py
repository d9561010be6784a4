"""Numbers of a site that writes them in units of its own, put into the standard's unit."""

import re
from collections.abc import Mapping
from decimal import Context, Decimal
from pathlib import Path

import polars as pl

from tagsight.run.package_data import user_rows
from tagsight.terms.other_units import is_in_another_unit

Factors = Mapping[str, Decimal]  # keyword → what its numbers are multiplied by

# Digits of a number that was converted: more than any device measures, fewer than a DS can hold
# (PS3.5 6.2), so that no digit comes of rounding.
_EXACT = Context(prec=12)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


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
    plain = text.strip()
    if _DECIMAL_COMMA.fullmatch(plain):
        plain = plain.replace(",", ".")
    if not _NUMBER.fullmatch(plain):
        return text
    number = _EXACT.multiply(Decimal(plain), factor).normalize(_EXACT)
    return text if is_in_another_unit(keyword, float(number)) else _written(number)


def _written(number: Decimal) -> str:
    """Plain digits, with an exponent only where they would be many."""
    return format(number, "f") if -6 < number.adjusted() < _EXACT.prec else str(number)
