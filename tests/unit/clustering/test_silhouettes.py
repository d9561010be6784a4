"""Silhouettes against scikit-learn's."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import silhouette_samples

from tagsight.clustering import silhouettes


def distances(rng, n):
    points = np.round(rng.random((n, 2)), 1)  # coarse: duplicates among them
    return squareform(pdist(points)).astype(np.float32)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(4, 150), ks=st.lists(st.integers(2, 30)))
def test_all_labellings_at_once_are_scikit_learns(seed, n, ks):
    rng = np.random.default_rng(seed)
    d = distances(rng, n)
    ks = [min(k, n - 1) for k in ks]
    # Every cluster has a member, as scikit-learn wants it; many have just one.
    labellings = [rng.permutation(np.r_[np.arange(k), rng.integers(0, k, n - k)]) for k in ks]
    found = silhouettes.widths(d, labellings)
    assert len(found) == len(ks)
    for s, labels in zip(found, labellings, strict=True):
        assert s.dtype == np.float32
        np.testing.assert_allclose(
            s, silhouette_samples(d, labels, metric="precomputed"), atol=1e-5
        )


def test_a_value_made_by_hand():
    # Points 0, 1 | 4, 6 on a line: for 0, a = 1 and b = 5; for 4, a = 2 and b = 3.5.
    points = np.array([[0.0], [1], [4], [6]])
    d = squareform(pdist(points)).astype(np.float32)
    (s,) = silhouettes.widths(d, [np.array([0, 0, 1, 1])])
    assert s[[0, 2]].tolist() == pytest.approx([4 / 5, 1.5 / 3.5])


def test_one_cluster_and_singletons_have_nothing():
    d = distances(np.random.default_rng(0), 5)
    one, each, apart = silhouettes.widths(
        d, [np.zeros(5, int), np.arange(5), np.array([0, 0, 0, 0, 1])]
    )
    assert not one.any()
    assert not each.any()
    assert apart[4] == 0


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(6, 80))
def test_rows_in_no_cluster_have_nothing_and_change_nothing(seed, n):
    rng = np.random.default_rng(seed)
    d = distances(rng, n)
    first, other = rng.integers(-1, 3, n), rng.integers(0, 4, n)
    first[:4] = [0, 0, 1, 1]
    found, whole = silhouettes.widths(d, [first, other])
    inside = np.flatnonzero(first >= 0)
    assert not found[first < 0].any()
    (alone,) = silhouettes.widths(d[np.ix_(inside, inside)], [first[inside]])
    np.testing.assert_allclose(found[inside], alone, atol=1e-6)
    np.testing.assert_array_equal(whole, silhouettes.widths(d, [other])[0])


def test_all_at_one_place_is_finite():
    (s,) = silhouettes.widths(np.zeros((4, 4), np.float32), [np.array([0, 0, 1, 1])])
    assert s.tolist() == [0] * 4


def test_the_same_bytes_with_one_and_two_threads():
    rng = np.random.default_rng(1)
    d, labels = distances(rng, 333), rng.integers(0, 9, 333)
    before, found = numba.get_num_threads(), []
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        found.append(silhouettes.widths(d, [labels, labels % 4])[1].tobytes())
    numba.set_num_threads(before)
    assert found[0] == found[1]


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 40), k=st.integers(1, 5))
def test_a_weight_is_so_many_equal_rows(seed, n, k):
    rng = np.random.default_rng(seed)
    d, labels, times = distances(rng, n), rng.integers(0, k, n), rng.integers(1, 5, n)
    rows = np.repeat(np.arange(n), times)
    (few,) = silhouettes.widths(d, [labels], times)
    (many,) = silhouettes.widths(d[np.ix_(rows, rows)], [labels[rows]])
    np.testing.assert_allclose(few[rows], many, atol=1e-6)
