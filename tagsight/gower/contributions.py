"""Contributions of tags to an assignment: what decided between nearest and second medoid.

An image's distance to a medoid is the weighted mean of its distances by single features, over the
features that both have. What is missing differs from medoid to medoid, so that the two means are
over different features. Let C be the features that the image can be compared by with both medoids,
and W_C the sum of their weights; W_n and W_s the sums for nearest and second, D_n and D_s the two
distances, C_n and C_s the same over C alone. Then D_s - D_n is the sum of

    w_k (d_sk - d_nk) / W_C     of a feature in C: by how much it is nearer to the nearest,
    w_k (C_n - d_nk) / W_n      of one that the nearest alone has: how much nearer it makes it,
    w_k (d_sk - C_s) / W_s      of one that the second alone has: how much farther it makes it,

for D_n = C_n + sum_k w_k (d_nk - C_n) / W_n over what the nearest alone has, and so for D_s. Where
C is empty, (D_n + D_s) / 2 stands for both C_n and C_s, and the sum is the same; and 1 where the
image has nothing in common with one of the two, whose distance is then 1 by definition.

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
LEAST = 1e-6  # what a tag must add: less is rounding


class _Rows(NamedTuple):
    """Features as the kernels read them: float32 (n, q), int32 (n, c)."""

    numeric: Float32s
    categorical: Int32s


def contributions(features: Features, medoids: Features, near: Nearest) -> Float64s:
    """Return what each feature adds to the margin of an image: float64 (n, q + c).

    features: n images; near: of `metric.nearest(features, medoids)`. Numeric features come first.
    A row sums to its margin in linear distance; where there is no second medoid it is 0.
    """
    weights = _weights(features)
    out = np.zeros((len(features), len(weights)))
    _fill(_rows(features), _rows(medoids), near.index, near.second_index, weights, out)
    return out


def because(
    features: Features, medoids: Features, near: Nearest, columns: Sequence[str]
) -> pl.Series:
    r"""Return the tags that decided, up to three, joined by `\`, String (n,); the first adds most.

    columns: the keyword of each feature, numeric ones first; features of one tag are summed. Null
    where nothing decided: both medoids are equally near, or there is one alone.
    """
    keywords = list(dict.fromkeys(columns))
    place = {keyword: number for number, keyword in enumerate(keywords)}
    tags = np.array([place[keyword] for keyword in columns], np.int64)
    best = np.full((len(features), NAMED), -1, np.int64)
    pair, weights = (near.index, near.second_index), _weights(features)
    _rank(_rows(features), _rows(medoids), *pair, weights, tags, len(keywords), best)
    names = pl.Series([*keywords, None], dtype=pl.String)
    decisive = [names.gather(np.where(each < 0, len(keywords), each)) for each in best.T]
    joined = pl.select(pl.concat_str(decisive, separator="\\", ignore_nulls=True)).to_series()
    return joined.replace("", None).alias("because")


def _rows(features: Features) -> _Rows:
    return _Rows(features.numeric, features.categorical)


def _weights(features: Features) -> Float64s:
    return np.concatenate([features.numeric_weight, features.categorical_weight]).astype(np.float64)


@kernel()
def _compare(images: _Rows, i: int, medoids: _Rows, m: int, d: Float64s) -> None:
    """Distances by feature into d; NaN = one of the two lacks it."""
    q = images.numeric.shape[1]
    for k in range(len(d)):
        if k < q:
            x, y = np.float64(images.numeric[i, k]), np.float64(medoids.numeric[m, k])
            d[k] = abs(x - y) if np.isfinite(x) and np.isfinite(y) else np.nan
        else:
            code, label = images.categorical[i, k - q], medoids.categorical[m, k - q]
            apart = 1.0 if code != label else 0.0
            d[k] = apart if code >= 0 and label >= 0 else np.nan


@kernel()
def _mean(d: Float64s, beside: Float64s, weights: Float64s) -> tuple[float, float]:
    """The weighted mean of d where neither is NaN, 1 where that is nowhere; the sum of weights."""
    total, known = 0.0, 0.0
    for k in range(len(d)):
        if not (np.isnan(d[k]) or np.isnan(beside[k])):
            total += weights[k] * d[k]
            known += weights[k]
    return (total / known if known > 0 else 1.0), known


@kernel()
def _take_apart(
    images: _Rows,
    i: int,
    medoids: _Rows,
    first: int,
    second: int,
    weights: Float64s,
    added: Float64s,
) -> None:
    """What each feature adds to the margin of image i, into `added`."""
    added[:] = 0
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
            added[k] = weights[k] * (far[k] - near[k]) / common
        elif not np.isnan(near[k]):
            added[k] = weights[k] * (in_near - near[k]) / all_near
        elif not np.isnan(far[k]):
            added[k] = weights[k] * (far[k] - in_far) / all_far


@kernel(parallel=True)
def _fill(
    images: _Rows, medoids: _Rows, first: Int32s, second: Int32s, weights: Float64s, out: Float64s
) -> None:
    for i in prange(len(out)):
        _take_apart(images, i, medoids, first[i], second[i], weights, out[i])


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
    """The tags that add most, into best (n, NAMED), which is filled with -1."""
    for i in prange(len(best)):
        added, sums = np.empty(len(weights)), np.zeros(count)
        _take_apart(images, i, medoids, first[i], second[i], weights, added)
        if added.sum() <= LEAST:
            continue
        for k in range(len(weights)):
            sums[tags[k]] += added[k]
        for place in range(best.shape[1]):
            top = np.argmax(sums)
            if sums[top] > LEAST:
                best[i, place] = top
                sums[top] = 0
