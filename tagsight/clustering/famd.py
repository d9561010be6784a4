"""Factor analysis of mixed data, then k-means: few dimensions in place of many tags.

Source: Pagès, "Analyse factorielle de données mixtes", Revue de statistique appliquée 52 (2004).
A number is centred and divided by its standard deviation; a category becomes an indicator, centred
and divided by the root of its share; the factors are the principal components of both together.
So a factor's variance is the sum of its squared correlations with the numbers and its correlation
ratios with the categories.

A missing value is replaced by its tag's mean, so it does not move an image. Presence columns record
that a tag is missing; they are categories like others.

No distances are computed. The standardised table, of p columns with one per category, is never in
memory as a whole: its products (p, p) are summed over some rows at a time. So time and
memory grow with the rows and with p².
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tagsight.arrays import Float32s, Float64s, Int32s, Int64s
from tagsight.gower.features import Features

LARGEST = 50  # factors at most
ROWS = 4096  # of the table in memory at a time
STARTS = 4  # of k-means
SAMPLE = 20_000  # rows that k-means starts on where there are more
STEPS = 20  # of k-means on all rows after that, at most
DECIMALS = 9  # to compare rows on the factors; less is rounding


def labellings(features: Features, ks: Sequence[int]) -> list[Int32s]:
    """Return labels (n,) by k-means on the factors for each K, without gaps and without -1.

    A K above the number of distinct rows on the factors is left out. Runs on one thread, since sums
    of several threads differ in the last digits. With more than 20,000 rows, k-means first runs on
    a sample of that size, then on all rows from the sample's centres.
    """
    if not ks:
        return []
    with threadpool_limits(1):
        coordinates, _ = factors(features)
        distinct = pl.DataFrame(coordinates.round(DECIMALS)).n_unique()
        return [_means(coordinates, k) for k in ks if k <= distinct]


def factors(features: Features) -> tuple[Float64s, Float64s]:
    """Return coordinates (n, d) on the factors and their variances (d,), largest first.

    Factors of variance above 1 are kept (a tag of weight 1 has variance 1), but at least two where
    there are two, and at most LARGEST.
    Raises ValueError where no column varies.
    """
    n = len(features)
    columns: list[_Column] = [*_numbers(features), *_categories(features)]
    p = sum(column.width for column in columns)
    if p > n:  # then the products of rows are fewer
        table = _table(columns, slice(0, n))
        variances, axes = _axes(table @ table.T / n)
        return axes * np.sqrt(variances * n), variances
    products = np.zeros((p, p))
    for rows in _parts(n):
        table = _table(columns, rows)
        products += table.T @ table
    variances, axes = _axes(products / n)
    coordinates = np.empty((n, len(variances)))
    for rows in _parts(n):
        coordinates[rows] = _table(columns, rows) @ axes
    return coordinates, variances


def _axes(products: Float64s) -> tuple[Float64s, Float64s]:
    """The variances (d,) and axes (m, d) to keep; products: (m, m)."""
    from scipy.linalg import eigh

    size = len(products)
    pairs: tuple[Float64s, Float64s] = (np.empty(0), np.empty((0, 0)))
    if size:
        pairs = eigh(products, subset_by_index=[max(0, size - LARGEST), size - 1])
    variances, axes = pairs[0][::-1], pairs[1][:, ::-1]
    kept = variances > 1
    kept[:2] = variances[:2] > 1e-9
    if not kept.any():
        raise ValueError("no column of features tells one row from another")
    return variances[kept], axes[:, kept]


class _Number(NamedTuple):
    """A numeric column, centred and scaled."""

    values: Float32s  # (n,)
    mean: float
    scale: float
    width: int = 1

    def fill(self, rows: slice, block: Float64s) -> None:
        """Write the rows' part of the table to `block` (m, 1), filled with 0."""
        x = self.values[rows]
        present = np.isfinite(x)
        block[present, 0] = (x[present].astype(np.float64) - self.mean) * self.scale


class _Category(NamedTuple):
    """A categorical column as one indicator per value."""

    codes: Int32s  # (n,)
    place: Int64s  # of each code among those present
    root: Float64s  # (width,), of each value's share
    scale: float
    width: int

    def fill(self, rows: slice, block: Float64s) -> None:
        """Write the rows' part of the table to `block` (m, width), filled with 0."""
        codes = self.codes[rows]
        present = np.flatnonzero(codes >= 0)
        level = self.place[codes[present]]
        block[present] = -self.root * self.scale
        block[present, level] += self.scale / self.root[level]


_Column = _Number | _Category


def _parts(n: int) -> Iterator[slice]:
    return (slice(start, min(start + ROWS, n)) for start in range(0, n, ROWS))


def _table(columns: Sequence[_Column], rows: slice) -> Float64s:
    """Standardised numbers, then weighted indicators: float64 (m, p), missing = 0 = the mean."""
    table = np.zeros((rows.stop - rows.start, sum(column.width for column in columns)))
    start = 0
    for column in columns:
        column.fill(rows, table[:, start : start + column.width])
        start += column.width
    return table


def _numbers(features: Features) -> Iterator[_Number]:
    for x, weight in zip(features.numeric.T, features.numeric_weight, strict=True):
        numbers = x[np.isfinite(x)].astype(np.float64)
        if len(numbers) and np.ptp(numbers) > 0:
            yield _Number(x, numbers.mean(), np.sqrt(weight) / numbers.std())


def _categories(features: Features) -> Iterator[_Category]:
    for codes, weight in zip(features.categorical.T, features.categorical_weight, strict=True):
        counts = np.bincount(codes[codes >= 0])
        present = counts > 0
        if present.any():
            share = counts[present] / counts.sum()
            place = np.cumsum(present) - 1
            yield _Category(codes, place, np.sqrt(share), float(np.sqrt(weight)), len(share))


def _means(coordinates: Float64s, k: int) -> Int32s:
    from sklearn.cluster import KMeans

    size = max(SAMPLE, 10 * k)
    start: dict[str, Any] = {"n_init": STARTS}
    if len(coordinates) > size:
        sample = np.sort(np.random.default_rng(0).choice(len(coordinates), size, replace=False))
        first = KMeans(k, random_state=0, **start).fit(coordinates[sample])
        start = {"init": first.cluster_centers_, "n_init": 1, "max_iter": STEPS}
    labels: Int32s = KMeans(k, random_state=0, **start).fit(coordinates).labels_
    return labels
