"""The paper's labelling of the same images: flat clusters by the tags least often missing."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from tagsight.clustering import annotation, medoid_tables
from tagsight.gower.distinct_rows import Weight
from tagsight.tags import fitting
from tagsight.tags.selection import fates
from tagsight.tree.clusters import flat_clusters

# What a flat encoding is made with, beside the table of spellings and the key.
ENCODED = ("distance", "presence_weight", "scale", "weights", "min_patients")


def flat_labels(
    tuning: pl.DataFrame,
    images: pl.DataFrame,
    tags: pl.LazyFrame,
    frequencies: pl.DataFrame,
    encode: Mapping[str, Any],
    *,
    count: int,
    select: Mapping[str, Any],
    weight: Weight,
    seed: int,
) -> pl.Series:
    """Return the flat cluster of each image: Int32 (n,), null where there is none.

    tuning, images: `image` of those that are clustered, and of all that get the nearest medoid's
    cluster; tags: of the archive; frequencies: as in frequencies.parquet; count: of clusters;
    select, encode: the keywords of `selection.fates` and `fitting.fit`; seed: of what they draw.
    The encoding is fitted to the images given.
    """
    own = tags.join(images.lazy().select("image"), on="image", how="semi").collect()
    body_parts, key = encode["body_parts"], encode["key"]
    chosen = fates(frequencies, own.lazy(), body_parts, **select, seed=seed)
    encoding = fitting.fit(own.lazy(), frequencies, chosen, **encode)
    features = fitting.apply(own, encoding, body_parts, key)
    sample = tuning.select("image").join(features, on="image", maintain_order="left")
    clusters = flat_clusters(sample, encoding, [count], algorithm="fasterpam", weight=weight)
    medoids, _ = medoid_tables.of_sample(clusters, sample, encoding)
    largest = medoids.filter(pl.col("k") == pl.col("k").max())
    placed = annotation.annotate(features, largest, encoding).select("image", "cluster")
    return images.select("image").join(placed, on="image", how="left", maintain_order="left")[
        "cluster"
    ]
