"""Factor analysis of mixed data, then k-means: few dimensions in place of many tags.

Source: Pagès, "Analyse factorielle de données mixtes", Revue de statistique appliquée 52 (2004).
A number is centred and divided by its standard deviation; a category becomes an indicator, centred
and divided by the root of its share; the factors are the principal components of both together.
So a factor's variance is what it shares with the tags: the sum of squared correlations with the
numbers and of correlation ratios with the categories.

A missing value has its tag's mean, so it pulls an image nowhere; that it is missing is said by the
presence columns, which are categories like others.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tagsight.gower import Features

Array = NDArray[Any]

LARGEST = 50  # factors at most
STARTS = 4  # of k-means


def labellings(features: Features, ks: Sequence[int]) -> list[Array]:
    """Labels (n,) by k-means on the factors for each K, without gaps; -1 never.

    K above the number of rows that the factors tell apart is left out. On one thread, since sums
    by several differ in the last digits. Empty where `ks` is.
    """
    if not ks:
        return []
    with threadpool_limits(1):
        placed, _ = factors(features)
        distinct = len(np.unique(placed, axis=0))
        return [_means(placed, k) for k in ks if k <= distinct]


def factors(features: Features) -> tuple[Array, Array]:
    """Coordinates (n, d) on the factors and their variances (d,), largest first; float64.

    Those of variance above 1 are kept, which say more than a tag of weight 1 alone, but at least
    two where there are two, and LARGEST at most. ValueError where no column varies.
    """
    table = _table(features)  # (n, p)
    n, p = table.shape
    wide = p > n
    products = (table @ table.T if wide else table.T @ table) / n
    some = [max(0, len(products) - LARGEST), len(products) - 1]
    variances, axes = eigh(products, subset_by_index=some)
    variances, axes = variances[::-1], axes[:, ::-1]
    kept = variances > 1
    kept[:2] = variances[:2] > 1e-9
    if not kept.any():
        raise ValueError("no column of features tells one row from another")
    variances, axes = variances[kept], axes[:, kept]
    return (axes * np.sqrt(variances * n) if wide else table @ axes), variances


def _table(features: Features) -> Array:
    """Standardised numbers, then weighted indicators: float64 (n, p), missing = 0 = the mean."""
    columns = [*_numbers(features), *_indicators(features)]
    return np.hstack([np.empty((len(features), 0)), *columns])


def _numbers(features: Features) -> Iterator[Array]:
    for x, weight in zip(features.numeric.T, features.numeric_weight, strict=True):
        there = np.isfinite(x)
        known = x[there].astype(np.float64)
        if len(known) and np.ptp(known) > 0:
            column = np.zeros((len(x), 1))
            column[there, 0] = (known - known.mean()) / known.std() * np.sqrt(weight)
            yield column


def _indicators(features: Features) -> Iterator[Array]:
    for codes, weight in zip(features.categorical.T, features.categorical_weight, strict=True):
        there = codes >= 0
        if there.any():
            _, level = np.unique(codes[there], return_inverse=True)
            share = np.bincount(level) / len(level)
            block = np.zeros((len(codes), len(share)))
            block[there] = (np.eye(len(share))[level] - share) / np.sqrt(share) * np.sqrt(weight)
            yield block


def _means(placed: Array, k: int) -> Array:
    labels: Array = KMeans(k, n_init=STARTS, random_state=0).fit(placed).labels_
    return labels
