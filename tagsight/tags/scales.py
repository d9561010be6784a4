"""Scales that bring numbers to 0 … 1, so that a difference counts alike in every column.

`range` divides by the difference between the largest and the least value (Gower 1971). `robust`
divides by that between the 95 % and the 5 % quantile; a value outside counts as the nearer
quantile, so that one outlier cannot compress all others. `rank` replaces values by their ranks,
equal values by their mean rank (Kaufman & Rousseeuw, Finding Groups in Data, 1990; Podani,
Taxon 48, 1999).
"""

from typing import Literal, NamedTuple

import numpy as np

from tagsight.arrays import Float64s, Floats, Integers

Kind = Literal["range", "robust", "rank"]

SHARES = 84
MOST_KNOTS = 3 * (SHARES + 1)  # 255


class Scale(NamedTuple):
    """A scale from `minimum` to `maximum`; a scale of ranks has knots.

    knots: rising values, at most 255; ranks: the rank of each, from 0 to 1.
    """

    minimum: float
    maximum: float
    knots: tuple[float, ...] | None = None
    ranks: tuple[float, ...] | None = None


def fit(values: Floats, counts: Integers, kind: Kind) -> Scale:
    """Return the scale of numbers.

    values: float (m,), finite, in any order, may repeat; counts: int (m,), how often each occurs.

    Without a value the scale is 0 to 0. A quantile is an observed value: the least with that share
    of all values at or below it. If the 5 % and 95 % quantiles are equal, `robust` is `range`, so
    that rare values stay apart from the common one.
    """
    if not len(values):
        return Scale(0.0, 0.0)
    distinct, place = np.unique(values, return_inverse=True)
    upto = np.cumsum(np.bincount(place, counts).astype(np.int64))  # (d,)
    low, high = float(distinct[0]), float(distinct[-1])
    if kind == "rank":
        return Scale(low, high, *_knots(distinct, upto))
    if kind == "robust":
        inner = distinct[np.searchsorted(upto * 20, upto[-1] * np.array([1, 19]))]
        low, high = (float(x) for x in inner) if inner[0] < inner[1] else (low, high)
    return Scale(low, high)


def scaled(values: Floats, scale: Scale) -> Floats:
    """Return numbers from 0 to 1.

    values: float (n,), NaN = missing.
    Returns float (n,), NaN = missing. A number outside the scale counts as its nearer end; if
    minimum = maximum, all are 0.
    """
    low, high = scale.minimum, scale.maximum
    if not high > low:
        return np.asarray(values * 0.0)
    if scale.knots is not None and scale.ranks is not None:
        return _between(values, np.array(scale.knots), np.array(scale.ranks))
    return np.asarray((np.clip(values, low, high) - low) / (high - low))


def _knots(distinct: Floats, upto: Integers) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Values and their ranks: all if at most MOST_KNOTS, else those at 85 equally spaced shares.

    Each of these comes with both its neighbours, since many rows may have its value: so an
    interpolated rank is off by less than 1/84.
    """
    places = np.arange(len(distinct))
    if len(distinct) > MOST_KNOTS:
        at = np.searchsorted(upto * SHARES, np.arange(SHARES + 1) * upto[-1])
        near = np.concatenate([at - 1, at, at + 1])
        places = np.unique(np.clip(near, 0, len(distinct) - 1))
    counts = np.diff(upto, prepend=0)
    middle = upto - counts / 2
    ranks = (middle - middle[0]) / max(middle[-1] - middle[0], 1.0)
    return tuple(distinct[places].tolist()), tuple(ranks[places].tolist())


def _between(values: Floats, knots: Float64s, ranks: Float64s) -> Float64s:
    """Interpolated ranks, clipped to both knots: np.interp may round past the next knot."""
    above = np.searchsorted(knots, values, side="right")
    low, high = (ranks[np.clip(at, 0, len(ranks) - 1)] for at in (above - 1, above))
    return np.clip(np.interp(values, knots, ranks), low, high)
