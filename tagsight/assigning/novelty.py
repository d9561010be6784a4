"""Values that a run does not have: categories without a code, numbers out of range, new kinds.

Numbers are compared with the least and the largest of the run's images, whatever they are scaled
by: for a distance, every number outside the scale is its end.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from tagsight.tags.encoding import PRESENCE, Column, Encoding

# Tags that say of which kind an image is: one of a new kind fits no cluster of the run.
KINDS = ("Modality", "SOPClassUID")

Ends = tuple[float, float]
NOWHERE: Ends = (float("inf"), float("-inf"))  # every number lies outside


class Values(NamedTuple):
    """The values of a run in each column.

    ends: the least and the largest number; one_person_codes: codes of categories that only one
    person has; inner_ends: the ends without the one person who has them.

    The run has seen each of its own values. To compare it with a delivery, those of one person
    alone count as new in it: as many are expected later (Good 1953).
    """

    ends: dict[str, Ends]
    one_person_codes: dict[str, list[int]]
    inner_ends: dict[str, Ends]


def values_of(parts: Iterable[pl.DataFrame], encoding: Encoding) -> Values:
    """Return the values of a run; parts: `person` and the encoded columns of its images."""
    codes: dict[str, pl.DataFrame] = {}
    numbers: dict[str, pl.DataFrame] = {}
    for part in parts:
        for column in encoding.columns:
            pairs = part.select("person", value=column.name).drop_nulls("value")
            if column.categories is None:
                numbers[column.name] = _people_at_ends(pairs, numbers.get(column.name))
            elif column.parser != PRESENCE:
                codes[column.name] = _people_of_codes(pairs, codes.get(column.name))
    alone = pl.col("first") == pl.col("last")
    at_ends = {name: _ends(people) for name, people in numbers.items()}
    return Values(
        ends={name: ends for name, (ends, _) in at_ends.items()},
        one_person_codes={
            name: sorted(people.filter(alone)["value"]) for name, people in codes.items()
        },
        inner_ends={name: inner for name, (_, inner) in at_ends.items()},
    )


def unseen(encoding: Encoding, rare_codes: Mapping[str, Sequence[int]]) -> dict[str, pl.Expr]:
    """Return for each tag with categories whether an image has one that is not in the run.

    rare_codes: column -> codes that count as unseen too.
    Returns expressions over the encoded columns, never null.
    """
    columns = [c for c in encoding.columns if c.categories and c.parser != PRESENCE]
    return _by_tag(
        columns, [_is_new(column, rare_codes.get(column.name, ())) for column in columns]
    )


def beyond(encoding: Encoding, ends: Mapping[str, Ends]) -> dict[str, pl.Expr]:
    """Return for each tag with numbers whether an image has one outside the ends.

    ends: by column.
    Returns expressions over the encoded columns, never null.
    """
    columns = [c for c in encoding.columns if c.categories is None]
    return _by_tag(columns, [_is_outside(column, ends[column.name]) for column in columns])


def new_tags(images: pl.DataFrame, new: Mapping[str, pl.Expr]) -> pl.Series:
    """Return the tags with a new value in each image, joined by `\\`; null where there is none.

    new: tag -> whether an image has a new value, an expression over the columns of `images`.
    """
    names = [pl.when(image).then(pl.lit(keyword)) for keyword, image in new.items()]
    text = pl.concat_str([pl.lit(None, pl.String), *names], separator="\\", ignore_nulls=True)
    return images.with_columns(pl.when(text != "").then(text).alias("new"))["new"]


def kinds(tags: pl.LazyFrame) -> list[pl.Expr]:
    """Return of which kind each image of a table of tags is: `kind Modality`, … as text.

    The encoding does not serve, since it has no column of a tag that all images of a run share.
    """
    held = tags.collect_schema()
    texts = {k: pl.col(k) if k in held else pl.lit(None, pl.String) for k in KINDS}
    plain = {k: text.str.strip_chars().str.to_uppercase() for k, text in texts.items()}
    return [pl.when(text != "").then(text).alias(f"kind {k}") for k, text in plain.items()]


def new_kinds(run: pl.DataFrame) -> dict[str, pl.Expr]:
    """Return for each of KINDS whether an image is of a kind that is not in the run.

    run: the columns of `kinds`; a tag that is missing in the whole run is left out.
    Returns expressions over columns of these names, never null.
    """
    known = {k: run[f"kind {k}"].drop_nulls().unique() for k in KINDS}
    return {
        k: ~pl.col(f"kind {k}").is_in(kinds.implode()).fill_null(True)
        for k, kinds in known.items()
        if len(kinds)
    }


def _by_tag(columns: Sequence[Column], new: Sequence[pl.Expr]) -> dict[str, pl.Expr]:
    by_tag: dict[str, list[pl.Expr]] = {}
    for column, image in zip(columns, new, strict=True):
        by_tag.setdefault(column.keyword, []).append(image)
    return {keyword: pl.any_horizontal(images) for keyword, images in by_tag.items()}


def _is_new(column: Column, rare_codes: Sequence[int]) -> pl.Expr:
    code = pl.col(column.name)
    new = (code >= len(column.categories or ())) | code.is_in(list(rare_codes))
    return new.fill_null(False)


def _is_outside(column: Column, ends: Ends) -> pl.Expr:
    number = pl.col(column.name).cast(pl.Float64)
    return ((number < ends[0]) | (number > ends[1])).fill_null(False)


def _people_of_codes(pairs: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """For each code the first and the last person by name who has it: `value`, `first`, `last`."""
    new = pairs.select("value", first="person", last="person")
    both = new if before is None else pl.concat([before, new])
    return both.group_by("value").agg(pl.col("first").min(), pl.col("last").max())


def _people_at_ends(pairs: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """The two persons with the least numbers, and with the largest: `person`, `low`, `high`."""
    new = pairs.select("person", low="value", high="value")
    both = new if before is None else pl.concat([before, new])
    each = both.group_by("person").agg(pl.col("low").min(), pl.col("high").max())
    two = [each.bottom_k(2, by="low"), each.top_k(2, by="high")]
    return pl.concat(two).unique()


def _ends(people: pl.DataFrame) -> tuple[Ends, Ends]:
    """The ends over all persons, and over all but the one who has the least, or the largest."""
    low, high = people["low"].sort(), people["high"].sort(descending=True)
    ends = [(low[i], high[i]) if i < len(people) else NOWHERE for i in range(2)]
    return ends[0], ends[1]
