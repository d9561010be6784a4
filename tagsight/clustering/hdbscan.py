"""Clusters as dense regions, by HDBSCAN on the distances; what lies in none is left out.

Source: Campello, Moulavi & Sander, "Density-based clustering based on hierarchical density
estimates", PAKDD 2013, as scikit-learn has it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN

Array = NDArray[Any]

NEIGHBOURS = 5  # how many images make a place dense; HDBSCAN's min_samples


def labellings(distances: Array, ks: Sequence[int]) -> list[Array]:
    """Labels (n,) of the clusterings nearest in number to each K, by rising number; -1 = in none.

    distances: float32 (n, n), symmetric. How many clusters there are is HDBSCAN's own: the least
    size of a cluster is tried from 2 to n / 2, and for each K the result with the nearest number of
    clusters is taken, the smaller where equal, each once. Of equal numbers, the one that leaves out
    fewest. Empty where no size gives clusters.
    """
    found: dict[int, Array] = {}
    for size in _sizes(len(distances)):
        labels = _fit(distances, size)
        count = int(labels.max()) + 1
        if count and (count not in found or _left_out(labels) < _left_out(found[count])):
            found[count] = labels
    nearest = {min(found, key=lambda count: (abs(count - k), count)) for k in ks if found}
    return [found[count] for count in sorted(nearest)]


def _sizes(n: int) -> list[int]:
    """Least sizes of a cluster, each about 1.4 times the one before."""
    steps = int(2 * np.log2(max(n / 4, 1))) + 1
    return sorted({round(2 * 2 ** (step / 2)) for step in range(steps) if n >= 4})


def _fit(distances: Array, size: int) -> Array:
    neighbours = min(NEIGHBOURS, len(distances))
    model = HDBSCAN(metric="precomputed", min_cluster_size=size, min_samples=neighbours, copy=True)
    labels: Array = np.maximum(model.fit(distances).labels_, -1)
    return labels


def _left_out(labels: Array) -> int:
    return int((labels < 0).sum())
