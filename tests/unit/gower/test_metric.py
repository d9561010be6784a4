"""Gower's distance against its formula, written out slowly, and against values made by hand."""

import math

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import squareform

from tagsight.gower import metric
from tagsight.gower.features import Features


def features(numeric, categorical, numeric_weight=None, categorical_weight=None):
    numeric, categorical = np.array(numeric, np.float32), np.array(categorical, np.int32)
    q, c = numeric.shape[1], categorical.shape[1]
    return Features(
        numeric,
        categorical,
        np.ones(q, np.float32) if numeric_weight is None else np.array(numeric_weight, np.float32),
        np.ones(c, np.float32)
        if categorical_weight is None
        else np.array(categorical_weight, np.float32),
    )


def drawn(seed, n, q, c, *, missing=0.3, levels=5, weights=(1.0,)):
    """Random features; a row and a column may well lack everything."""
    rng = np.random.default_rng(seed)
    numeric = np.where(rng.random((n, q)) < missing, np.nan, rng.random((n, q)))
    categorical = np.where(rng.random((n, c)) < missing, -1, rng.integers(0, levels, (n, c)))
    return features(numeric, categorical, rng.choice(weights, q), rng.choice(weights, c))


def formula(a, b, distance="linear"):
    """Gower 1971, one pair and one feature at a time, in double precision."""
    out = np.empty((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            alike = compared = 0.0
            for k, w in enumerate(a.numeric_weight):
                x, y = float(a.numeric[i, k]), float(b.numeric[j, k])
                if math.isfinite(x) and math.isfinite(y):
                    alike, compared = alike + w * (1 - abs(x - y)), compared + w
            for k, w in enumerate(a.categorical_weight):
                x, y = a.categorical[i, k], b.categorical[j, k]
                if x >= 0 and y >= 0:
                    alike, compared = alike + w * (x == y), compared + w
            out[i, j] = 1 - alike / compared if compared > 0 else 1
    return np.sqrt(np.maximum(out, 0)) if distance == "root" else out


def test_values_made_by_hand():
    # Rows 0 and 1: |.25 - .75| = .5; one category equal, one not: (.5 + 0 + 1) / 3 = .5.
    # Rows 0 and 2: only the first category is in both, and differs. Row 3 lacks everything.
    nan = math.nan
    made = features([[0.25], [0.75], [nan], [nan]], [[0, 1], [0, 2], [1, -1], [-1, -1]])
    wanted = [[0, 0.5, 1, 1], [0.5, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]]
    np.testing.assert_array_equal(metric.matrix(made), np.array(wanted, np.float32))
    root = metric.matrix(made, "root")
    np.testing.assert_allclose(root, np.sqrt(wanted), rtol=1e-6)


def test_weights_made_by_hand():
    # (2 * .5 + .25 * 1 + 0) / (2 + .25 + 1)
    made = features([[0.0], [0.5]], [[0, 3], [1, 3]], [2], [0.25, 1])
    assert metric.matrix(made)[0, 1] == pytest.approx(1.25 / 3.25, abs=1e-7)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 12), st.integers(0, 4), st.integers(0, 4)),
    missing=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    levels=st.sampled_from([1, 3, 254, 255, 256, 70_000]),
    distance=st.sampled_from(["linear", "root"]),
)
def test_the_formula(seed, shape, missing, levels, distance):
    weights = (0.0, 0.5, 1.0, 3.0)
    made = drawn(seed, *shape, missing=missing, levels=levels, weights=weights)
    wanted = formula(made, made, distance)
    np.fill_diagonal(wanted, 0)
    found = metric.matrix(made, distance)
    # A root makes much of little: 1e-7 under it is 3e-4 after it.
    np.testing.assert_allclose(found, wanted, atol=5e-4 if distance == "root" else 1e-6)
    assert (found == found.T).all()
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("n", "m"), [(1, 1), (63, 256), (257, 2), (255, 320)])
def test_tiles_are_cut_and_joined(n, m):
    # More features than fit one word, of both kinds, and codes that fit a byte and that don't.
    made = drawn(1, n + m, 70, 140, levels=400)
    a, b = made.take(np.arange(n)), made.take(np.arange(n, n + m))
    wanted = formula(a, b)
    np.testing.assert_allclose(metric.cross(a, b), wanted, atol=1e-6)
    np.testing.assert_array_equal(metric.cross(a, b), metric.cross(b, a).T)
    np.testing.assert_array_equal(metric.cross(a, b), metric.matrix(made)[:n, n:])
    near = metric.nearest(a, b)
    ranked = np.argsort(metric.cross(a, b), axis=1, kind="stable")
    np.testing.assert_array_equal(near.index, ranked[:, 0])
    np.testing.assert_allclose(near.distance, wanted.min(axis=1), atol=1e-6)
    if m == 1:
        assert (near.second_index == -1).all()
        assert (near.second == 1).all()
    else:
        np.testing.assert_array_equal(near.second_index, ranked[:, 1])
        np.testing.assert_allclose(near.second, np.sort(wanted, axis=1)[:, 1], atol=1e-6)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 40))
