"""What the images of each leaf are, counted over the whole archive."""

from collections.abc import Iterable

import polars as pl

from tagsight.run.tables import counted_person
from tagsight.terms.defined_terms import modalities
from tagsight.terms.name_words import bands, number_columns

SCHEMA = {
    "cluster": pl.Int32,
    "kind": pl.String,
    "column": pl.String,
    "word": pl.String,
    "images": pl.Int64,
    "patients": pl.Int64,
}


def shard_words(nearest: pl.LazyFrame, content: pl.LazyFrame, tags: pl.LazyFrame) -> pl.DataFrame:
    """Return the words of a shard: `cluster`, `kind`, `column`, `word`, `person`, `images`.

    nearest: `image` and `cluster`; content, tags: of the same images. There is a row for each word
    of each person in each leaf, with the number of images: what a shard comes to does not grow with
    the slices of its series. A modality that is no term of the standard is none: names are made of
    these words, and people type what they like. Beside the words of content there are those of
    ranges of numbers, in a column of each tag's keyword.
    """
    needed = ("Modality", *sorted(number_columns()))
    stored = tags.collect_schema().names()
    lacking = [pl.lit(None, pl.String).alias(name) for name in needed if name not in stored]
    text = pl.col("Modality").str.strip_chars().str.to_uppercase()
    term = pl.when(text.is_in(sorted(modalities()))).then(text)
    told = {"person": counted_person(), "modality": term}
    of_tags = tags.with_columns(lacking).select("image", *bands(), **told)
    joined = nearest.select("image", "cluster").join(content.drop("picture"), on="image")
    images = joined.join(of_tags, on="image").drop("image").collect(engine="streaming")
    columns = [name for name in images.columns if name not in ("cluster", "kind", "person")]
    return pl.concat([_counted(images, column) for column in columns])


def _counted(images: pl.DataFrame, column: str) -> pl.DataFrame:
    counts = images.group_by("cluster", "kind", "person", word=pl.col(column)).agg(
        images=pl.len().cast(pl.Int64)
    )
    return counts.select(
        "cluster", "kind", pl.lit(column).alias("column"), "word", "person", "images"
    )


def composition(shards: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return how many images and patients of each leaf have each word.

    shards: of `shard_words`.
    Returns the columns of SCHEMA: a row for each leaf, column (`modality`, `region`, each facet)
    and word; `word` is null for the images that state none. Sorted; a leaf without an image is not
    in it.
    """
    words = pl.concat(list(shards))
    table = words.group_by("cluster", "kind", "column", "word").agg(
        pl.col("images").sum(), patients=pl.col("person").n_unique().cast(pl.Int64)
    )
    columns = words["column"].unique(maintain_order=True)
    place = pl.col("column").replace_strict(
        columns, pl.int_range(len(columns), eager=True), return_dtype=pl.Int32
    )
    return table.cast(pl.Schema(SCHEMA)).sort("cluster", place, "word", nulls_last=True)
