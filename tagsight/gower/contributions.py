"""Contributions of tags to an assignment: which tags decided between nearest and second medoid.

An image's distance to a medoid is the weighted mean of its distances by single features, over the
features that both have. Medoids lack different features, so the two means are over different
features. Let C be the features that the image shares with both medoids, and W_C the sum of their
weights; W_n and W_s the sums over the features shared with nearest and second, D_n and D_s the two
distances, C_n and C_s the distances over C alone. Then the margin D_s - D_n is the sum of

    w_k (d_sk - d_nk) / W_C     for a feature in C,
    w_k (C_n - d_nk) / W_n      for one that only the nearest shares,
    w_k (d_sk - C_s) / W_s      for one that only the second shares,

since D_n = C_n + sum_k w_k (d_nk - C_n) / W_n over the features that only the nearest shares, and
likewise D_s. Where C is empty, C_n and C_s are both set to (D_n + D_s) / 2, which leaves the sum
as it is; or to 1 where the image shares no feature with one of the two, whose distance is then 1.

Gower's own metric is the root of D: other margins, the same tags in the same order.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numba import prange

from tagsight.arrays import Float32s, Float64s, Int32s, Int64s
from tagsight.gower.features import Features
from tagsight.gower.metric import Nearest
from tagsight.run.compiling import kernel

NAMED = 3  # tags at most
LEAST = 1e-6  # contribution of a tag; less is rounding


class _Rows(NamedTuple):
    """Features as the kernels read them: float32 (n, q), int32 (n, c)."""

    numeric: Float32s
    categorical: Int32s


def contributions(features: Features, medoids: Features, near: Nearest) -> Float64s:
    """Return the contribution of each feature to each image's margin: float64 (n, q + c).

    features: n images; near: from `metric.nearest(features, medoids)`.
    Numeric features come first. A row sums to its margin in linear distance; it is 0 where there is
    no second medoid.
    """
    weights = _weights(features)
    out = np.zeros((len(features), len(weights)))
    _fill(_rows(features), _rows(medoids), near.index, near.second_index, weights, out)
    return out


def because(
    features: Features, medoids: Features, near: Nearest, columns: Sequence[str]
) -> pl.Series:
    """Return the up to three tags that decided, largest contribution first, joined by `; `.

    columns: the keyword of each feature, numeric ones first; features of one tag are summed.
    Returns String (n,), null where both medoids are equally near or there is only one.
    """
    keywords = list(dict.fromkeys(columns))
    place = {keyword: number for number, keyword in enumerate(keywords)}
    tags = np.array([place[keyword] for keyword in columns], np.int64)
    best = np.full((len(features), NAMED), -1, np.int64)
    pair, weights = (near.index, near.second_index), _weights(features)
    _rank(_rows(features), _rows(medoids), *pair, weights, tags, len(keywords), best)
    names = pl.Series([*keywords, None], dtype=pl.String)
    decisive = [names.gather(np.where(tag < 0, len(keywords), tag)) for tag in best.T]
    joined = pl.select(pl.concat_str(decisive, separator="; ", ignore_nulls=True)).to_series()
    return joined.replace("", None).alias("because")


def _rows(features: Features) -> _Rows:
    return _Rows(features.numeric, features.categorical)


def _weights(features: Features) -> Float64s:
    return np.concatenate([features.numeric_weight, features.categorical_weight]).astype(np.float64)


@kernel()
def _compare(images: _Rows, i: int, medoids: _Rows, m: int, d: Float64s) -> None:
    """Write the distances by single features to `d`; NaN where one of the two lacks it."""
    q = images.numeric.shape[1]
    for k in range(len(d)):
        if k < q:
            x, y = np.float64(images.numeric[i, k]), np.float64(medoids.numeric[m, k])
            d[k] = abs(x - y) if np.isfinite(x) and np.isfinite(y) else np.nan
        else:
            code, label = images.categorical[i, k - q], medoids.categorical[m, k - q]
            differ = 1.0 if code != label else 0.0
            d[k] = differ if code >= 0 and label >= 0 else np.nan


@kernel()
def _mean(d: Float64s, other: Float64s, weights: Float64s) -> tuple[float, float]:
    """Weighted mean of d over the features present in both, 1 if there are none; their weight."""
    total, weight = 0.0, 0.0
    for k in range(len(d)):
        if not (np.isnan(d[k]) or np.isnan(other[k])):
            total += weights[k] * d[k]
            weight += weights[k]
    return (total / weight if weight > 0 else 1.0), weight


@kernel()
def _split_margin(
    images: _Rows,
    i: int,
    medoids: _Rows,
    first: int,
    second: int,
    weights: Float64s,
    parts: Float64s,
) -> None:
    """Write the contribution of each feature to the margin of image i to `parts`."""
    parts[:] = 0
    if second < 0:
        return
    near, far = np.empty(len(weights)), np.empty(len(weights))
    _compare(images, i, medoids, first, near)
    _compare(images, i, medoids, second, far)
    (mean_near, all_near), (mean_far, all_far) = (
        _mean(near, near, weights),
        _mean(far, far, weights),
    )
    (in_near, common), (in_far, _) = _mean(near, far, weights), _mean(far, near, weights)
    if common <= 0:
        both = all_near > 0 and all_far > 0
        in_near = in_far = (mean_near + mean_far) / 2 if both else 1.0
    for k in range(len(weights)):
        if weights[k] <= 0:
            continue
        if not (np.isnan(near[k]) or np.isnan(far[k])):
            parts[k] = weights[k] * (far[k] - near[k]) / common
        elif not np.isnan(near[k]):
            parts[k] = weights[k] * (in_near - near[k]) / all_near
        elif not np.isnan(far[k]):
            parts[k] = weights[k] * (far[k] - in_far) / all_far


@kernel(parallel=True)
def _fill(
    images: _Rows, medoids: _Rows, first: Int32s, second: Int32s, weights: Float64s, out: Float64s
) -> None:
    for i in prange(len(out)):
        _split_margin(images, i, medoids, first[i], second[i], weights, out[i])


@kernel(parallel=True)
def _rank(
    images: _Rows,
    medoids: _Rows,
    first: Int32s,
    second: Int32s,
    weights: Float64s,
    tags: Int64s,
    count: int,
    best: Int64s,
) -> None:
    """Write the tags of largest contribution to `best`, int64 (n, NAMED), filled with -1 before."""
    for i in prange(len(best)):
        parts, sums = np.empty(len(weights)), np.zeros(count)
        _split_margin(images, i, medoids, first[i], second[i], weights, parts)
        if parts.sum() <= LEAST:
            continue
        for k in range(len(weights)):
            sums[tags[k]] += parts[k]
        for place in range(best.shape[1]):
            top = np.argmax(sums)
            if sums[top] > LEAST:
                best[i, place] = top
                sums[top] = 0
