"""Medoids of the best medoid silhouette, with the best number of clusters in each gap of the grid.

Source: Lenssen & Schubert, "Medoid silhouette clustering with automatic cluster number selection",
Information Systems 120 (2024).
"""

from collections.abc import Sequence

from tagsight.arrays import Float32s
from tagsight.clustering import k_medoids
from tagsight.clustering.medoids import Clustering, nearest


def clusterings(distances: Float32s, ks: Sequence[int]) -> list[Clustering]:
    """Return for each K the best clustering of at most K clusters, but more than the next K below.

    distances: float32 (n, n), symmetric.
    """
    import kmedoids  # loads scikit-learn and pandas

    grid, least = [], 2
    for start in k_medoids.starts(distances, ks):
        best = kmedoids.dynmsc(distances.T, start.copy(), minimum_k=least)
        grid.append(nearest(distances, best.medoids))
        least = len(start) + 1
    return grid
