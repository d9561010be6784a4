"""k-prototypes against the formula, written slowly, and against package kmodes."""

import numpy as np
import pytest
from feature_tables import features
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from tagsight.clustering import kprototypes
from tagsight.clustering.kprototypes import Prototypes
from tagsight.gower.features import Features


def slow_cost(table, i, means, modes, gamma):
    total = 0.0
    for f, x in enumerate(table.numeric[i]):
        if np.isfinite(x):
            apart = 1.0 if np.isnan(means[f]) else (float(x) - means[f]) ** 2
            total += float(table.numeric_weight[f]) * apart
    for f, code in enumerate(table.categorical[i]):
        if code >= 0:
            total += gamma * float(table.categorical_weight[f]) * (code != modes[f])
    return total


def weighted(table, rng):
    weights = [rng.random(w.shape).astype(np.float32) for w in (table.numeric_weight,) * 2]
    return Features(table.numeric, table.categorical, *weights)


def total(table, labels, k):
    gamma = kprototypes.gamma(table)
    found = kprototypes.prototypes(table, labels, k)
    return sum(
        slow_cost(table, i, found.means[c], found.modes[c], gamma) for i, c in enumerate(labels)
    )


def test_costs_are_the_formula():
    rng = np.random.default_rng(0)
    table = weighted(features(0, 40, missing=0.3)[0], rng)
    means, modes = rng.random((3, 4)), rng.integers(-1, 5, (3, 4)).astype(np.int32)
    means[1, 2] = np.nan
    found = kprototypes.costs(table, Prototypes(means, modes), 0.4)
    for i in range(40):
        for c in range(3):
            assert found[i, c] == pytest.approx(slow_cost(table, i, means[c], modes[c], 0.4))


def test_prototypes_are_means_and_most_frequent_values_of_what_is_there():
    table, _ = features(1, 30, missing=0.4)
    labels = np.random.default_rng(1).integers(0, 3, 30)
    labels[labels == 2] = 1  # the third has no members
    found = kprototypes.prototypes(table, labels, 3)
    for c in range(2):
        members = labels == c
        expected = np.nanmean(table.numeric[members].astype(np.float64), axis=0)
        np.testing.assert_allclose(found.means[c], expected)
        for f in range(4):
            codes = table.categorical[members, f]
            values, counts = np.unique(codes[codes >= 0], return_counts=True)
            assert found.modes[c, f] == values[counts.argmax()]
    assert np.isnan(found.means[2]).all()
    assert (found.modes[2] == -1).all()


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 50), k=st.integers(2, 8))
def test_no_row_would_cost_less_elsewhere_and_no_prototype_is_alone(seed, n, k):
    table, _ = features(seed, n, missing=0.3, noise=0.3)
    k = min(k, n)
    first = np.random.default_rng(seed).permutation(np.arange(n) % k)
    (labels,) = kprototypes.labellings(table, [first])
    assert set(labels) == set(range(k))
    gamma = kprototypes.gamma(table)
    found = kprototypes.costs(table, kprototypes.prototypes(table, labels, k), gamma)
    own = found[np.arange(n), labels]
    if len(np.unique(found, axis=0)) > k:
        moved = own > found.min(axis=1) + 1e-9
        assert moved.sum() <= k  # those that were given to an empty one


def test_gamma_is_that_of_kmodes():
    table, _ = features(2, 60)
    expected = 0.5 * np.mean(table.numeric.astype(np.float64).std(axis=0))
    assert kprototypes.gamma(table) == pytest.approx(expected)
    assert kprototypes.gamma(table.take(np.zeros(5, int))) == 1


def test_kmodes_finds_nothing_better_from_the_same_start():
    kmodes = pytest.importorskip("kmodes.kprototypes")
    table, group = features(4, 200, groups=5, noise=0.12)
    rows = np.array([np.flatnonzero(group == g)[0] for g in range(5)])
    nearest = kprototypes.costs(
        table,
        Prototypes(table.numeric[rows].astype(float), table.categorical[rows]),
        kprototypes.gamma(table),
    )
    (labels,) = kprototypes.labellings(table, [nearest.argmin(axis=1)])
    mixed = np.hstack([table.numeric, table.categorical]).astype(object)
    theirs = kmodes.KPrototypes(
        5,
        init=[table.numeric[rows].astype(float), table.categorical[rows].astype(float)],
        n_init=1,
        gamma=kprototypes.gamma(table),
    ).fit(mixed, categorical=[4, 5, 6, 7])
    assert total(table, labels, 5) <= theirs.cost_ * 1.02
    assert total(table, theirs.labels_, 5) == pytest.approx(theirs.cost_, rel=1e-4)
    assert adjusted_rand_score(labels, theirs.labels_) > 0.95