def test_the_condensed_form_is_the_square_ones_upper_half(seed, n):
    made = drawn(seed, n, 5, 9, weights=(0.5, 1.0))
    square = metric.matrix(made)
    np.testing.assert_array_equal(metric.condensed(made), squareform(square, checks=False))


@pytest.mark.parametrize("q", [3, 4, 62, 63, 64, 127])
def test_numbers_that_fill_a_word(q):
    made = drawn(q, 9, q, 64, missing=0, levels=9)
    wanted = formula(made, made)
    np.testing.assert_allclose(metric.matrix(made), wanted, atol=1e-6)


def test_medoids_far_out_of_range():
    row, far = features([[0.0]], np.empty((1, 0))), features([[5.0], [5.1]], np.empty((2, 0)))
    near = metric.nearest(row, far)
    assert (near.index[0], near.second_index[0]) == (0, 1)
    np.testing.assert_allclose([near.distance[0], near.second[0]], [5, 5.1], rtol=1e-6)


def test_the_condensed_form_over_several_tiles():
    made = drawn(8, 600, 3, 4)
    square = metric.matrix(made, "root")
    np.testing.assert_array_equal(metric.condensed(made, "root"), squareform(square, checks=False))


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    levels=st.sampled_from([3, 300]),
    weights=st.sampled_from([(0.0, 1.0, 2.0), (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)]),
)
def test_weights_that_all_features_or_few_of_them_share(seed, levels, weights):
    made = drawn(seed, 11, 9, 14, missing=0.4, levels=levels, weights=weights)
    wanted = formula(made, made)
    np.fill_diagonal(wanted, 0)
    np.testing.assert_allclose(metric.matrix(made), wanted, atol=1e-6)
    a, b = made.take(np.arange(4)), made.take(np.arange(4, 11))
    np.testing.assert_array_equal(metric.cross(a, b), metric.matrix(made)[:4, 4:])


@pytest.mark.parametrize("top", [2**24, 2**31 - 2])
def test_codes_that_float32_cannot_tell_apart_are_told_apart(top):
    codes = [[top, 0, 0, 0], [top + 1, 0, 0, 0], [top, 0, 1, 0]]
    made = features([[0.5]] * 3, codes, [0.3], [0.1, 0.4, 0.7, 0.9])
    wanted = formula(made, made)
    np.testing.assert_allclose(metric.matrix(made), wanted, atol=1e-6)


def test_memory_that_is_used_again_keeps_nothing():
    old, new = drawn(1, 70, 3, 3), drawn(2, 70, 4, 4)
    out = metric.matrix(old)
    assert metric.matrix(new, out=out) is out
    np.testing.assert_array_equal(out, metric.matrix(new))


