import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from tagsight.tags.scales import MOST_KNOTS, SHARES, Scale, fit, scaled

KINDS = ("range", "robust", "rank")
NUMBERS = st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.0, 1.0, 2.0])
ROWS = st.lists(NUMBERS, min_size=1, max_size=60).map(np.array)


def counted(rows):
    return np.unique(rows, return_counts=True)


def ranks(rows):
    """Mean ranks from 0 to 1, by scipy."""
    found = rankdata(rows, method="average")
    return (found - found.min()) / max(found.max() - found.min(), 1e-300)


@given(ROWS)
def test_range_is_from_the_least_to_the_largest(rows):
    assert fit(*counted(rows), "range") == (rows.min(), rows.max(), None, None)


@given(ROWS)
def test_robust_is_between_observed_quantiles(rows):
    low, high = np.quantile(rows, [0.05, 0.95], method="inverted_cdf")
    expected = (low, high) if low < high else (rows.min(), rows.max())
    assert fit(*counted(rows), "robust")[:2] == expected


@given(ROWS)
def test_ranks_of_few_values_are_exact(rows):
    scale = fit(*counted(rows), "rank")
    np.testing.assert_allclose(scaled(rows, scale), ranks(rows), atol=1e-12)


def test_ranks_of_many_values_are_nearly_so():
    rows = np.concatenate([np.random.default_rng(1).lognormal(0, 2, 20_000), np.full(5000, 1.0)])
    scale = fit(*counted(rows), "rank")
    assert len(scale.knots) <= MOST_KNOTS
    np.testing.assert_allclose(scaled(rows, scale), ranks(rows), atol=1 / SHARES)
    at = scaled(np.array(scale.knots), scale)
    there = dict(zip(rows, ranks(rows), strict=True))
    np.testing.assert_allclose(at, [there[value] for value in scale.knots], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(rows=ROWS, others=arrays(np.float64, 5, elements=st.floats(-1e7, 1e7)), random=st.randoms())
def test_what_holds_of_any_numbers(kind, rows, others, random):
    scale = fit(*counted(rows), kind)
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert fit(np.array(shuffled), np.ones(len(rows), np.int64), kind) == scale
    assert fit(rows, np.full(len(rows), 3), kind)[:2] == scale[:2]
    both = np.sort(np.concatenate([rows, others]))
    found = scaled(both, scale)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= 0).all()
    ends = scaled(np.array([rows.min(), rows.max()]), scale)
    assert ends.tolist() == ([0.0, 1.0] if rows.min() < rows.max() else [0.0, 0.0])


def test_a_number_just_below_a_knot_is_not_put_above_it():
    rows = np.array([-5.0, *[0.0] * 5, *[1.0] * 8, 2.0])  # np.interp alone puts it a last bit above
    below, at = scaled(np.array([-4.89317368e-41, 0.0]), fit(*counted(rows), "rank"))
    assert below <= at


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_known_and_one_value(kind):
    empty = fit(np.empty(0), np.empty(0, np.int64), kind)
    assert empty == Scale(0.0, 0.0)
    one = fit(np.array([7.0]), np.array([9]), kind)
    for scale in (empty, one):
        found = scaled(np.array([np.nan, 7.0, 8.0]), scale)
        assert np.isnan(found[0])
        assert found[1:].tolist() == [0.0, 0.0]


def test_a_stray_value_presses_all_others_together_by_range_alone():
    rows = np.append(np.linspace(0, 1, 99), 1e6)
    spread = {kind: np.ptp(scaled(rows[:99], fit(*counted(rows), kind))) for kind in KINDS}
    assert spread["range"] < 1e-5
    assert min(spread["robust"], spread["rank"]) > 0.9


def test_robust_keeps_what_tells_few_from_many():
    rows = np.array([0.0] * 99 + [1.0])
    assert scaled(rows, fit(*counted(rows), "robust")).tolist() == rows.tolist()


def test_knots_of_millions_of_rows_do_not_overflow():
    values, counts = np.arange(1000.0), np.full(1000, 3_000_000_000)
    scale = fit(values, counts, "rank")
    np.testing.assert_allclose(scaled(values, scale), values / 999, atol=1e-12)
