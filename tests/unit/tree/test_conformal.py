"""Conformal p-values: the formula, and how often images like the run's are said to fit none."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.tree.conformal import ENOUGH_PATIENTS, LEVEL, Limits, Members


def images(person, distance, cluster=1):
    count = len(distance)
    return pl.DataFrame(
        {
            "person": pl.Series(person),
            "cluster": pl.Series(np.broadcast_to(cluster, count), dtype=pl.Int32),
            "distance": pl.Series(distance, dtype=pl.Float32),
        }
    )


def slow_pvalue(frame, d):
    """The formula, person by person."""
    shares = [
        np.mean(frame.filter(person=who)["distance"].to_numpy() >= np.float32(d))
        for who in frame["person"].unique()
    ]
    return (1 + sum(shares)) / (len(shares) + 1)


GRID = st.integers(0, 8).map(lambda i: i / 8)  # so that there are ties


@given(st.lists(st.tuples(st.integers(0, 5), GRID), min_size=1, max_size=30), GRID)
def test_the_p_value_is_the_formulas(rows, d):
    frame = images([who for who, _ in rows], [distance for _, distance in rows])
    members = Members.of(frame)
    assert members.pvalue(np.float32([d]))[0] == pytest.approx(slow_pvalue(frame, d))


@given(st.lists(st.tuples(st.integers(0, 300), GRID), min_size=1, max_size=400))
@settings(max_examples=30)
def test_what_is_within_the_limit_fits_and_nothing_else_does(rows):
    frame = images([who for who, _ in rows], [distance for _, distance in rows])
    limits = Limits(frame, k=2)
    (one, two) = limits.table()
    asked = np.linspace(0, 1.5, 61)
    judged = limits.assess(images(np.arange(61), asked))
    assert judged["fits"].to_list() == (asked.astype(np.float32) <= one["limit"]).tolist()
    assert two["pooled"]
    assert one["pooled"] == (one["patients"] < ENOUGH_PATIENTS)


def of_patients(rng, patients, several):
    """Distances of an image or some of each: patients differ more than the images of one do."""
    counts = rng.integers(1, 30, patients) if several else np.ones(patients, int)
    person = np.repeat(np.arange(patients), counts)
    centre = rng.gamma(4, 0.02, patients)
    return person, centre[person] + rng.gamma(2, 0.01, counts.sum())


LEVELS = np.array([LEVEL, 0.05, 0.2])


def false_alarms(patients, several):
    """How often p is at most each of LEVELS, of an image of each of many new patients."""
    rng = np.random.default_rng(patients)
    rates = []
    for _ in range(100):
        person, distance = of_patients(rng, patients, several)
        members = Members.of(images(person, distance))
        person, distance = of_patients(rng, 400, several)
        _, first = np.unique(person, return_index=True)
        pvalue = members.pvalue(distance[first].astype(np.float32))
        rates.append((pvalue[:, None] <= LEVELS).mean(axis=0))
    return np.mean(rates, axis=0), np.std(rates, axis=0) / 10


@pytest.mark.parametrize("patients", [99, 499])
def test_images_like_the_runs_fit_none_as_often_as_stated(patients):
    """An image a patient: whatever their distribution, the rate is the level."""
    rates, error = false_alarms(patients, several=False)
    assert rates == pytest.approx(LEVELS, abs=4 * error.max())


@pytest.mark.parametrize("patients", [99, 499])
def test_with_many_images_a_patient_it_is_no_more_often(patients):
    rates, error = false_alarms(patients, several=True)
    assert (rates <= LEVELS + 3 * error).all(), rates
    assert (rates >= [0.002, 0.04, 0.17]).all(), rates


def test_images_counted_one_by_one_would_raise_more_false_alarms_than_stated():
    """Why patients are the units: with few patients of many images each, p would be too small."""
    rng = np.random.default_rng(1)
    by_image, by_patient = [], []
    for _ in range(300):
        person, distance = np.repeat(np.arange(20), 50), np.repeat(rng.random(20), 50)
        new = rng.random(50).astype(np.float32)
        by_patient.append((Members.of(images(person, distance)).pvalue(new) <= LEVEL).mean())
        by_image.append((Members.of(images(np.arange(1000), distance)).pvalue(new) <= LEVEL).mean())
    assert np.mean(by_patient) <= LEVEL
    assert np.mean(by_image) > 3 * LEVEL


def test_a_small_cluster_is_held_to_all_and_a_large_one_to_its_own():
    rng = np.random.default_rng(2)
    large = images(np.arange(500), rng.random(500) * 0.1, 1)
    small = images(np.arange(500, 520), rng.random(20) * 0.1 + 0.3, 2)
    limits = Limits(pl.concat([large, small]), k=3)
    one, two, three = limits.table()
    assert not one["pooled"]
    assert one["limit"] <= 0.1
    assert two["limit"] == three["limit"] > 0.3
    judged = limits.assess(images([0, 0, 0], [0.2, 0.2, 0.9], [1, 2, 2]))
    assert judged["fits"].to_list() == [False, True, False]


def test_with_few_patients_only_what_is_farther_than_all_fits_none():
    limits = Limits(images(np.arange(9), np.arange(9) / 10), k=1)
    assert limits.table()[0]["level"] == pytest.approx(0.1)
    judged = limits.assess(images([0, 0], [0.8, 0.81]))
    assert judged["fits"].to_list() == [True, False]
    assert judged["pvalue"].to_list() == pytest.approx([0.2, 0.1])
