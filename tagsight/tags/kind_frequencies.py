"""Facts of each tag within each kind of images: what selection and encoding of a tree ask.

A tag that only mammograms have is missing in most of an archive, and in no mammogram. So missing
shares, distinct values and equal tags are those among the images of one kind.
"""

from collections.abc import Sequence

import polars as pl

from tagsight.run.tables import present
from tagsight.tags import parsers
from tagsight.tags.frequencies import (
    HALF,
    MOST_PARSED,
    fingerprint,
    keywords_of,
    standard,
)
from tagsight.tags.quantities import without_uncalibrated

SCHEMA = pl.Schema(
    {
        "kind": pl.String(),
        "images": pl.Int64(),
        "keyword": pl.String(),
        "tag": pl.String(),
        "vr": pl.String(),
        "module": pl.String(),
        "present": pl.Int64(),
        "missing_share": pl.Float64(),
        "distinct": pl.Int64(),
        "categories": pl.Int64(),
        "level": pl.String(),
        "inferred": pl.String(),
        "fingerprint": pl.String(),
        "presence": pl.String(),
    }
)


def scan_with_content(tags: Sequence[str], content: Sequence[str]) -> pl.LazyFrame:
    """Return `with_content` of the shards in these files."""
    return with_content(*([pl.scan_parquet(path) for path in paths] for paths in (tags, content)))


def with_content(tags: Sequence[pl.LazyFrame], content: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """Return all shards of tags, side by side with the columns of content, `image` once.

    tags, content: a table for each shard, rows in the same order.
    """
    shards = [
        pl.concat([of_tags, of_content.drop("image")], how="horizontal")
        for of_tags, of_content in zip(tags, content, strict=True)
    ]
    return pl.concat(shards, how="diagonal")


def sizes(tags: pl.LazyFrame) -> pl.DataFrame:
    """Return the kinds of an archive, the largest first: `kind`, `picture`, `images`.

    tags: of `with_content`.
    """
    counts = tags.group_by("kind").agg(pl.col("picture").first(), images=pl.len().cast(pl.Int64))
    ordered = counts.collect(engine="streaming").sort(["images", "kind"], descending=[True, False])
    return ordered.select("kind", "picture", "images")


def kind_frequencies(tags: pl.LazyFrame, frequencies: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each tag of each kind of pictures: the columns of SCHEMA.

    tags: of `with_content`; frequencies: of `frequencies.frequencies`, which says what type a tag
    is (`inferred`).
    `missing_share`, `distinct`, `categories`, `fingerprint` and `presence` are those among the
    images of the kind. `level` is not measured (`unknown`): in a tree tags that vary within a
    series are kept, since views are what differs between its pictures. Kinds are in falling order
    of size; within a kind tags are in order of missing share, then tag.
    """
    tags = without_uncalibrated(tags)
    pictures = sizes(tags).filter("picture").select("kind", "images")
    inferred = dict(frequencies.select("keyword", "inferred").iter_rows())
    columns = [keyword for keyword in keywords_of(tags) if keyword in inferred]
    tables = [_of_keyword(tags, keyword, str(inferred[keyword])) for keyword in columns]
    table = pl.concat([_of_nobody(), *tables]).join(pictures, on="kind")
    ordered = pictures["kind"].to_list()
    return (
        table.with_columns(missing_share=1 - pl.col("present") / pl.col("images"))
        .sort(
            pl.col("kind").replace_strict(
                ordered, list(range(len(ordered))), return_dtype=pl.Int32
            ),
            "missing_share",
            "tag",
            "keyword",
        )
        .select(list(SCHEMA))
        .cast(SCHEMA)
    )


def tally(tags: pl.LazyFrame, keyword: str) -> pl.DataFrame:
    """Return the distinct values of a tag in each kind: `kind`, `value`, `n` (images), sorted."""
    counts = tags.filter(present(keyword)).group_by("kind", value=pl.col(keyword))
    return counts.agg(n=pl.len()).collect(engine="streaming").sort("kind", "value")


def words(content: pl.LazyFrame) -> pl.DataFrame:
    """Return how many images of each kind have each word of content.

    content: all shards, or any other table with their columns and `kind`.
    Returns `kind`, `column` (`region`, or a facet), `word`, `images`; sorted.
    """
    columns = [c for c in content.collect_schema().names() if c not in ("image", "kind", "picture")]
    counts = [
        content.filter(pl.col(column).is_not_null())
        .group_by("kind", word=pl.col(column))
        .agg(images=pl.len().cast(pl.Int64))
        .select("kind", pl.lit(column).alias("column"), "word", "images")
        for column in columns
    ]
    tables = pl.collect_all(counts, engine="streaming")
    schema = {"kind": pl.String, "column": pl.String, "word": pl.String, "images": pl.Int64}
    return pl.concat(
        [pl.DataFrame(schema=schema), *(table.sort("kind", "word") for table in tables)]
    )


def _of_nobody() -> pl.DataFrame:
    lacking = ("images", "missing_share")
    return pl.DataFrame(schema={k: v for k, v in SCHEMA.items() if k not in lacking})


def _of_keyword(tags: pl.LazyFrame, keyword: str, inferred: str) -> pl.DataFrame:
    """A tag's row in each kind that has it, without the kind's size."""
    image = pl.col("image").hash()
    values = (
        tags.filter(present(keyword))
        .group_by("kind", value=pl.col(keyword))
        .agg(
            n=pl.len().cast(pl.Int64),
            low=(image % HALF).cast(pl.Int64).sum(),
            high=(image // HALF).cast(pl.Int64).sum(),
        )
        .collect(engine="streaming")
        .sort(["kind", "n", "value"], descending=[False, True, False])
    )
    categories = _categories(keyword, values) if inferred == "categorical" else None
    facts = standard(keyword)
    rows = [
        {
            "kind": kind,
            **facts,
            "present": int(of_kind["n"].sum()),
            "distinct": len(of_kind),
            "categories": None if categories is None else categories[str(kind)],
            "level": "unknown",
            "inferred": inferred,
            "fingerprint": fingerprint(of_kind),
            "presence": fingerprint(of_kind.select(pl.col("n", "low", "high").sum())),
        }
        for (kind,), of_kind in values.group_by("kind", maintain_order=True)
    ]
    empty = _of_nobody()
    return pl.DataFrame(rows, empty.schema).select(empty.columns)


def _categories(keyword: str, values: pl.DataFrame) -> dict[str, int]:
    """Kind → categories of its values after parsing, the most of any item."""
    totals = values.group_by("value", maintain_order=True).agg(pl.col("n").sum())
    common = totals.sort(["n", "value"], descending=[True, False]).head(MOST_PARSED)
    items = parsers.item_count(common["value"], common["n"])
    parsed = parsers.parse(keyword, str(standard(keyword)["vr"]), common["value"], items=items)
    meaning = pl.concat([common.select("value"), parsed], how="horizontal")
    joined = values.select("kind", "value").join(meaning, on="value", how="left")
    counts = joined.group_by("kind").agg(pl.exclude("value").drop_nulls().n_unique())
    return {kind: max(numbers, default=0) for kind, *numbers in counts.iter_rows()}
