"""The clusterings that can be asked for by name, each for a whole grid of K.

All give what k-medoids gives: labels, and a medoid for each cluster, to which new images are
compared. Where a method knows no medoids, it is the member of least distance to the others.
"""

from collections.abc import Sequence
from typing import Any, Literal

import kmedoids
from numpy.typing import NDArray

from tagsight.clustering import average_linkage, famd, hdbscan, k_medoids, kprototypes
from tagsight.clustering.k_medoids import Clustering
from tagsight.gower.distinct_rows import DistinctRows, Weight, all_rows, collapse
from tagsight.gower.features import Features

Array = NDArray[Any]
Algorithm = Literal[
    "fasterpam", "pam", "alternate", "average", "hdbscan", "famd", "kprototypes", "dynmsc"
]
WEIGHTED = k_medoids.WEIGHTED  # equal rows may be given them once, with a weight
# Their number of clusters is their own: near a K of the grid, rarely equal to it.
OWN_NUMBER = frozenset({"hdbscan", "dynmsc"})


def clusterings(
    features: Features,
    distances: Array,
    ks: Sequence[int],
    algorithm: Algorithm,
    weights: Array | None = None,
) -> list[Clustering]:
    """A clustering for each K, in rising order of the number of clusters.

    features: n rows; distances: their Gower distances, float32 (n, n), symmetric, C order; weights:
    float64 (n,), how many equal rows each stands for, ValueError where `algorithm` is not in
    WEIGHTED: those want every row. K at or above the number of distinct rows is left out, as in
    `medoids.grid`. `hdbscan` gives the clusterings nearest in number to each K, and leaves rows out
    (label -1); `dynmsc` the best number of clusters between a K and the next below it. Labels of
    `famd` come from the features alone; its medoids, and which K are left out, from the distances.
    Deterministic, and the same whatever the number of threads.
    """
    if weights is not None and algorithm not in WEIGHTED and (weights != 1).any():
        raise ValueError(f"{algorithm} takes no weights: give it every row")
    if algorithm == "average":
        below = [len(first) for first in k_medoids.starts(distances, ks)]
        return average_linkage.clusterings(distances, below)
    if algorithm == "hdbscan":
        return _central(distances, hdbscan.labellings(distances, ks))
    if algorithm == "famd":
        below = [len(first) for first in k_medoids.starts(distances, ks)]
        return _central(distances, famd.labellings(features, below))
    if algorithm == "kprototypes":
        first = [found.labels for found in k_medoids.grid(distances, ks)]
        return _central(distances, kprototypes.labellings(features, first))
    if algorithm == "dynmsc":
        return _dynmsc(distances, ks)
    return k_medoids.grid(distances, ks, algorithm, weights)


def rows(features: Features, weight: Weight, algorithm: Algorithm) -> DistinctRows:
    """The rows to give to `clusterings`: each different one once, where it can count for all.

    weight: `images` counts every row, also those equal to others; `rows` counts equal rows once.
    """
    if weight == "rows" or algorithm in WEIGHTED:
        return collapse(features, weight)
    return all_rows(features)


def remark(ks: Sequence[int], found: Sequence[Clustering], algorithm: Algorithm) -> str | None:
    """Say in a line how the numbers of clusters differ from those asked for; None if they don't."""
    numbers = [clustering.k for clustering in found]
    if algorithm in OWN_NUMBER:
        return f"{algorithm} chose its own numbers of clusters: {numbers} for K = {sorted(ks)}"
    left_out = sorted(set(ks) - set(numbers))
    return f"K = {left_out} left out: the sample has too few distinct images" if left_out else None


def _central(distances: Array, labellings: Sequence[Array]) -> list[Clustering]:
    return [k_medoids.central(distances, labels) for labels in labellings]


def _dynmsc(distances: Array, ks: Sequence[int]) -> list[Clustering]:
    """Medoids of the best medoid silhouette, for the best number in each gap of the grid.

    Source: Lenssen & Schubert, "Medoid silhouette clustering with automatic cluster number
    selection", Information Systems 120 (2024).
    """
    found, least = [], 2
    for first in k_medoids.starts(distances, ks):
        best = kmedoids.dynmsc(distances.T, first.copy(), minimum_k=least)
        found.append(k_medoids.nearest(distances, best.medoids))
        least = len(first) + 1
    return found
