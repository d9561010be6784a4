"""Why: what tags add sums to the margin, whatever is missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.gower.contributions import NAMED, because, contributions
from tagsight.gower.features import Features
from tagsight.gower.metric import Nearest, nearest


@st.composite
def features(draw):
    """Images and medoids of the same columns, much of both missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    numbers, codes = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    missing = draw(st.sampled_from([0, 0.3, 0.9]))
    weights = [rng.choice([0, 0.5, 1, 3], k).astype(np.float32) for k in (numbers, codes)]

    def rows(n):
        x = rng.random((n, numbers)).astype(np.float32)
        x[rng.random(x.shape) < missing] = np.nan
        c = rng.integers(0, 3, (n, codes)).astype(np.int32)
        c[rng.random(c.shape) < missing] = -1
        return Features(x, c, *weights)

    return rows(draw(st.integers(1, 8))), rows(draw(st.integers(1, 4)))


@settings(max_examples=100)
@given(features())
def test_contributions_add_up_to_the_margin(pair):
    images, medoids = pair
    near = nearest(images, medoids)
    margin = near.second - near.distance if len(medoids) > 1 else np.zeros(len(images))
    assert contributions(images, medoids, near).sum(axis=1) == pytest.approx(margin, abs=1e-5)


def slowly(images, medoids, i, m):
    """Distances by feature, None where one lacks it, straight from Gower's formula."""
    x = [*images.numeric[i], *images.categorical[i]]
    y = [*medoids.numeric[m], *medoids.categorical[m]]
    q = images.numeric.shape[1]
    there = [
        bool(np.isfinite(a) and np.isfinite(b)) if k < q else bool(a >= 0 and b >= 0)
        for k, (a, b) in enumerate(zip(x, y, strict=True))
    ]
    d = [abs(float(a) - float(b)) for a, b in zip(x, y, strict=True)]
    d = [dk if k < q else float(dk > 0) for k, dk in enumerate(d)]
    return [dk if t else None for dk, t in zip(d, there, strict=True)]


def mean(d, weights, where):
    total = sum(w for w, t in zip(weights, where, strict=True) if t)
    if not total:
        return 1.0, 0.0
    return sum(w * x for x, w, t in zip(d, weights, where, strict=True) if t) / total, total


def added(near, far, weights):
    """The three terms of the module's derivation, one at a time."""
    has_near, has_far = [d is not None for d in near], [d is not None for d in far]
    both = [a and b for a, b in zip(has_near, has_far, strict=True)]
    (d_n, w_n), (d_s, w_s) = mean(near, weights, has_near), mean(far, weights, has_far)
    (c_n, w_c), (c_s, _) = mean(near, weights, both), mean(far, weights, both)
    if not w_c:
        c_n = c_s = (d_n + d_s) / 2 if w_n and w_s else 1.0
    found = []
    for n, s, w in zip(near, far, weights, strict=True):
        if not w or (n is None and s is None):
            found.append(0.0)
        elif n is not None and s is not None:
            found.append(w * (s - n) / w_c)
        else:
            found.append(w * (c_n - n) / w_n if s is None else w * (s - c_s) / w_s)
    return found


@settings(max_examples=50)
@given(features())
def test_the_reasons_are_the_tags_that_add_most(pair):
    images, medoids = pair
    near = nearest(images, medoids)
    columns = [f"tag{k // 2}" for k in range(images.numeric.shape[1] + images.categorical.shape[1])]
    said = because(images, medoids, near, columns).to_list()
    for i, text in enumerate(said):
        if len(medoids) == 1 or near.second[i] - near.distance[i] < 1e-5:
            continue
        near_by, far_by = (
            slowly(images, medoids, i, m[i]) for m in (near.index, near.second_index)
        )
        weights = [*images.numeric_weight, *images.categorical_weight]
        sums = {}
        for column, each in zip(columns, added(near_by, far_by, weights), strict=True):
            sums[column] = sums.get(column, 0) + each
        positive = sorted((v for v in sums.values() if v > 1e-5), reverse=True)
        named = [] if text is None else text.split("; ")
        assert [sums[name] for name in named][: len(positive)] == pytest.approx(positive[:NAMED])


def test_with_the_same_tags_there_it_is_the_difference_of_the_distances():
    ones = np.ones(2, np.float32), np.ones(1, np.float32)
    images = Features(np.array([[0.1, 0.5]], np.float32), np.array([[1]], np.int32), *ones)
    numbers, codes = np.array([[0.1, 0.4], [0.7, 0.5]]), np.array([[1], [2]])
    medoids = Features(numbers.astype(np.float32), codes.astype(np.int32), *ones)
    near = nearest(images, medoids)
    (each,) = contributions(images, medoids, near)
    assert each == pytest.approx([0.6 / 3, -0.1 / 3, 1 / 3], abs=1e-6)
    assert because(images, medoids, near, ["KVP", "EchoTime", "Modality"]).to_list() == [
        "Modality; KVP"
    ]


def test_agreeing_where_the_second_has_nothing_to_say_speaks_for_the_nearest():
    ones = np.ones(0, np.float32), np.ones(2, np.float32)
    images = Features(np.empty((1, 0), np.float32), np.array([[1, 1]], np.int32), *ones)
    medoids = Features(np.empty((2, 0), np.float32), np.array([[1, 2], [-1, 2]], np.int32), *ones)
    near = nearest(images, medoids)
    assert near.index.tolist() == [0]
    assert because(images, medoids, near, ["Modality", "KVP"]).to_list() == ["Modality"]


def test_nothing_decided_where_both_are_equally_near_or_there_is_one():
    ones = np.ones(0, np.float32), np.ones(1, np.float32)
    images = Features(np.empty((1, 0), np.float32), np.array([[1]], np.int32), *ones)
    two = Features(np.empty((2, 0), np.float32), np.array([[1], [1]], np.int32), *ones)
    assert because(images, two, nearest(images, two), ["Modality"]).to_list() == [None]
    one = two.take(np.array([0]))
    assert because(images, one, nearest(images, one), ["Modality"]).to_list() == [None]


def test_no_image_no_reason():
    ones = np.ones(1, np.float32), np.ones(0, np.float32)
    empty = Features(np.empty((0, 1), np.float32), np.empty((0, 0), np.int32), *ones)
    one = Features(np.zeros((1, 1), np.float32), np.empty((1, 0), np.int32), *ones)
    none = np.empty(0, np.int32), np.empty(0, np.float32)
    near = Nearest(none[0], none[1], none[1], none[0])
    assert because(empty, one, near, ["KVP"]).to_list() == []
