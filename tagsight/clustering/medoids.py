"""Clusters with one medoid each, the result of every algorithm, and the assignment of rows to them.

This module loads neither numba nor scikit-learn, so that jobs that only read clusters start fast.
"""

from dataclasses import dataclass

import numpy as np

from tagsight.arrays import Float32s, Float64s, Int32s, Int64s, Integers


@dataclass(frozen=True)
class Clustering:
    """k clusters of n rows; cluster 0 has the largest weight.

    loss: weighted sum of the distances of rows to the medoid of their cluster.
    labels: int32 (n,), -1 = in no cluster.
    medoids: int64 (k,), row of the medoid of each cluster, always a member of it.
    """

    k: int
    loss: float
    labels: Int32s
    medoids: Int64s


def nearest(distances: Float32s, medoids: Integers, weights: Float64s | None = None) -> Clustering:
    """Return the clustering of rows by nearest medoid.

    A medoid is in its own cluster, even if an equal medoid comes first.

    distances: float32 (n, n), symmetric.
    medoids: integers (k,), rows.
    weights: float64 (n,), how many equal rows each represents; None = 1 each.
    """
    rows = np.sort(medoids.astype(np.int64))
    labels = np.argmin(distances[rows], axis=0)
    labels[rows] = np.arange(len(rows))
    return _clustering(distances, labels, rows, unit(len(distances), weights))


def central(distances: Float32s, labels: Integers) -> Clustering:
    """Return the clustering of these labels; medoids are the members nearest to all others.

    distances: float32 (n, n), symmetric.
    labels: integers (n,), from 0 without gaps, -1 = in no cluster.
    """
    members = [np.flatnonzero(labels == c) for c in range(labels.max() + 1)]
    totals = [distances[np.ix_(m, m)].sum(axis=1, dtype=np.float64) for m in members]
    medoids = [m[np.argmin(total)] for m, total in zip(members, totals, strict=True)]
    return _clustering(distances, labels, np.array(medoids, np.int64), unit(len(distances)))


def unit(n: int, weights: Float64s | None = None) -> Float64s:
    """Return the weights of n rows as float64 (n,): those given, or 1 each."""
    return np.ones(n) if weights is None else weights.astype(np.float64)


def numbered(labels: Integers, medoids: Int64s, weights: Float64s) -> tuple[Int32s, Int64s]:
    """Return clusters numbered by falling weight; of equal ones the lower medoid is first.

    labels: integers (n,), -1 = in no cluster; medoids: int64 (k,); weights: float64 (n,).
    Returns labels int32 (n,) and medoids int64 (k,) under the new numbers.
    """
    k, members = len(medoids), np.flatnonzero(labels >= 0)
    sizes = np.bincount(labels[members], weights[members], minlength=k)
    order = np.lexsort((medoids, -sizes))
    rank = np.full(k + 1, -1, np.int32)  # the last is for label -1
    rank[order] = np.arange(k)
    return rank[labels], medoids[order]


def _clustering(
    distances: Float32s, labels: Integers, medoids: Int64s, weights: Float64s
) -> Clustering:
    ranked, ordered = numbered(labels, medoids, weights)
    members = np.flatnonzero(ranked >= 0)
    to_medoid = distances[members, ordered[ranked[members]]]
    loss = (to_medoid * weights[members]).sum(dtype=np.float64)
    return Clustering(len(medoids), float(loss), ranked, ordered)
