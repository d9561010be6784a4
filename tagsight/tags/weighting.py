"""Weights that give every column the same say: the inverse of its mean distance.

Source: van de Velden, Iodice D'Enza, Markos & Cavicchia, "Unbiased mixed variables distance"
(2024), who call it commensurability. With equal weights a column says as much as its values
happen to differ: a category with two even classes puts .5 between two images on average, a number
with a long tail .02. Here each adds the same to the mean distance of the pairs that it can compare.

Means are over pairs of images that both have the tag, exact, and from counts: n log n, no pairs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# A column in which hardly two images differ would otherwise drown all others: one image in 10⁷ that
# is not like the rest would make its weight 10⁷ times theirs. This is where 1 in 100 differs.
LEAST_MEAN = 0.02


def mean_difference(values: Array, counts: Array) -> float:
    """Return the mean of |x - y| over all pairs of rows, of m values and how often each occurs.

    values (m,) finite, in any order, may repeat; counts (m,) whole numbers. 0 for less than two
    rows. Between two neighbouring values lie as many differences as rows below times rows above.
    """
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(counts[order], dtype=np.float64)
    gaps = np.diff(values[order].astype(np.float64))
    return _per_pair(float((gaps * upto[:-1] * (upto[-1:] - upto[:-1])).sum()), upto)


def share_unequal(codes: Array, counts: Array) -> float:
    """Return the share of pairs of rows with unlike codes, of m codes and how often each occurs.

    codes (m,) integers from 0, may repeat; counts (m,) whole numbers. 0 for less than two rows.
    """
    sizes = np.bincount(codes, counts)  # float64
    upto = np.cumsum(sizes)
    return _per_pair(float((sizes * (upto - sizes)).sum()), upto)


def weights(means: Sequence[float], presence_means: Sequence[float]) -> tuple[Array, Array]:
    """Return the weights of the columns of values and of those of presence, float64.

    means, presence_means: mean distance of each column, LEAST_MEAN where it is less. Weights of
    values are 1 on average. Those of presence follow the same rule on the same scale, so that the
    config's presence weight says what presence adds to a distance beside a value, whatever share
    of images has the tag: with equal weights the presence of a tag that half of the images have
    says 25 times as much as that of one that all have but 1 %.
    """
    inverse = 1 / np.maximum(np.asarray(means, np.float64), LEAST_MEAN)
    presence = 1 / np.maximum(np.asarray(presence_means, np.float64), LEAST_MEAN)
    scale = inverse.mean() if len(inverse) else 1.0
    return inverse / scale, presence / scale


def _per_pair(total: float, upto: Array) -> float:
    n = float(upto[-1]) if len(upto) else 0.0
    return total / (n * (n - 1) / 2) if n > 1 else 0.0
