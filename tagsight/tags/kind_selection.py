"""Which tags are kept as features of each kind of images: those of its content.

Most of what a header holds is about the machine, the patient or the file, and least of that is ever
missing. So tags are chosen by what they are for (their role), inside each kind.
"""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from tagsight.tags import ranking
from tagsight.tags.selection import check_drop, fates

SCHEMA = {
    "kind": pl.String,
    "keyword": pl.String,
    "fate": pl.String,
    "reason": pl.String,
    "same_as": pl.String,
    "score": pl.Float64,
    "missing_share": pl.Float64,
    "role": pl.String,
}


def kind_selection(
    by_kind: pl.DataFrame,
    frequencies: pl.DataFrame,
    tags: pl.LazyFrame,
    body_parts: pl.DataFrame,
    *,
    roles: Mapping[str, str],
    wanted: Collection[str],
    in_words: Mapping[str, Collection[str]],
    method: ranking.Method | str,
    count: int,
    max_missing: float,
    max_categories: int,
    per_module: int | None,
    drop: Sequence[str],
    image_level: bool = True,
    seed: int | None = None,
) -> pl.DataFrame:
    """Return the fate of each tag in each kind, and why.

    by_kind: of `kind_frequencies.kind_frequencies`; frequencies: of `frequencies.frequencies`;
    tags: all shards with their content; body_parts: the table of spellings.
    roles: keyword → its role; wanted: the roles that are compared (`not content` is the reason of
    all others); in_words: kind → tags that the words of content stand for there (`in words`).
    method, count, max_missing, max_categories, per_module, drop, seed: see `selection.fates`;
    image_level: has no effect, since of kinds no level is known: views are kept.

    Returns the columns of SCHEMA, with a row for each tag of each kind, kinds and tags in the order
    of `by_kind`; `missing_share` is that in the kind. A tag that no picture has is in one row
    without a kind.
    Raises ConfigError for a `drop` that is no DICOM keyword.
    """
    check_drop(drop, frequencies["keyword"].to_list())
    role = {keyword: "not content" for keyword, each in roles.items() if each not in wanted}
    tables = [
        fates(
            of_kind,
            tags.filter(pl.col("kind") == kind),
            body_parts,
            method=method,  # type: ignore[arg-type]
            count=count,
            max_missing=max_missing,
            max_categories=max_categories,
            image_level=image_level,
            per_module=per_module,
            drop=drop,
            seed=seed,
            unwanted={**dict.fromkeys(in_words.get(str(kind), ()), "in words"), **role},
        )
        .with_columns(kind=pl.lit(kind))
        .join(of_kind.select("keyword", "missing_share"), on="keyword", maintain_order="left")
        for (kind,), of_kind in by_kind.group_by("kind", maintain_order=True)
    ]
    tables = [*tables, _in_no_picture(frequencies, by_kind)]
    named = pl.col("keyword").replace_strict(roles, default=None, return_dtype=pl.String)
    return pl.concat([table.with_columns(role=named).select(list(SCHEMA)) for table in tables])


def _in_no_picture(frequencies: pl.DataFrame, by_kind: pl.DataFrame) -> pl.DataFrame:
    """The tags of objects that are no pictures, and those that were withheld."""
    others = frequencies.join(by_kind, on="keyword", how="anti")
    identifying = pl.col("inferred") == "identifying"
    reason = pl.when(identifying).then(pl.lit("identifying")).otherwise(pl.lit("in no picture"))
    return others.select(
        "keyword",
        "missing_share",
        kind=pl.lit(None, pl.String),
        fate=pl.lit("dropped"),
        reason=reason,
        same_as=pl.lit(None, pl.String),
        score=pl.lit(None, pl.Float64),
    )
