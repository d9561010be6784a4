"""Which clusters live inside which: those of each K of the grid inside those of the K before."""

from itertools import pairwise
from typing import Any

import polars as pl


def nesting(clusters: pl.DataFrame) -> list[dict[str, Any]]:
    """For each K of the grid and the next: `coarse` and `fine`, the two K, and `inside`.

    clusters: `image`, `k`, `cluster` of one sample; cluster 0, in no cluster, is left out.
    `inside`: a row for each pair of clusters that share images: `fine` and `coarse` (clusters),
    `images` (shared) and `share` (of the fine one's images), in the order of the fine ones, the
    largest share first. k-medoids does not nest by itself: shares near 1 say that it did.
    """
    ks = clusters["k"].unique().sort().to_list()
    known = clusters.filter(pl.col("cluster") > 0).select("image", "k", "cluster")
    return [
        {"coarse": coarse, "fine": fine, "inside": _inside(known, coarse, fine).to_dicts()}
        for coarse, fine in pairwise(ks)
    ]


def _inside(known: pl.DataFrame, coarse: int, fine: int) -> pl.DataFrame:
    left = known.filter(k=fine).select("image", fine="cluster")
    right = known.filter(k=coarse).select("image", coarse="cluster")
    sizes = left.group_by("fine").agg(size=pl.len())
    shared = left.join(right, on="image").group_by("fine", "coarse").agg(images=pl.len())
    return (
        shared.join(sizes, on="fine")
        .sort("fine", "images", "coarse", descending=[False, True, False])
        .select("fine", "coarse", "images", share=(pl.col("images") / pl.col("size")).round(6))
    )
