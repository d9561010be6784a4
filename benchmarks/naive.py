"""Gower's distance as one first writes it in numba: the yardstick of gower.py."""

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray


@njit(parallel=True, cache=True)
def matrix(numeric: NDArray[Any], categorical: NDArray[Any]) -> NDArray[Any]:
    """Row by row, feature by feature, weights 1: float32 (n, n)."""
    n = len(numeric)
    out = np.empty((n, n), np.float32)
    for i in prange(n):
        for j in range(n):
            total, common = np.float32(0), np.float32(0)
            for k in range(numeric.shape[1]):
                x, y = numeric[i, k], numeric[j, k]
                if not (np.isnan(x) or np.isnan(y)):
                    total += abs(x - y)
                    common += np.float32(1)
            for k in range(categorical.shape[1]):
                x, y = categorical[i, k], categorical[j, k]
                if x >= 0 and y >= 0:
                    total += np.float32(x != y)
                    common += np.float32(1)
            out[i, j] = total / common if common > 0 else np.float32(1)
    return out