def test_what_rows_lack_group_by_group_is_left_out_and_no_more():
    made = drawn(9, 50, 21, 70, missing=0.1, levels=3)
    made.numeric[:, 4:8] = math.nan
    made.categorical[10:30, 8:16] = -1
    made.numeric[20:, 12:] = math.nan
    wanted = formula(made, made)
    np.fill_diagonal(wanted, 0)
    np.testing.assert_allclose(metric.matrix(made), wanted, atol=1e-6)


@pytest.mark.parametrize("top", [253, 254, 255, 256])
def test_codes_about_a_byte_are_told_from_missing(top):
    made = features(np.empty((4, 0)), [[top, 0], [top, 0], [-1, 0], [0, 0]])
    wanted = formula(made, made)
    np.testing.assert_array_equal(metric.matrix(made), wanted)
    np.testing.assert_array_equal(metric.cross(made, made), wanted)


def test_of_equally_near_rows_the_first_is_taken():
    one = drawn(6, 1, 3, 3, missing=0)
    near = metric.nearest(one, one.take(np.zeros(300, int)))
    assert (near.index[0], near.second_index[0]) == (0, 1)
    assert (near.distance[0], near.second[0]) == (0, 0)


def test_equal_rows_are_at_exactly_nothing():
    row = drawn(3, 1, 9, 11, missing=0.2, weights=(0.1, 0.3, 0.7))
    assert not metric.matrix(row.take(np.zeros(5, int))).any()
    assert not metric.cross(row, row).any()


def test_infinite_counts_as_missing():
    made = features([[math.inf], [math.inf], [0.0]], [[0], [0], [1]])
    np.testing.assert_array_equal(metric.matrix(made), [[0, 0, 1], [0, 0, 1], [1, 1, 0]])


def test_the_same_bytes_with_one_and_two_threads():
    made = drawn(4, 300, 10, 20, weights=(0.3, 1.0))
    before, found = numba.get_num_threads(), []
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        near = metric.nearest(made, made.take(np.arange(90)))
        found.append(
            metric.matrix(made, "root").tobytes() + near.second.tobytes() + near.index.tobytes()
        )
    numba.set_num_threads(before)
    assert found[0] == found[1]


def test_incomparable_counts_pairs_with_nothing_in_common():
    made = drawn(5, 40, 2, 2, missing=0.7)
    there = np.hstack([np.isfinite(made.numeric), made.categorical >= 0])
    pairs = [(i, j) for i in range(40) for j in range(40) if i != j]
    share = np.mean([not (there[i] & there[j]).any() for i, j in pairs])
    assert metric.incomparable(made) == pytest.approx(share)
    assert metric.incomparable(made.take(np.arange(1))) == 0


def test_a_feature_without_weight_makes_nothing_comparable():
    made = features([[0.1], [0.9]], [[0], [-1]], [0], [1])
    assert metric.incomparable(made) == 1
    assert metric.matrix(made)[0, 1] == 1


def test_no_rows_and_no_features():
    assert metric.matrix(drawn(0, 0, 2, 2)).shape == (0, 0)
    assert metric.cross(drawn(0, 3, 2, 2), drawn(0, 0, 2, 2)).shape == (3, 0)
    np.testing.assert_array_equal(metric.matrix(drawn(0, 3, 0, 0)), 1 - np.eye(3))
    with pytest.raises(ValueError, match="at least one row"):
        metric.nearest(drawn(0, 3, 2, 2), drawn(0, 0, 2, 2))


def test_contradictions_are_refused():
    with pytest.raises(ValueError, match="disagree"):
        features([[1.0]], [[0], [1]])
    with pytest.raises(ValueError, match="at least 0"):
        features([[1.0]], [[0]], [-1])
    with pytest.raises(ValueError, match="different weights"):
        metric.cross(features([[1.0]], [[0]], [1]), features([[1.0]], [[0]], [2]))
