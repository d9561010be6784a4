"""k-prototypes: k-means for numbers and categories together.

Source: Huang, "Clustering large data sets with mixed numeric and categorical values", PAKDD 1997.
A prototype has a mean for each number and the most frequent value of each category; a row costs

    sum_f w_f (x_f - mean_f)^2 + gamma sum_f w_f [x_f != mode_f]

gamma is half the mean standard deviation of the numbers, as in package kmodes. A tag that a row
lacks costs nothing; a tag that only the row has, and no member of the cluster, costs as much as the
largest difference. Presence columns record that a tag is missing.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import prange

from tagsight.arrays import Float32s, Float64s, Int32s, Int64s, Integers
from tagsight.gower.features import Features
from tagsight.run.compiling import kernel

ROUNDS = 100


class Prototypes(NamedTuple):
    """means: float64 (k, q), NaN where no member has the number; modes: int32 (k, c), else -1."""

    means: Float64s
    modes: Int32s


def labellings(features: Features, starts: Sequence[Integers]) -> list[Int64s]:
    """Return final labels (n,) from each of `starts`, labels (n,); both from 0 without gaps."""
    weight = gamma(features)
    return [_iterate(features, labels, weight) for labels in starts]


def gamma(features: Features) -> float:
    """Return the weight of a category relative to a number; 1 where no number varies."""
    numbers = [x[np.isfinite(x)].astype(np.float64) for x in features.numeric.T]
    deviations = [x.std() for x in numbers if len(x)]
    half = 0.5 * float(np.mean(deviations)) if deviations else 0.0
    return half or 1.0


def costs(features: Features, prototypes: Prototypes, gamma: float) -> Float64s:
    """Return the cost of each row under each prototype: float64 (n, k)."""
    out = np.empty((len(features), len(prototypes.means)))
    weights = (
        features.numeric_weight.astype(np.float64),
        gamma * features.categorical_weight.astype(np.float64),
    )
    _fill(features.numeric, features.categorical, *prototypes, *weights, out)
    return out


def prototypes(features: Features, labels: Integers, k: int) -> Prototypes:
    """Return means and modes of k clusters; of equally frequent values the lowest is the mode.

    labels: integers (n,).
    """
    present = np.isfinite(features.numeric)
    values = np.where(present, features.numeric, 0).astype(np.float64)
    counts = np.array([np.bincount(labels, flags, k) for flags in present.T]).reshape(-1, k).T
    sums = np.array([np.bincount(labels, x, k) for x in values.T]).reshape(-1, k).T
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    modes = [_modes(codes, labels, k) for codes in features.categorical.T]
    return Prototypes(means, np.array(modes, np.int32).reshape(-1, k).T.copy())


def _modes(codes: Int32s, labels: Integers, k: int) -> Int64s:
    present, levels = codes >= 0, int(codes.max(initial=0)) + 1
    places = labels[present].astype(np.int64) * levels + codes[present]
    counts = np.bincount(places, minlength=k * levels).reshape(k, levels)
    return np.where(counts.any(axis=1), counts.argmax(axis=1), -1)


def _iterate(features: Features, labels: Integers, weight: float) -> Int64s:
    """Labels after updating prototypes and assigning rows in turn, until no row moves."""
    k, current = int(labels.max()) + 1, labels.astype(np.int64)
    for _ in range(ROUNDS):
        previous = current
        current = _assign(costs(features, prototypes(features, current, k), weight))
        if np.array_equal(previous, current):
            break
    return current


def _assign(cost: Float64s) -> Int64s:
    """The cheapest prototype of each row; a prototype without rows gets the row that costs most."""
    labels: Int64s = cost.argmin(axis=1)
    least = cost[np.arange(len(cost)), labels]
    sizes = np.bincount(labels, minlength=cost.shape[1])
    for empty in np.flatnonzero(sizes == 0):
        row = int(np.argmax(np.where(sizes[labels] > 1, least, -1)))
        sizes[labels[row]] -= 1
        labels[row], least[row], sizes[empty] = empty, 0, 1
    return labels


@kernel(parallel=True)
def _fill(
    numeric: Float32s,
    codes: Int32s,
    means: Float64s,
    modes: Int32s,
    numeric_weight: Float64s,
    category_weight: Float64s,
    out: Float64s,
) -> None:
    for i in prange(len(out)):
        for c in range(len(means)):
            total = 0.0
            for f in range(numeric.shape[1]):
                x, mean = np.float64(numeric[i, f]), means[c, f]
                if np.isfinite(x):
                    total += numeric_weight[f] * ((x - mean) ** 2 if np.isfinite(mean) else 1.0)
            for f in range(codes.shape[1]):
                if codes[i, f] >= 0 and codes[i, f] != modes[c, f]:
                    total += category_weight[f]
            out[i, c] = total
