"""Permutation tests of two samples of patients: their statistics, and those of permutations.

Source: Good, "Permutation, Parametric, and Bootstrap Tests of Hypotheses" (2005); for the largest
of many statistics Westfall & Young, "Resampling-Based Multiple Testing" (1993).
"""

from collections.abc import Iterator

import numpy as np

from tagsight.arrays import Float64s

PERMUTATIONS = 999
CHUNK = 32  # permutations at a time
ROUNDING = 1e-9  # sums that differ only by the order of their terms count as equal


class Sides:
    """Two samples of patients, as rows of shares.

    rows: float64 (n, m), the first side's before the second's, NaN where a patient has no figure;
    actual: float64 (1, n), 1 for rows
    of the first side; sd: float64 (m,), the standard deviation over all rows, infinite where all
    are equal, or some have no figure.
    """

    def __init__(self, first: Float64s, second: Float64s) -> None:
        """Take the rows of both sides, (n1, m) and (n2, m); neither is empty."""
        self.rows = np.vstack([first, second]).astype(float)
        self.first = len(first)
        self.actual = (np.arange(len(self.rows)) < self.first).astype(float)[None]
        sd = self.rows.std(axis=0)
        self.sd = np.where(sd > ROUNDING, sd, np.inf)

    def parts(self) -> tuple[Float64s, Float64s]:
        """Return the rows of the first side, and those of the second."""
        return self.rows[: self.first], self.rows[self.first :]

    def permutations(self, seed: int) -> Iterator[Float64s]:
        """Yield the actual first side, then PERMUTATIONS random ones of the same size, in chunks.

        Each chunk is float64 (p, n): 1 for rows of the first side, else 0.
        """
        yield self.actual
        random = np.random.default_rng(seed)
        for done in range(0, PERMUTATIONS, CHUNK):
            shape = min(CHUNK, PERMUTATIONS - done), len(self.rows)
            chosen = np.argpartition(random.random(shape), self.first, axis=1)[:, : self.first]
            permuted = np.zeros(shape)
            np.put_along_axis(permuted, chosen, 1.0, axis=1)
            yield permuted

    def differences(self, permuted: Float64s) -> Float64s:
        """Return the means of the first side minus those of the second.

        permuted: (p, n), see permutations.
        Returns float64 (p, m).
        """
        sums = permuted @ self.rows
        second = self.rows.sum(axis=0) - sums
        return np.asarray(sums / self.first - second / (len(self.rows) - self.first))

    def ks_statistics(self, permuted: Float64s, column: int) -> Float64s:
        """Return the Kolmogorov-Smirnov statistic of the two sides, in a column.

        permuted: (p, n), see permutations.
        Returns float64 (p, 1). Rows without a figure count on neither side; 0 where a side has none
        with one.
        """
        known = np.flatnonzero(np.isfinite(self.rows[:, column]))
        if not len(known):
            return np.zeros((len(permuted), 1))
        order = known[np.argsort(self.rows[known, column], kind="stable")]
        last = np.append(np.diff(self.rows[order, column]) > 0, True)  # of equal values
        inside = np.cumsum(permuted[:, order], axis=1)
        outside = np.arange(1, len(order) + 1) - inside
        first, second = inside[:, -1:], outside[:, -1:]
        gaps = inside / np.maximum(first, 1) - outside / np.maximum(second, 1)
        apart = np.abs(gaps[:, last]).max(axis=1, keepdims=True)
        return np.asarray(np.where((first > 0) & (second > 0), apart, 0.0))


def max_pvalues(statistics: Float64s) -> Float64s:
    """Return the p-value of each statistic against the largest statistic of each permutation.

    statistics: float64 (1 + permutations, m), those of the actual sides first.
    Returns float64 (m,), adjusted for m tests; for m = 1 the ordinary permutation p-value.
    Source: Westfall & Young (1993).
    """
    if not statistics.shape[1]:
        return np.empty(0)
    largest = statistics.max(axis=1, keepdims=True)  # (1 + permutations, 1)
    actual = statistics[0] - ROUNDING * np.abs(statistics[0])
    at_least = (largest[1:] >= actual).sum(axis=0)
    return np.asarray((1 + at_least) / len(statistics))
