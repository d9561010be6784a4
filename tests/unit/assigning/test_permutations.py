"""Permutation tests, against scipy and by what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tagsight.assigning.permutations import PERMUTATIONS, Sides, max_pvalues


def sides(seed, first=7, second=12, columns=3):
    rng = np.random.default_rng(seed)
    return Sides(rng.random((first, columns)), rng.random((second, columns)))


@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=30)
def test_draws_are_of_the_same_size_and_the_first_is_the_actual_one(seed, first, second):
    both = sides(seed, first, second)
    drawn = np.vstack(list(both.permutations(seed)))
    assert drawn.shape == (1 + PERMUTATIONS, first + second)
    assert set(np.unique(drawn)) <= {0.0, 1.0}
    assert (drawn.sum(axis=1) == first).all()
    assert (drawn[0][:first] == 1).all()
    assert (drawn == np.vstack(list(both.permutations(seed)))).all()


def test_every_patient_is_drawn_as_often():
    drawn = np.vstack(list(sides(1, 5, 15).permutations(2)))[1:]
    assert np.abs(drawn.mean(axis=0) - 0.25).max() < 0.06


@given(st.integers(0, 10**6))
@settings(max_examples=20)
def test_differences_and_ks_statistics_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 6, (20, 2)) / 5  # ties
    both = Sides(rows[:8], rows[8:])
    permuted = np.vstack([both.actual, rng.permutation(both.actual[0])])
    for draw, difference, apart in zip(
        permuted, both.differences(permuted), both.ks_statistics(permuted, 1), strict=True
    ):
        inside, outside = rows[draw == 1], rows[draw == 0]
        assert difference == pytest.approx(inside.mean(axis=0) - outside.mean(axis=0))
        expected = stats.ks_2samp(inside[:, 1], outside[:, 1]).statistic
        assert apart[0] == pytest.approx(expected)


@given(st.integers(0, 10**6), st.lists(st.booleans(), min_size=20, max_size=20))
@settings(max_examples=30)
def test_patients_without_a_figure_count_on_neither_side(seed, lacking):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 6, (20, 2)) / 5
    rows[np.array(lacking), 1] = np.nan
    both = Sides(rows[:8], rows[8:])
    permuted = np.vstack([both.actual, rng.permutation(both.actual[0])])
    apart = both.ks_statistics(permuted, 1)[:, 0]
    for draw, found in zip(permuted, apart, strict=True):
        known = ~np.isnan(rows[:, 1])
        inside, outside = rows[(draw == 1) & known, 1], rows[(draw == 0) & known, 1]
        some = len(inside) and len(outside)
        assert found == pytest.approx(stats.ks_2samp(inside, outside).statistic if some else 0.0)
    others = Sides(rows[:8, :1], rows[8:, :1])
    differences, expected = (s.differences(permuted)[:, 0] for s in (both, others))
    np.testing.assert_allclose(differences, expected, atol=1e-12)


def test_of_one_statistic_it_is_scipys_permutation_test():
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.9, 1, (15, 1)), rng.normal(0, 1, (25, 1))
    both = Sides(first, second)
    found = np.vstack([np.abs(both.differences(permuted)) for permuted in both.permutations(4)])
    expected = stats.permutation_test(
        (first[:, 0], second[:, 0]),
        lambda a, b: abs(a.mean() - b.mean()),
        n_resamples=9999,
        alternative="greater",
        rng=np.random.default_rng(5),
    ).pvalue
    assert max_pvalues(found)[0] == pytest.approx(expected, abs=0.02)


def test_of_many_statistics_one_is_below_a_level_as_often_as_the_level():
    """Of 40 unrelated ones, none of which differs."""
    rng = np.random.default_rng(6)
    least = [max_pvalues(rng.random((1000, 40))).min() for _ in range(500)]
    assert np.mean(np.array(least) <= 0.05) == pytest.approx(0.05, abs=0.02)
    assert max_pvalues(np.empty((1000, 0))).size == 0


def test_a_sum_made_in_another_order_is_as_large():
    statistics = np.full((10, 1), 0.1 + 0.2)
    statistics[1:] = 0.3
    assert max_pvalues(statistics)[0] == 1.0


def test_what_never_varies_has_an_infinite_spread():
    both = Sides(np.ones((3, 1)) * 0.1, np.ones((5, 1)) * 0.1)
    assert np.isinf(both.sd).all()
