"""Clusters as dense regions, by HDBSCAN on the distances; rows outside them are left out.

Source: Campello, Moulavi & Sander, "Density-based clustering based on hierarchical density
estimates", PAKDD 2013, in scikit-learn's version.
"""

from collections.abc import Sequence

import numpy as np

from tagsight.arrays import Float32s, Int64s

NEIGHBOURS = 5  # how many images make a place dense; HDBSCAN's min_samples


def labellings(distances: Float32s, ks: Sequence[int]) -> list[Int64s]:
    """Return labels (n,) of the clusterings nearest in number to each K; -1 = in no cluster.

    distances: float32 (n, n), symmetric.
    Minimum cluster sizes from 2 to n / 2 are tried. For each K, the result with the nearest number
    of clusters is taken, the smaller of two equally near; of results with the same number, the one
    that leaves out fewest rows.
    Returns each result once, by rising number of clusters; none where no size gives clusters.
    """
    by_number: dict[int, Int64s] = {}
    for size in _sizes(len(distances)):
        labels = _fit(distances, size)
        count = int(labels.max()) + 1
        if count and (count not in by_number or _left_out(labels) < _left_out(by_number[count])):
            by_number[count] = labels
    nearest = {min(by_number, key=lambda count: (abs(count - k), count)) for k in ks if by_number}
    return [by_number[count] for count in sorted(nearest)]


def _sizes(n: int) -> list[int]:
    """Minimum cluster sizes, each about 1.4 times the one before."""
    steps = int(2 * np.log2(max(n / 4, 1))) + 1
    return sorted({round(2 * 2 ** (step / 2)) for step in range(steps) if n >= 4})


def _fit(distances: Float32s, size: int) -> Int64s:
    from sklearn.cluster import HDBSCAN

    neighbours = min(NEIGHBOURS, len(distances))
    model = HDBSCAN(metric="precomputed", min_cluster_size=size, min_samples=neighbours, copy=True)
    labels: Int64s = np.maximum(model.fit(distances).labels_, -1)
    return labels


def _left_out(labels: Int64s) -> int:
    return int((labels < 0).sum())
