"""What an archive's tags hold that was not understood, for people who extend the tables."""

from collections.abc import Collection

import polars as pl

from tagsight.dicom.dictionary import attribute
from tagsight.run.tables import person, present
from tagsight.tags import parsers
from tagsight.tags.labels import LABELS

RARE = "(rare)"


def unmapped(
    tags: pl.LazyFrame,
    body_parts: pl.DataFrame,
    min_patients: int,
    keywords: Collection[str] = (),
) -> pl.DataFrame:
    """Return keyword, value, count (images): what is filled and was not understood.

    Of the tags that labels are made of, and of `keywords`: spellings that no table has, mojibake,
    and numbers that cannot be read or cannot be meant. Values of fewer than min_patients patients
    are summed up as `(rare)`. Most frequent first.
    """
    held = tags.collect_schema().names()
    looked_at = dict.fromkeys([*LABELS["body_part"], *LABELS["manufacturer"], *keywords])
    found = [
        _unmapped_of(tags, keyword, body_parts, min_patients)
        for keyword in looked_at
        if keyword in held
    ]
    schema = {"keyword": pl.String, "value": pl.String, "count": pl.Int64}
    return pl.concat([pl.DataFrame(schema=schema), *found])


def _unmapped_of(
    tags: pl.LazyFrame, keyword: str, body_parts: pl.DataFrame, min_patients: int
) -> pl.DataFrame:
    values = (
        tags.filter(present(keyword))
        .group_by(value=pl.col(keyword))
        .agg(count=pl.len().cast(pl.Int64), people=person().n_unique())
        .sort("value")
        .collect(engine="streaming")
    )
    vr = attribute(keyword).vr
    items = parsers.item_count(values["value"], values["count"])
    missed = parsers.unmapped(keyword, vr, values["value"], items=items, spellings=body_parts)
    left = values.filter(missed)
    shown = pl.when(pl.col("people") >= min_patients).then("value").otherwise(pl.lit(RARE))
    summed = left.group_by(value=shown).agg(pl.col("count").sum())
    ordered = summed.sort(["count", "value"], descending=[True, False])
    return ordered.select(pl.lit(keyword).alias("keyword"), "value", "count")
