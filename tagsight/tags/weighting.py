"""Weights by which every column adds the same to a distance: the inverse of its mean distance.

Source: van de Velden, Iodice D'Enza, Markos & Cavicchia, "Unbiased mixed variables distance"
(2024), who call it commensurability. With equal weights a column adds as much as its values
happen to differ: a category with two even classes puts .5 between two images on average, a number
with a long tail .02. Here each adds the same to the mean distance of the pairs that it can compare.

Means are over pairs of images that both have the tag; exact, and from counts in n log n steps.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tagsight.arrays import Float64s, Floats, Integers

# A column in which almost no images differ would otherwise outweigh all others: with one image in
# 10⁷ that differs, its weight would be 10⁷ times theirs. This is the mean if 1 in 100 differs.
Kind = Literal["equal", "commensurable", "looks"]

LEAST_MEAN = 0.02


def mean_difference(values: Floats, counts: Integers) -> float:
    """Return the mean of |x - y| over all pairs of rows; 0 for less than two rows.

    values: float (m,), finite, in any order, may repeat; counts: int (m,), how often each occurs.
    """
    # The gap between two neighbouring values counts in (rows below) × (rows above) pairs.
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(counts[order], dtype=np.float64)
    gaps = np.diff(values[order].astype(np.float64))
    return _per_pair(float((gaps * upto[:-1] * (upto[-1:] - upto[:-1])).sum()), upto)


def share_unequal(codes: Integers, counts: Integers) -> float:
    """Return the share of pairs of rows with unlike codes; 0 for less than two rows.

    codes: int (m,), from 0, may repeat; counts: int (m,), how often each occurs.
    """
    sizes = np.bincount(codes, counts)  # float64
    upto = np.cumsum(sizes)
    return _per_pair(float((sizes * (upto - sizes)).sum()), upto)


def weights(means: Sequence[float], presence_means: Sequence[float]) -> tuple[Float64s, Float64s]:
    """Return the weights of the columns of values (p,) and of those of presence (q,).

    means (p,), presence_means (q,): mean distance of each column, LEAST_MEAN where it is less.

    Weights of values are 1 on average. Those of presence follow the same rule on the same scale, so
    that the config's presence weight is what presence adds to a distance relative to a value,
    whatever share of images has the tag. With equal weights, presence of a tag that half of the
    images have adds 25 times as much as that of a tag that 99 % have.
    """
    inverse = 1 / np.maximum(np.asarray(means, np.float64), LEAST_MEAN)
    presence = 1 / np.maximum(np.asarray(presence_means, np.float64), LEAST_MEAN)
    scale = inverse.mean() if len(inverse) else 1.0
    return inverse / scale, presence / scale


def _per_pair(total: float, upto: Float64s | Integers) -> float:
    n = float(upto[-1]) if len(upto) else 0.0
    return total / (n * (n - 1) / 2) if n > 1 else 0.0
