"""Categories that a run has not: what its encoding has no code for."""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from tagsight.encoding import PRESENCE, Column, Encoding

# Tags that say what kind of image it is: of a kind that the run has not, it belongs nowhere in it.
KINDS = ("Modality", "SOPClassUID")


def unseen(encoding: Encoding, sole: Mapping[str, Sequence[int]]) -> dict[str, pl.Expr]:
    """Return for each tag with categories whether an image has one that the run has not.

    sole: column -> codes that count as unseen too. The expressions are over the encoded columns,
    and never null.
    """
    found: dict[str, list[pl.Expr]] = {}
    for column in _categorical(encoding):
        found.setdefault(column.keyword, []).append(_is_new(column, sole.get(column.name, ())))
    return {keyword: pl.any_horizontal(new) for keyword, new in found.items()}


def named(features: pl.DataFrame, encoding: Encoding) -> pl.Series:
    """Return the tags of which each image has a category that the run has not, joined by `\\`.

    features: the encoded columns; an image without such a tag has null.
    """
    new = unseen(encoding, {})
    names = [pl.when(image).then(pl.lit(keyword)) for keyword, image in new.items()]
    text = pl.concat_str([pl.lit(None, pl.String), *names], separator="\\", ignore_nulls=True)
    return features.with_columns(pl.when(text != "").then(text).alias("unseen"))["unseen"]


def of_new_kind(features: pl.DataFrame, encoding: Encoding) -> pl.Series:
    """Return whether each image is of a kind (KINDS) that the run has not."""
    new = unseen(encoding, {})
    kinds = [new[keyword] for keyword in KINDS if keyword in new]
    return features.with_columns(pl.any_horizontal(pl.lit(False), *kinds).alias("new"))["new"]


def sole_codes(
    parts: Iterable[pl.DataFrame], encoding: Encoding
) -> dict[str, list[int]]:  # column -> codes
    """The categories of each column that one person alone has; parts: `person`, the columns.

    In the run itself every category was seen. It is as new as one that turns up later where nobody
    else has it (Good 1953: as many as there are to come).
    """
    found: dict[str, pl.DataFrame] = {}
    least, most = pl.col("least").min(), pl.col("most").max()
    for part in parts:
        for name in [column.name for column in _categorical(encoding)]:
            new = part.select(code=name, least="person", most="person").drop_nulls("code")
            both = pl.concat([found[name], new]) if name in found else new
            found[name] = both.group_by("code").agg(least, most)
    alone = pl.col("least") == pl.col("most")
    return {name: sorted(codes.filter(alone)["code"]) for name, codes in found.items()}


def _categorical(encoding: Encoding) -> list[Column]:
    return [c for c in encoding.columns if c.categories and c.parser != PRESENCE]


def _is_new(column: Column, sole: Sequence[int]) -> pl.Expr:
    code = pl.col(column.name)
    new = (code >= len(column.categories or ())) | code.is_in(list(sole))
    return new.fill_null(False)
