from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from tagsight.tags.weighting import LEAST_MEAN, mean_difference, share_unequal, weights


def over_pairs(rows, distance):
    pairs = [distance(a, b) for a, b in combinations(rows, 2)]
    return sum(pairs) / len(pairs) if pairs else 0.0


TALLIES = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), max_size=8).map(
    lambda rows: (np.array([v for v, _ in rows], int), np.array([n for _, n in rows], int))
)


@given(TALLIES)
def test_the_mean_difference_is_that_of_all_pairs(tally):
    values, counts = tally[0] / 7, tally[1]
    slow = over_pairs(np.repeat(values, counts), lambda a, b: abs(a - b))
    assert mean_difference(values, counts) == pytest.approx(slow, abs=1e-12)


@given(TALLIES)
def test_the_share_unequal_is_that_of_all_pairs(tally):
    slow = over_pairs(np.repeat(*tally), lambda a, b: a != b)
    assert share_unequal(*tally) == pytest.approx(slow, abs=1e-12)


def test_both_agree_with_scipy():
    rng = np.random.default_rng(3)
    numbers, codes = rng.gamma(1, size=500), rng.integers(0, 9, 500)
    ones = np.ones(500, int)
    assert mean_difference(numbers, ones) == pytest.approx(
        pdist(numbers[:, None], "cityblock").mean()
    )
    assert share_unequal(codes, ones) == pytest.approx(pdist(codes[:, None], "hamming").mean())


def test_counts_of_archives_lose_nothing():
    assert share_unequal(np.arange(2), np.array([30_000_000, 1])) == pytest.approx(2 / 30_000_001)
    assert mean_difference(np.array([0.0, 1.0]), np.array([1, 30_000_000])) == pytest.approx(
        2 / 30_000_001
    )


MEANS = st.lists(st.floats(LEAST_MEAN, 1), min_size=1, max_size=9)


@given(MEANS, MEANS)
def test_every_column_gets_the_same_mean_distance(means, presence_means):
    own, others = weights(means, presence_means)
    assert own.mean() == pytest.approx(1)
    said = np.concatenate([own * means, others * presence_means])
    np.testing.assert_allclose(said, said[0])


def test_a_column_that_hardly_varies_does_not_drown_the_others():
    (rare, other), _ = weights([1e-9, 0.5], [])
    assert rare / other == pytest.approx(0.5 / LEAST_MEAN)
    assert weights([], [0.5, 0.25])[1].tolist() == [2.0, 4.0]
