"""How many clusters each kind of images gets of those asked for in all."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from tagsight.clustering import cluster_tables
from tagsight.tree.encodings import Tree

Gains = Mapping[int, float]  # K → what all steps up to K gained, from 1 → 0 on


def deal(gains: Mapping[str, Gains], count: int) -> dict[str, int]:
    """Return the number of clusters of each kind: `count` in all, or as near as can be.

    gains: kind → K → gain; see `growth`.
    Each kind starts with 1. The next clusters go to the kind that gains most by each. A step may be
    of several clusters where those before gain less.
    """
    numbers = dict.fromkeys(gains, 1)
    while step := _best_step(gains, numbers, count - sum(numbers.values())):
        kind, k = step
        numbers[kind] = k
    return numbers


def tree_choice(clusters: pl.DataFrame, tree: Tree, count: int) -> dict[str, Any]:
    """Return the content of choice.json of a tree: the number of clusters of each kind.

    clusters: of `clusters.tree_clusters`, of the tuning sample.
    Returns `count` (asked for), `clusters` (in all), and `kinds`, in the order of the tree: `k`,
    `images` (of the archive), `sample` (images of the sample), and `grid` by K: `distance` (mean)
    and `silhouette`.
    """
    by_kind = {str(kind): rows for (kind,), rows in clusters.group_by("kind", maintain_order=True)}
    grids = {kind: cluster_tables.summary(rows) for kind, rows in by_kind.items()}
    images = {kind: tree.branches[kind].images for kind in grids}
    sizes = {kind: rows.filter(k=1).height for kind, rows in by_kind.items()}
    each = {kind: float(np.sqrt(images[kind] / sizes[kind])) for kind in grids}
    numbers = deal({kind: _gains(rows, each[kind]) for kind, rows in by_kind.items()}, count)
    kinds = {
        kind: {
            "k": numbers[kind],
            "images": images[kind],
            "sample": sizes[kind],
            "grid": {
                str(k): {"distance": distance, "silhouette": silhouette}
                for k, distance, silhouette in grid.select(
                    "k", "distance", "silhouette"
                ).iter_rows()
            },
        }
        for kind, grid in grids.items()
    }
    return {"count": count, "clusters": sum(numbers.values()), "kinds": kinds}


def numbers_of(choice: Mapping[str, Any]) -> dict[str, int]:
    """Return kind → number of clusters, from `tree_choice`."""
    return {kind: int(each["k"]) for kind, each in choice["kinds"].items()}


def _gains(clusters: pl.DataFrame, each: float) -> dict[int, float]:
    """K → gain up to K; each: root of the images of the archive for one of the sample."""
    steps = clusters.group_by("k").agg(pl.col("gain").first()).sort("k")
    total = (steps["gain"] * each).cum_sum()
    return dict(zip(steps["k"].to_list(), total.to_list(), strict=True))


def _best_step(
    gains: Mapping[str, Gains], numbers: Mapping[str, int], left: int
) -> tuple[str, int] | None:
    """The kind and its next number of clusters; None where nothing is left or gained."""
    steps = [
        ((of_kind[k] - of_kind[numbers[kind]]) / (k - numbers[kind]), kind, k)
        for kind, of_kind in gains.items()
        for k in of_kind
        if numbers[kind] < k <= numbers[kind] + left
    ]
    gain, kind, k = max(steps, key=lambda step: (step[0], -step[2]), default=(0.0, "", 0))
    return (kind, k) if gain > 0 else None
