"""The steps of the search among all rows, against the matrix of all distances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight import gower, silhouettes, swaps
from tagsight.gower import Features
from tagsight.streamed import Streamed, drawn


def features(seed, n, missing=0.3, groups=5):
    """Rows in groups, some numbers, some narrow and wide codes, two rows that lack everything."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    numeric = (rng.random((groups, 4))[group] + 0.1 * rng.standard_normal((n, 4))).astype("f4")
    usual = rng.integers(0, [3, 9, 400], (groups, 3))[group]
    categorical = np.where(rng.random((n, 3)) < 0.2, rng.integers(0, 400, (n, 3)), usual)
    numeric[rng.random(numeric.shape) < missing] = np.nan
    categorical[rng.random(categorical.shape) < missing] = -1
    numeric[[1, n - 1]], categorical[[1, n - 1]] = np.nan, -1
    weights = np.array([1, 1, 0.5, 2], np.float32), np.array([1, 0.5, 1], np.float32)
    return Features(numeric, categorical.astype(np.int32), *weights)


def standing(seed, n, ks, distance="linear", rows=None):
    """A search at random medoids, the weights of its rows, and the matrix of all distances."""
    rng = np.random.default_rng(seed)
    made, weight = features(seed, n), rng.integers(1, 5, n).astype(float)
    here = Streamed(made, weight, distance)
    here.start([rng.choice(n, k, replace=False) for k in ks] if rows is None else rows)
    return here, weight, gower.matrix(made, distance).astype(np.float64)


def loss(d, weight, medoids):
    return (weight * d[medoids].min(axis=0)).sum()


def check(here, weight, d):
    """What is kept of each row is what the matrix says."""
    for g, medoids in enumerate(here.chosen):
        nearest = np.sort(d[medoids], axis=0)
        np.testing.assert_allclose(here.state.distance[g], nearest[0], atol=1e-6)
        np.testing.assert_allclose(here.state.second_distance[g], nearest[1], atol=1e-6)
        own = d[medoids[here.state.near[g]], np.arange(len(d))]
        np.testing.assert_allclose(own, nearest[0], atol=1e-6)
        other = d[medoids[here.state.second[g]], np.arange(len(d))]
        np.testing.assert_allclose(other, nearest[1], atol=1e-6)
        assert (here.state.near[g] != here.state.second[g]).all()
        np.testing.assert_array_equal(here.state.near[g, medoids], np.arange(len(medoids)))
        assert here.losses()[g] == pytest.approx(loss(d, weight, medoids), abs=1e-4)


@pytest.mark.parametrize("distance", ["linear", "root"])
def test_every_row_knows_its_two_nearest_medoids(distance):
    check(*standing(0, 700, [2, 3, 40], distance))
    check(*standing(0, 700, [], distance, rows=[np.array([1, 5, 699])]))  # one lacks everything


@settings(deadline=None, max_examples=20)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(8, 60),
    distance=st.sampled_from(["linear", "root"]),
)
def test_what_a_swap_would_change_is_what_brute_force_says(seed, n, distance):
    here, weight, d = standing(seed, n, [2, 4], distance)
    candidates = np.arange(n)
    promised = here._promised(candidates, np.array([0, 1]))
    for g, medoids in enumerate(here.chosen):
        now = loss(d, weight, medoids)
        others = [np.delete(medoids, m) for m in range(len(medoids))]
        for row in np.setdiff1d(candidates, medoids):
            changes = [loss(d, weight, [*rest, row]) - now for rest in others]
            assert promised[g, row] == pytest.approx(min(changes), abs=1e-6 * weight.sum())
            own = np.zeros(len(medoids))
            line = d[row].astype(np.float32)
            near, _, first, second = (part[g] for part in here.state)
            shared = swaps.change(line, near, first, second, weight, own)
            np.testing.assert_allclose(shared + own, changes, atol=1e-6 * weight.sum())


@pytest.mark.parametrize("distance", ["linear", "root"])
def test_swaps_lower_the_loss_and_leave_every_row_with_its_two_nearest(distance):
    here, weight, d = standing(3, 900, [2, 7, 30], distance)
    order = np.random.default_rng(0).permutation(900)
    before = here.losses()
    for rows in (order[:300], order[300:800], order[800:]):
        here.attempt(rows, np.arange(3))
        check(here, weight, d)
        assert (np.array(here.losses()) <= before).all()
        before = here.losses()
    assert (here.swaps > 0).all()
    assert here.tried == 900


def test_rows_that_promise_most_are_tried_first():
    """Where all rows have a say, what they promise is what brute force says."""
    here, weight, d = standing(8, 300, [2, 6])
    here.rank()
    np.testing.assert_array_equal(np.sort(here.order), np.arange(300))
    best = []
    for medoids in here.chosen:
        rest = np.array([d[np.delete(medoids, m)].min(axis=0) for m in range(len(medoids))])
        losses = (weight * np.minimum(rest[:, None], d)).sum(axis=2).min(axis=0)  # of each row
        best.append(np.argsort(losses))
    assert set(here.order[:2]) == {best[0][0], best[1][0]}
    places = np.argsort(here.order)  # row -> when it is tried
    for ranked in best:
        assert places[ranked[:30]].max() < 60


def test_only_active_clusterings_move():
    here, _, _ = standing(4, 300, [3, 6])
    kept = here.chosen[0].copy()
    here.attempt(np.arange(300), np.array([1]))
    np.testing.assert_array_equal(here.chosen[0], kept)
    assert here.swaps[0] == 0 < here.swaps[1]


def test_each_cluster_finds_the_best_of_its_few_members():
    """Where a cluster has fewer members than are tried, its medoid is the best of all."""
    here, weight, d = standing(5, 400, [4, 9])
    labels, before = here.state.near.copy(), here.losses()
    here.refine(1)
    for g, medoids in enumerate(here.chosen):
        for c, medoid in enumerate(medoids):
            own = np.flatnonzero(labels[g] == c)
            if len(own) < 128:
                totals = d[np.ix_(own, own)] @ weight[own]
                assert d[medoid, own] @ weight[own] == pytest.approx(totals.min(), abs=1e-4)
        assert here.losses()[g] <= before[g]
    check(here, weight, d)


@pytest.mark.parametrize("distance", ["linear", "root"])
def test_silhouettes_of_some_are_those_among_all(distance):
    here, weight, d = standing(6, 600, [2, 5, 80], distance)
    rows = np.random.default_rng(0).permutation(600)[:550]
    found = here.silhouettes(rows)
    copies = np.repeat(np.arange(600), weight.astype(int))
    first = np.searchsorted(copies, rows)
    every = d[np.ix_(copies, copies)].astype(np.float32)
    for g in range(3):
        (wanted,) = silhouettes.samples(every, [here.state.near[g][copies]])
        np.testing.assert_allclose(found[g], wanted[first], atol=2e-5)


def test_rows_are_drawn_in_even_steps_of_weight():
    rows, times = drawn(np.array([1.0, 6.0, 1.0, 2.0]), 3)
    assert rows.tolist() == [1, 3]
    assert times.tolist() == [2.0, 1.0]
    rows, times = drawn(np.array([1.0, 6.0]), 2)
    assert (rows.tolist(), times.tolist()) == ([0, 1], [1.0, 6.0])
    assert len(drawn(np.ones(1000), 100)[0]) == 100
