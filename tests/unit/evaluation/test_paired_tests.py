import json

import numpy as np
import polars as pl
import pytest
from scipy import stats

from tagsight.evaluation.paired_tests import compare, effect_interval, evaluate


def pairs(n, means, sds, correlation, seed=0):
    """n pairs with exactly these means, sds and correlation."""
    raw = np.random.default_rng(seed).normal(size=(n, 2))
    raw -= raw.mean(0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T)).T)
    root = np.linalg.cholesky(np.array([[1, correlation], [correlation, 1]]))
    return (white @ root.T * sds + means).T


def test_the_papers_arithmetic():
    """§3: .28 (sd .023) against .42 (sd .017), ten samples, t(9) = 16.42; so r is about .12."""
    distance, null = pairs(10, (0.28, 0.42), (0.023, 0.017), 0.12)
    found = compare(distance, null)
    assert found["t"] == pytest.approx(16.42, abs=0.15)
    assert found["df"] == 9
    assert found["p"] < 0.001
    assert found["effect_size"] == pytest.approx(5.2, abs=0.05)
    assert found["explained"] == pytest.approx(1 / 3)
    assert (found["mean_distance"], found["mean_null"]) == pytest.approx((0.28, 0.42))
    assert (found["sd_distance"], found["sd_null"]) == pytest.approx((0.023, 0.017))
    assert found["correlation"] == pytest.approx(0.12)


def test_a_worked_example():
    """Student 1908: extra sleep by two drugs, ten patients; t = 4.06, p = .0028."""
    one = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]) + 10
    two = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]) + 10
    found = compare(one, two)
    assert found["t"] == pytest.approx(4.0621, abs=1e-4)
    assert found["p"] == pytest.approx(0.002833, abs=1e-6)
    assert found["effect_size"] == pytest.approx(4.0621 / np.sqrt(10), abs=1e-4)


def test_agrees_with_scipy():
    distance, null = np.random.default_rng(3).random((2, 12))
    found, test = compare(distance, null), stats.ttest_rel(null, distance)
    assert (found["t"], found["p"]) == pytest.approx((test.statistic, test.pvalue))


@pytest.mark.parametrize(("t", "n"), [(0.0, 10), (2.5, 5), (-3.0, 8), (16.42, 10), (2.0, 300)])
def test_effect_interval_agrees_with_the_noncentral_t(t, n):
    low, high = effect_interval(t, n)
    at = stats.nct.cdf(t, n - 1, np.sqrt(n) * np.array([low, high]))
    assert at == pytest.approx([0.975, 0.025], abs=2e-5)


def test_effect_interval_of_a_huge_t_is_finite_and_holds_it():
    low, high = effect_interval(1e5, 10)
    assert 0 < low < 1e5 / np.sqrt(10) < high < 1e6


def test_interval_of_explained_covers():
    hits = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        level = rng.normal(0, 0.02, 10)
        null, distance = 0.4 + level, 0.3 + level + rng.normal(0, 0.01, 10)
        low, high = compare(distance, null)["explained_ci95"]
        hits += low < 0.25 < high
    assert 0.92 <= hits / 400 <= 0.98


def trials(n, spread):
    rng = np.random.default_rng(0)
    rows = [
        {
            "trial": f"trial-{i:02}",
            "k": 15,
            "distance": 0.3 + spread * rng.random(),
            "null_distance": 0.5,
        }
        for i in range(n)
    ]
    schema = {
        "trial": pl.String,
        "k": pl.Int64,
        "distance": pl.Float64,
        "null_distance": pl.Float64,
    }
    return pl.DataFrame(rows, schema)


def test_the_papers_test_is_over_all_trials():
    found = evaluate(trials(10, 0.01))
    by_trial = dict.fromkeys([f"trial-{i:02d}" for i in range(10)], 15)
    assert found["trials"] == {"n": 10, "k": 15, "by_trial": by_trial, "left_out": {}}
    paper = found["paper"]
    assert paper["explained"] == pytest.approx(1 - paper["mean_distance"] / 0.5)
    assert paper["ci95"][0] < paper["effect_size"] < paper["ci95"][1]
    assert paper["explained_ci95"][0] < paper["explained"] < paper["explained_ci95"][1]
    assert paper["reason"] is None


@pytest.mark.parametrize(("n", "spread", "reason"), [(1, 0.1, "single"), (5, 0.0, "alike")])
def test_what_cannot_be_tested_is_none_with_a_reason(n, spread, reason):
    found = evaluate(trials(n, spread))
    paper = found["paper"]
    assert paper["t"] is paper["p"] is paper["ci95"] is None
    assert reason in paper["reason"]
    assert "NaN" not in json.dumps(found, allow_nan=False)


def test_trials_that_were_not_made_are_named_and_count_for_nothing():
    names = {"trial-00": None, "trial-01": None, "trial-02": "too alike"}
    found = evaluate(trials(2, 0.1), names)
    assert found["trials"]["left_out"] == {"trial-02": "too alike"}
    assert found["trials"]["n"] == found["paper"]["n"] == 2
    none = {"n": 0, "k": None, "by_trial": {}, "left_out": {"trial-02": "too alike"}}
    assert evaluate(trials(2, 0.1).clear(), names) == {"trials": none, "paper": {}}


def test_order_of_rows_does_not_matter():
    frame = trials(6, 0.1)
    assert evaluate(frame.sample(fraction=1, shuffle=True, seed=1)) == evaluate(frame)
