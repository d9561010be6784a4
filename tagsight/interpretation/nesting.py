"""Nesting of clusters: those of each K of the grid inside those of each smaller K."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import polars as pl

Step = Mapping[str, Any]


def nesting(clusters: pl.DataFrame) -> list[dict[str, Any]]:
    """Return for each pair of K of the grid: `coarse` and `fine`, the two K, and `inside`.

    clusters: `image`, `k`, `cluster` of one sample.
    Returns in `inside` the rows of `inside`. Clusters of k-medoids need not be nested: shares
    near 1 mean that they are.
    """
    ks = clusters["k"].unique().sort().to_list()
    return [
        {"coarse": coarse, "fine": fine, "inside": inside(clusters, coarse, fine).to_dicts()}
        for coarse, fine in combinations(ks, 2)
    ]


def inside(clusters: pl.DataFrame, coarse: int, fine: int) -> pl.DataFrame:
    """Return the clusters of one K that the images of each cluster of another K are in.

    clusters: `image`, `k`, `cluster` of one sample; coarse, fine: the two K.
    Returns one row per pair of clusters that share images: `fine` and `coarse` (clusters; 0, in
    none, is a group like others), `images` (shared), `share` (of the fine cluster's images), by
    fine cluster, the largest share first.
    """
    labels = clusters.select("image", "k", "cluster")
    fine_labels = labels.filter(k=fine).select("image", fine="cluster")
    coarse_labels = labels.filter(k=coarse).select("image", coarse="cluster")
    shared = (
        fine_labels.join(coarse_labels, on="image").group_by("fine", "coarse").agg(images=pl.len())
    )
    size = pl.col("images").sum().over("fine")
    return shared.select("fine", "coarse", "images", share=(pl.col("images") / size).round(6)).sort(
        "fine", "images", "coarse", descending=[False, True, False]
    )


def homes(step: Step) -> dict[int, Mapping[str, Any]]:
    """Return the row of largest share of each finer cluster but 0.

    step: an item of `nesting`.
    """
    largest: dict[int, Mapping[str, Any]] = {}
    for row in step["inside"]:
        if row["fine"]:
            largest.setdefault(row["fine"], row)
    return largest


def nested(step: Step) -> float | None:
    """Return the share of images in the coarser cluster that has most of their finer cluster.

    step: an item of `nesting`.
    Returns 1 where each finer cluster is inside one coarser, None where there is no cluster.
    """
    rows = [row for row in step["inside"] if row["fine"]]
    total = sum(row["images"] for row in rows)
    return sum(row["images"] for row in homes(step).values()) / total if total else None
