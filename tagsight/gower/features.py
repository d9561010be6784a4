"""Features of images as arrays: the input of Gower's distance and of all clustering."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tagsight.arrays import Bools, Float32s, Int32s, Integers

Distance = Literal["linear", "root"]


@dataclass(frozen=True)
class Features:
    """Images as numbers, ready for Gower's distance.

    numeric: float32 (n, q), each column divided by its range; not finite = missing.
    categorical: int32 (n, c), codes from 0; negative = missing.
    numeric_weight (q,), categorical_weight (c,): float32, at least 0.
    """

    numeric: Float32s
    categorical: Int32s
    numeric_weight: Float32s
    categorical_weight: Float32s

    def __post_init__(self) -> None:
        """Raise ValueError where shapes disagree or a weight is negative."""
        rows = len(self.numeric), len(self.categorical)
        columns = self.numeric.shape[1], self.categorical.shape[1]
        weights = np.concatenate([self.numeric_weight, self.categorical_weight])
        weight_counts = len(self.numeric_weight), len(self.categorical_weight)
        if rows[0] != rows[1] or columns != weight_counts:
            raise ValueError(f"features disagree: rows {rows}, columns {columns}, {len(weights)}")
        if not (weights >= 0).all():
            raise ValueError("a feature's weight must be at least 0")

    def __len__(self) -> int:
        return len(self.numeric)

    def take(self, rows: Integers | Bools) -> "Features":
        """Return the given rows (indices or a mask), in that order."""
        weights = self.numeric_weight, self.categorical_weight
        return Features(self.numeric[rows], self.categorical[rows], *weights)

    def comparable(self) -> Bools:
        """Return which rows have a feature of positive weight: bool (n,)."""
        filled = np.zeros(len(self), bool)
        filled |= (np.isfinite(self.numeric) & (self.numeric_weight > 0)).any(axis=1)
        filled |= ((self.categorical >= 0) & (self.categorical_weight > 0)).any(axis=1)
        return filled
