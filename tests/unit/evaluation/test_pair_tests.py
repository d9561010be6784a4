"""Corrections of the pair statistics: against plain formulas and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tagsight.evaluation.pair_statistic import Explained
from tagsight.evaluation.pair_tests import MARGIN, equivalence, holm, smallest, told, visible


def figures(explained, error, df=9):
    reach = stats.t.ppf(0.975, df) * error
    t = explained / error
    p = 2 * stats.t.sf(abs(t), df)
    return Explained(explained, (explained - reach, explained + reach), t, df, p, 90, 5, error)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holms_correction_is_the_step_down_by_hand(ps):
    said = holm(dict(enumerate(ps)))
    largest = 0.0
    for place, i in enumerate(np.argsort(ps, kind="stable")):
        largest = max(largest, min(1, ps[i] * (len(ps) - place)))
        assert said[int(i)] == pytest.approx(largest, abs=1e-12)


@pytest.mark.parametrize("df", [1, 2, 4, 9, 30])
def test_the_smallest_visible_effect_has_eighty_percent_power(df):
    limit = stats.t.ppf(0.975, df)
    power = stats.nct.sf(limit, df, visible(df)) + stats.nct.cdf(-limit, df, visible(df))
    assert power == pytest.approx(0.8, abs=1e-3)
    assert smallest(figures(0.1, 0.02, df)) == pytest.approx(0.02 * visible(df))


@given(st.floats(-0.2, 0.2), st.floats(0.001, 0.1), st.integers(1, 20))
def test_less_than_the_margin_is_that_the_interval_ends_below_it(explained, error, df):
    found = figures(explained, error, df)
    said = equivalence(found)
    assert said["less"] == (found.ci95[1] < MARGIN)
    draws = (explained - MARGIN) / error
    assert said["p"] == pytest.approx(stats.t.cdf(draws, df))


def test_what_was_not_tested_is_not_corrected_for():
    untested = Explained(0.0, (0.0, 0.0), None, 9, None, 90, 1, 0.0, "it divides nothing")
    one = figures(0.1, 0.03)
    said = told({"labels": {"modality": one, "none": untested}})["labels"]
    assert said["modality"]["p_holm"] == pytest.approx(one.p)
    assert said["none"]["p_holm"] is said["none"]["smallest"] is None
    assert said["none"]["equivalence"] == {"margin": MARGIN, "p": None, "less": None}
    assert told({}) == {}
