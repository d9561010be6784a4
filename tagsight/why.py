"""Why an image is in its cluster: the tags that decided between its nearest and second medoid.

An image's distance to a medoid is a weighted mean of the distances by single features,

    D_m = sum_k p_mk d_mk,    p_mk = w_k δ_mk / sum_l w_l δ_ml,

over the features that both have (δ = 1), so the p differ from medoid to medoid by what is missing.
The margin is a difference of two such means, and is taken apart as demography takes apart two rates
(Kitagawa, "Components of a difference between two rates", J. Am. Stat. Assoc. 50, 1955). With n and
s for nearest and second and c = (D_n + D_s) / 2, feature k adds

    p_sk (d_sk - c) - p_nk (d_nk - c),

and as the p of each sum to 1, these add up to D_s - D_n, whatever c is. This c makes a feature
count for what it says beside the others: agreeing with the nearest medoid where the second has
nothing to compare speaks for the nearest. Where both medoids have the same features it is what one
expects, w_k (d_sk - d_nk) / sum_l w_l. An image that has no feature in common with one of the two
is at distance 1 from it by definition; its p are then all 0, and c = 1 makes the sum right again.

Gower's own metric is the root of D: other margins, the same tags in the same order.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numba import njit, prange
from numpy.typing import NDArray

from tagsight.gower import Features, Nearest

Array = NDArray[Any]

NAMED = 3  # tags at most
LEAST = 1e-6  # what a tag must add: less is rounding


class _Rows(NamedTuple):
    """Features as the kernels read them: float32 (n, q), int32 (n, c)."""

    numeric: Array
    categorical: Array


def contributions(features: Features, medoids: Features, near: Nearest) -> Array:
    """What each feature adds to the margin between nearest and second medoid: float64 (n, q + c).

    features: n images; near: of `gower.nearest(features, medoids)`. Numeric features come first.
    A row sums to its margin in linear distance; where there is no second medoid it is 0.
    """
    weights = _weights(features)
    out = np.zeros((len(features), len(weights)))
    _fill(_rows(features), _rows(medoids), near.index, near.second_index, weights, out)
    return out


def because(
    features: Features, medoids: Features, near: Nearest, columns: Sequence[str]
) -> pl.Series:
    r"""The tags that decided, up to three, joined by `\`, the first adding most: String (n,).

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
    said = [names.gather(np.where(each < 0, len(keywords), each)) for each in best.T]
    joined = pl.select(pl.concat_str(said, separator="\\", ignore_nulls=True)).to_series()
    return joined.replace("", None).alias("because")


def _rows(features: Features) -> _Rows:
    return _Rows(features.numeric, features.categorical)


def _weights(features: Features) -> Array:
    return np.concatenate([features.numeric_weight, features.categorical_weight]).astype(np.float64)


@njit(cache=True)
def _compare(
    images: _Rows, i: int, medoids: _Rows, m: int, weights: Array, d: Array, p: Array
) -> float:
    """Distances by feature and their shares, into d and p; returns their total.

    -1 where image and medoid have no feature in common.
    """
    q, known = images.numeric.shape[1], 0.0
    for k in range(len(weights)):
        if k < q:
            x, y = np.float64(images.numeric[i, k]), np.float64(medoids.numeric[m, k])
            there = np.isfinite(x) and np.isfinite(y)
            d[k] = abs(x - y) if there else 0.0
        else:
            code, label = images.categorical[i, k - q], medoids.categorical[m, k - q]
            there = code >= 0 and label >= 0
            d[k] = 1.0 if there and code != label else 0.0
        p[k] = weights[k] if there else 0.0
        known += p[k]
    if known <= 0:
        return -1.0
    total = 0.0
    for k in range(len(weights)):
        p[k] /= known
        total += p[k] * d[k]
    return total


@njit(cache=True)
def _take_apart(
    images: _Rows, i: int, medoids: _Rows, first: int, second: int, weights: Array, added: Array
) -> None:
    """What each feature adds to the margin of image i, into `added`."""
    added[:] = 0
    if second < 0:
        return
    d, p = np.empty((2, len(weights))), np.empty((2, len(weights)))
    near = _compare(images, i, medoids, first, weights, d[0], p[0])
    far = _compare(images, i, medoids, second, weights, d[1], p[1])
    centre = 1.0 if near < 0 or far < 0 else (near + far) / 2
    for k in range(len(weights)):
        added[k] = p[1, k] * (d[1, k] - centre) - p[0, k] * (d[0, k] - centre)


@njit(cache=True, parallel=True)
def _fill(
    images: _Rows, medoids: _Rows, first: Array, second: Array, weights: Array, out: Array
) -> None:
    for i in prange(len(out)):
        _take_apart(images, i, medoids, first[i], second[i], weights, out[i])


@njit(cache=True, parallel=True)
def _rank(
    images: _Rows,
    medoids: _Rows,
    first: Array,
    second: Array,
    weights: Array,
    tags: Array,
    count: int,
    best: Array,
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
