"""Small tables of numbers and categories in groups, for tests of clusterings."""

import numpy as np

from tagsight.gower.features import Features


def features(seed, n, groups=4, numeric=4, categorical=4, missing=0.0, noise=0.05):
    """Return (features, true groups): values near those of the group, all weights 1."""
    rng = np.random.default_rng(seed)
    group = np.arange(n) % groups
    numbers = rng.random((groups, numeric))[group] + noise * rng.standard_normal((n, numeric))
    codes = rng.integers(0, 5, (groups, categorical))[group]
    codes = np.where(rng.random(codes.shape) < noise, rng.integers(0, 5, codes.shape), codes)
    numbers[rng.random(numbers.shape) < missing] = np.nan
    codes[rng.random(codes.shape) < missing] = -1
    weights = np.ones(numeric, np.float32), np.ones(categorical, np.float32)
    return Features(numbers.astype(np.float32), codes.astype(np.int32), *weights), group
