"""Permutation tests of two sides: what is seen, against what shuffling patients between them gives.

Source: Good, "Permutation, Parametric, and Bootstrap Tests of Hypotheses" (2005); for the largest
of many statistics Westfall & Young, "Resampling-Based Multiple Testing" (1993).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

PERMUTATIONS = 999
CHUNK = 32  # permutations at a time
ROUNDING = 1e-9  # sums made in another order are still the same


class Sides:
    """Patients of two sides, as rows of shares.

    rows: float64 (n, m), the first side's before the second's; actual: (1, n), 1 for those of the
    first side; spread: (m,), the standard deviation over all, infinite where there is none.
    """

    def __init__(self, first: Array, second: Array) -> None:
        """Take (n1, m) and (n2, m); neither is empty."""
        self.rows = np.vstack([first, second]).astype(float)
        self.first = len(first)
        self.actual = (np.arange(len(self.rows)) < self.first).astype(float)[None]
        spread = self.rows.std(axis=0)
        self.spread = np.where(spread > ROUNDING, spread, np.inf)

    def parts(self) -> tuple[Array, Array]:
        """The rows of the first side, and those of the second."""
        return self.rows[: self.first], self.rows[self.first :]

    def draws(self, seed: int) -> Iterator[Array]:
        """The actual side, then PERMUTATIONS random ones of the same size: (draws, n), 0 or 1."""
        yield self.actual
        random = np.random.default_rng(seed)
        for done in range(0, PERMUTATIONS, CHUNK):
            shape = min(CHUNK, PERMUTATIONS - done), len(self.rows)
            taken = np.argpartition(random.random(shape), self.first, axis=1)[:, : self.first]
            chosen = np.zeros(shape)
            np.put_along_axis(chosen, taken, 1.0, axis=1)
            yield chosen

    def differences(self, chosen: Array) -> Array:
        """Means of the rows chosen, less those of the others: (draws, m)."""
        sums = chosen @ self.rows
        others = self.rows.sum(axis=0) - sums
        return np.asarray(sums / self.first - others / (len(self.rows) - self.first))

    def kolmogorov(self, chosen: Array, column: int) -> Array:
        """Kolmogorov and Smirnov's distance of the rows chosen to the others: (draws, 1)."""
        order = np.argsort(self.rows[:, column], kind="stable")
        last = np.append(np.diff(self.rows[order, column]) > 0, True)  # of equal values
        inside = np.cumsum(chosen[:, order], axis=1)
        outside = np.arange(1, len(order) + 1) - inside
        apart = inside / self.first - outside / (len(order) - self.first)
        return np.asarray(np.abs(apart[:, last]).max(axis=1, keepdims=True))


def largest_of(statistics: Array) -> Array:
    """The p-value of each of m statistics, given that the largest is what one looks at: (m,).

    statistics: (1 + draws, m), the actual ones first. Of one it is the plain permutation p-value.
    """
    if not statistics.shape[1]:
        return np.empty(0)
    largest = statistics.max(axis=1, keepdims=True)  # (1 + draws, 1)
    actual = statistics[0] - ROUNDING * np.abs(statistics[0])
    at_least = (largest[1:] >= actual).sum(axis=0)
    return np.asarray((1 + at_least) / len(statistics))
