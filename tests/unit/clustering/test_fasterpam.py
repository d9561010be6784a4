"""FasterPAM with weights, against kmedoids' own, repeated rows, and every single swap."""

import kmedoids
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_k_medoids import distances, loss

from tagsight.clustering.fasterpam import fasterpam


def start(seed, n, k):
    return np.sort(np.random.default_rng(seed).choice(n, k, replace=False))


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(8, 120), k=st.integers(2, 7))
def test_without_weights_the_medoids_are_kmedoids_own(seed, n, k):
    d, first = distances(seed, n), start(seed, n, k)
    theirs = kmedoids.fasterpam(d, first.copy()).medoids
    assert set(fasterpam(d, np.ones(n), first)) == set(theirs.tolist())


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 25), k=st.integers(1, 4))
def test_no_single_swap_lowers_the_loss_of_the_rows_repeated(seed, n, k):
    k = min(k, n - 1)
    rng = np.random.default_rng(seed)
    d, times = distances(seed, n, levels=2), rng.integers(1, 9, n)
    found = fasterpam(d, times.astype(float), start(seed, n, k))
    repeated = np.repeat(np.arange(n), times)
    all_d = d[np.ix_(repeated, repeated)]
    places = [int(np.flatnonzero(repeated == m)[0]) for m in found]
    least = loss(all_d, places)
    for place in range(k):
        for j in range(len(repeated)):
            assert loss(all_d, [*places[:place], j, *places[place + 1 :]]) >= least - 1e-5


def test_a_heavy_row_draws_the_medoid():
    line = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0))).astype(np.float32)
    assert fasterpam(line, np.ones(5), np.array([0])).tolist() == [2]
    assert fasterpam(line, np.array([1.0, 1, 1, 1, 9]), np.array([0])).tolist() == [4]


def test_where_all_is_at_one_place_it_ends():
    assert len(fasterpam(np.zeros((6, 6), np.float32), np.ones(6), np.array([0, 1]))) == 2


@pytest.mark.parametrize("k", [2, 9])
def test_it_changes_nothing_that_it_was_given(k):
    d, first = distances(3, 80), np.arange(k)
    fasterpam(d, np.ones(80), first)
    np.testing.assert_array_equal(first, np.arange(k))
