"""How many clusters each kind of images gets of those asked for in all."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from tagsight.clustering import cluster_tables
from tagsight.tree.encodings import Tree

Distances = Mapping[int, float]  # K → mean distance of images to their medoid


def deal(grids: Mapping[str, Distances], images: Mapping[str, int], count: int) -> dict[str, int]:
    """Return the number of clusters of each kind: `count` in all, or as near as the grids allow.

    grids: kind → K → mean distance; each has K = 1; images: kind → how many the archive has.
    Each kind starts with 1. The next clusters go to the kind that gains most by each: the fall of
    the mean distance times the square root of its images, so that a kind of which there are few is
    divided too. A step may be of several clusters where those before gain less.
    """
    numbers = dict.fromkeys(grids, 1)
    while step := _best_step(grids, images, numbers, count - sum(numbers.values())):
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
    grids = {
        str(kind): cluster_tables.summary(rows)
        for (kind,), rows in clusters.group_by("kind", maintain_order=True)
    }
    distances = {
        kind: dict(grid.select("k", "distance").iter_rows()) for kind, grid in grids.items()
    }
    images = {kind: tree.branches[kind].images for kind in grids}
    numbers = deal(distances, images, count)
    kinds = {
        kind: {
            "k": numbers[kind],
            "images": images[kind],
            "sample": clusters.filter(kind=kind, k=1).height,
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


def _best_step(
    grids: Mapping[str, Distances],
    images: Mapping[str, int],
    numbers: Mapping[str, int],
    left: int,
) -> tuple[str, int] | None:
    """The kind and its next number of clusters; None where nothing is left or gained."""
    steps = [
        (_gain(grid, numbers[kind], k) * float(np.sqrt(images[kind])), kind, k)
        for kind, grid in grids.items()
        for k in grid
        if numbers[kind] < k <= numbers[kind] + left
    ]
    gain, kind, k = max(steps, key=lambda step: (step[0], -step[2]), default=(0.0, "", 0))
    return (kind, k) if gain > 0 else None


def _gain(grid: Distances, before: int, after: int) -> float:
    return (grid[before] - grid[after]) / (after - before)
