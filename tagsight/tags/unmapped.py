"""Values of an archive's tags that were not understood, for people who extend the tables."""

from collections.abc import Collection

import polars as pl

from tagsight.dicom.dictionary import attribute
from tagsight.run.tables import counted_person, present
from tagsight.tags import parsers
from tagsight.tags.labels import LABELS

RARE = "(rare)"


def unmapped(
    tags: pl.LazyFrame,
    body_parts: pl.DataFrame,
    min_patients: int,
    keywords: Collection[str] = (),
) -> pl.DataFrame:
    """Return the values that are filled and were not understood: keyword, value, count (images).

    tags: all shards; body_parts: the table of spellings; min_patients: values of fewer patients are
    summed up as `(rare)`; keywords: tags to examine besides those that labels are made of.

    Not understood are spellings that no table has, mojibake, and unreadable or implausible numbers.
    The most frequent come first.
    """
    columns = tags.collect_schema().names()
    examined = dict.fromkeys([*LABELS["body_part"], *LABELS["manufacturer"], *keywords])
    tables = [
        _unmapped_of(tags, keyword, body_parts, min_patients)
        for keyword in examined
        if keyword in columns
    ]
    schema = {"keyword": pl.String, "value": pl.String, "count": pl.Int64}
    return pl.concat([pl.DataFrame(schema=schema), *tables])


def _unmapped_of(
    tags: pl.LazyFrame, keyword: str, body_parts: pl.DataFrame, min_patients: int
) -> pl.DataFrame:
    values = (
        tags.filter(present(keyword))
        .group_by(value=pl.col(keyword))
        .agg(count=pl.len().cast(pl.Int64), people=counted_person().n_unique())
        .sort("value")
        .collect(engine="streaming")
    )
    vr = attribute(keyword).vr
    items = parsers.item_count(values["value"], values["count"])
    not_understood = parsers.unmapped(
        keyword, vr, values["value"], items=items, spellings=body_parts
    )
    shown = pl.when(pl.col("people") >= min_patients).then("value").otherwise(pl.lit(RARE))
    summed = values.filter(not_understood).group_by(value=shown).agg(pl.col("count").sum())
    ordered = summed.sort(["count", "value"], descending=[True, False])
    return ordered.select(pl.lit(keyword).alias("keyword"), "value", "count")
