"""Synthetic tags for the benchmarks: groups of images that share most of their values."""

import numpy as np

from tagsight.gower.features import Features

NUMERIC, CATEGORICAL, LEVELS, GROUPS, MISSING = 30, 55, 12, 40, 0.2


def features(n: int, seed: int = 0) -> Features:
    """Return n images in 40 groups; 30 numeric and 55 categorical columns, 20 % missing."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, GROUPS, n)
    numeric = rng.random((GROUPS, NUMERIC))[group] + 0.1 * rng.standard_normal((n, NUMERIC))
    numeric = (numeric / np.ptp(numeric, axis=0)).astype(np.float32)
    numeric[rng.random(numeric.shape) < MISSING] = np.nan
    usual = rng.integers(0, LEVELS, (GROUPS, CATEGORICAL))[group]
    other = rng.integers(0, LEVELS, (n, CATEGORICAL))
    categorical = np.where(rng.random(usual.shape) < 0.3, other, usual).astype(np.int32)
    categorical[rng.random(categorical.shape) < MISSING] = -1
    weights = np.ones(NUMERIC, np.float32), np.ones(CATEGORICAL, np.float32)
    return Features(numeric, categorical, *weights)
