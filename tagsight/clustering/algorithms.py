"""The clustering algorithms by name, each for a whole grid of K.

All return what k-medoids returns: labels, and a medoid for each cluster, with which new images are
compared. Where a method has no medoids, it is the member of least distance to the others.

To add one: write its function, and add an `Algorithm` to `ALGORITHMS`. The schema's enum and
docs/clustering.md must agree with it; a test compares them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tagsight.arrays import Float32s, Float64s, Integers
from tagsight.clustering import (
    average_linkage,
    dynmsc,
    famd,
    hdbscan,
    k_medoids,
    kprototypes,
    medoids,
)
from tagsight.clustering.medoids import Clustering
from tagsight.gower.distinct_rows import DistinctRows, Weight, all_rows, collapse
from tagsight.gower.features import Features

# Takes features (n,), distances (n, n), the grid of K, and weights (n,): see `clusterings`.
Find = Callable[[Features, Float32s, Sequence[int], Float64s | None], list[Clustering]]
AS_GOWER = "as fasterpam"


@dataclass(frozen=True)
class Algorithm:
    """A clustering algorithm and its description; texts are Markdown, for a table.

    find: the function that clusters. weighted: equal rows may be given once, with a weight.
    own_number: it chooses the number of clusters itself, near a K of the grid and rarely equal.
    """

    name: str  # the value of `cluster.algorithm`
    find: Find
    summary: str  # what it does
    good_for: str
    missing: str = AS_GOWER  # what it does with missing values
    number: str = "K"  # how many clusters it finds
    weighted: bool = False
    own_number: bool = False


def clusterings(
    features: Features,
    distances: Float32s,
    ks: Sequence[int],
    algorithm: str,
    weights: Float64s | None = None,
) -> list[Clustering]:
    """Return a clustering for each K, in rising order of the number of clusters.

    features: n rows.
    distances: float32 (n, n), their Gower distances, symmetric, C order.
    algorithm: a name in ALGORITHMS.
    weights: float64 (n,), how many equal rows each row represents.
    A K at or above the number of distinct rows is left out, as in `k_medoids.grid`; where none is
    left, halves of the smallest are tried, and at last all rows are one cluster, as rows without
    any feature are. Without rows there is no clustering. `hdbscan`
    returns the clusterings nearest in number to each K, and leaves rows out (label -1); `dynmsc`
    the best number of clusters between a K and the next below it. Labels of `famd` depend on the
    features only; its medoids, and which K are left out, on the distances. Deterministic, for any
    number of threads.
    Raises ValueError where weights are given to an algorithm that takes none.
    """
    chosen = ALGORITHMS[algorithm]
    if weights is not None and not chosen.weighted and (weights != 1).any():
        raise ValueError(f"{algorithm} takes no weights: give it every row")
    if not len(features):
        return []
    if len(features) == 1 or not features.comparable().any():
        return [_one_cluster(distances, weights)]
    found = chosen.find(features, distances, ks, weights)
    if not found and (smaller := halves(min(ks))):
        found = chosen.find(features, distances, smaller, weights)
    return found or [_one_cluster(distances, weights)]


def halves(k: int) -> list[int]:
    """Return the numbers from 2 on that K becomes when it is halved again and again.

    >>> halves(5), halves(2), halves(20)
    ([2], [], [2, 5, 10])
    """
    numbers = []
    while (k := k // 2) > 1:
        numbers.append(k)
    return numbers[::-1]


def _one_cluster(distances: Float32s, weights: Float64s | None) -> Clustering:
    return medoids.nearest(distances, k_medoids.build(distances, 1, weights), weights)


def rows_to_cluster(features: Features, weight: Weight, algorithm: str) -> DistinctRows:
    """Return the rows to give to `clusterings`: the distinct ones, or all if it takes no weights.

    weight: `images` counts every row, also those equal to others; `rows` counts equal rows once.
    """
    if weight == "rows" or ALGORITHMS[algorithm].weighted:
        return collapse(features, weight)
    return all_rows(features)


def remark(ks: Sequence[int], grid: Sequence[Clustering], algorithm: str) -> str | None:
    """Return a line on how the numbers of clusters differ from those asked for; None if equal."""
    numbers = [clustering.k for clustering in grid]
    if ALGORITHMS[algorithm].own_number:
        return f"{algorithm} chose its own numbers of clusters: {numbers} for K = {sorted(ks)}"
    left_out, instead = sorted(set(ks) - set(numbers)), sorted(set(numbers) - set(ks))
    if not left_out:
        return None
    why = f"K = {left_out} left out: the sample has too few distinct images"
    return f"{why}; K = {instead} in their place" if instead else why


def _k_medoids(swap: k_medoids.Swap) -> Find:
    def find(
        _: Features, distances: Float32s, ks: Sequence[int], weights: Float64s | None
    ) -> list[Clustering]:
        return k_medoids.grid(distances, ks, swap, weights)

    return find


def _average(
    _: Features, distances: Float32s, ks: Sequence[int], _weights: Float64s | None
) -> list[Clustering]:
    return average_linkage.clusterings(distances, _numbers(distances, ks))


def _hdbscan(
    _: Features, distances: Float32s, ks: Sequence[int], _weights: Float64s | None
) -> list[Clustering]:
    return _central(distances, hdbscan.labellings(distances, ks))


def _famd(
    features: Features, distances: Float32s, ks: Sequence[int], _weights: Float64s | None
) -> list[Clustering]:
    return _central(distances, famd.labellings(features, _numbers(distances, ks)))


def _kprototypes(
    features: Features, distances: Float32s, ks: Sequence[int], _weights: Float64s | None
) -> list[Clustering]:
    starts = [clustering.labels for clustering in k_medoids.grid(distances, ks)]
    return _central(distances, kprototypes.labellings(features, starts))


def _dynmsc(
    _: Features, distances: Float32s, ks: Sequence[int], _weights: Float64s | None
) -> list[Clustering]:
    return dynmsc.clusterings(distances, ks)


def _numbers(distances: Float32s, ks: Sequence[int]) -> list[int]:
    """The K below the number of distinct rows."""
    return [len(start) for start in k_medoids.starts(distances, ks)]


def _central(distances: Float32s, labellings: Sequence[Integers]) -> list[Clustering]:
    return [medoids.central(distances, labels) for labels in labellings]


def _by_name(algorithms: Iterable[Algorithm]) -> dict[str, Algorithm]:
    return {algorithm.name: algorithm for algorithm in algorithms}


ALGORITHMS = _by_name(
    [
        Algorithm(
            "fasterpam",
            _k_medoids(k_medoids.fasterpam),
            summary="k-medoids by eager swaps (Schubert & Rousseeuw 2021)",
            missing="as in Gower's distance: what either image lacks is not compared",
            good_for="the default: clusters with a typical image each, fast; the one that goes on "
            "to all images (`cluster.on: all`)",
            weighted=True,
        ),
        Algorithm(
            "pam",
            _k_medoids(k_medoids.pam),
            summary="k-medoids, the best swap each time (Kaufman & Rousseeuw 1987)",
            good_for="comparing with other people's PAM; far slower",
        ),
        Algorithm(
            "alternate",
            _k_medoids(k_medoids.alternate),
            summary="k-medoids by turns of assigning and centring",
            good_for="comparing; stops at higher losses than swaps do",
        ),
        Algorithm(
            "average",
            _average,
            summary="average linkage, the tree cut at K",
            good_for="finding outliers, nested clusters; one cluster may take most images",
        ),
        Algorithm(
            "hdbscan",
            _hdbscan,
            summary="dense regions, the rest left out (Campello et al. 2013)",
            number="its own: of the least sizes of a cluster tried from 2 to n / 2, what comes "
            "nearest to each K, each once, under the K found",
            good_for="finding the images that fit nowhere: cluster 0 in `results/clusters`, to be "
            "looked at",
            own_number=True,
        ),
        Algorithm(
            "famd",
            _famd,
            summary="factors of mixed data (Pagès 2004), then k-means",
            missing="the tag's mean, so that it pulls nowhere; presence columns say that it is "
            "missing",
            good_for="many noisy tags: what they share counts, the rest is dropped. Distances are "
            "needed for its medoids and silhouettes alone: `tagsight.clustering.famd.labellings`, "
            "without them, takes a million images",
        ),
        Algorithm(
            "kprototypes",
            _kprototypes,
            summary="k-means with modes for categories (Huang 1997), from the clusters of "
            "fasterpam",
            missing="cost nothing, whichever the cluster; presence columns say that it is missing",
            good_for="comparing with k-means; as annotations, which go by medoids, it may differ "
            "much",
        ),
        Algorithm(
            "dynmsc",
            _dynmsc,
            summary="k-medoids of the best medoid silhouette (Lenssen & Schubert 2024)",
            number="its own: the best between each K of the grid and the one below",
            good_for="choosing K without gaps in the grid",
            own_number=True,
        ),
    ]
)
