"""The steps of the search among all rows, against the matrix of all distances."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.clustering import silhouettes
from tagsight.clustering.search import kernels, swap
from tagsight.clustering.search.state import SearchState, systematic_sample
from tagsight.gower import metric
from tagsight.gower.features import Features


def features(seed, n, missing=0.3, groups=5):
    """Rows in groups, some numbers, some narrow and wide codes, two rows that lack everything."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    numeric = (rng.random((groups, 4))[group] + 0.1 * rng.standard_normal((n, 4))).astype("f4")
    usual = rng.integers(0, [3, 9, 400], (groups, 3))[group]
    categorical = np.where(rng.random((n, 3)) < 0.2, rng.integers(0, 400, (n, 3)), usual)
    numeric = numeric.clip(0, 1)  # as `to_features` scales them
    numeric[rng.random(numeric.shape) < missing] = np.nan
    categorical[rng.random(categorical.shape) < missing] = -1
    numeric[[1, n - 1]], categorical[[1, n - 1]] = np.nan, -1
    weights = np.array([1, 1, 0.5, 2], np.float32), np.array([1, 0.5, 1], np.float32)
    return Features(numeric, categorical.astype(np.int32), *weights)


def standing(seed, n, ks, distance="linear", rows=None):
    """A search at random medoids, the weights of its rows, and the matrix of all distances."""
    rng = np.random.default_rng(seed)
    made, weight = features(seed, n), rng.integers(1, 5, n).astype(float)
    here = SearchState(made, weight, distance)
    here.start([rng.choice(n, k, replace=False) for k in ks] if rows is None else rows)
    return here, weight, metric.matrix(made, distance).astype(np.float64)


def loss(d, weight, medoids):
    return (weight * d[medoids].min(axis=0)).sum()


def check(here, weight, d):
    """What is kept of each row is what the matrix says."""
    for g, medoids in enumerate(here.chosen):
        nearest = np.sort(d[medoids], axis=0)
        np.testing.assert_allclose(here.nearest.distance[g], nearest[0], atol=1e-6)
        np.testing.assert_allclose(here.nearest.second_distance[g], nearest[1], atol=1e-6)
        own = d[medoids[here.nearest.near[g]], np.arange(len(d))]
        np.testing.assert_allclose(own, nearest[0], atol=1e-6)
        other = d[medoids[here.nearest.second[g]], np.arange(len(d))]
        np.testing.assert_allclose(other, nearest[1], atol=1e-6)
        assert (here.nearest.near[g] != here.nearest.second[g]).all()
        np.testing.assert_array_equal(here.nearest.near[g, medoids], np.arange(len(medoids)))
        assert here.losses()[g] == pytest.approx(loss(d, weight, medoids), abs=1e-4)


ANY = {"seed": st.integers(0, 2**32 - 1), "distance": st.sampled_from(["linear", "root"])}
CUT = mock.patch.object(kernels, "STRIP", 16)  # so that sums of few rows are made in strips, too


@settings(max_examples=20)
@given(**ANY, n=st.integers(8, 60))
@CUT
def test_what_every_swap_would_change_is_what_brute_force_says(seed, distance, n):
    here, weight, d = standing(seed, n, [2, 4], distance)
    candidates = np.arange(n)
    changes = here._changes(candidates, np.array([0, 1]))
    for g, medoids in enumerate(here.chosen):
        now = loss(d, weight, medoids)
        others = [np.delete(medoids, m) for m in range(len(medoids))]
        for row in np.setdiff1d(candidates, medoids):
            wanted = [loss(d, weight, [*rest, row]) - now for rest in others]
            np.testing.assert_allclose(changes[g][:, row], wanted, atol=1e-6 * weight.sum())
            shared, own = np.zeros(2), np.zeros((2, len(medoids)))
            line = d[row].astype(np.float32)
            near, _, first, second = (part[g] for part in here.nearest)
            swap.change(line, near, first, second, weight, shared, own)
            found = shared.sum() + own.sum(axis=0)
            np.testing.assert_allclose(found, wanted, atol=1e-6 * weight.sum())


@settings(max_examples=10)
@given(**ANY, n=st.integers(9, 60) | st.integers(257, 300))
@CUT
def test_swaps_lower_the_loss_and_leave_every_row_with_its_two_nearest(seed, distance, n):
    here, weight, d = standing(seed, n, [2, 3, 8], distance)
    check(here, weight, d)
    before = here.losses()
    order = np.random.default_rng(seed).permutation(n)
    for rows in np.array_split(order, 3):
        swapped = here.swaps.copy()
        here.attempt(rows, np.arange(3))
        check(here, weight, d)
        fell = np.array(here.losses()) < before
        np.testing.assert_array_equal(fell, here.swaps > swapped)
        assert (np.array(here.losses()) <= before).all()
        before = here.losses()
    assert here.tried == n


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
    here.attempt(np.arange(0, 300, 2), np.array([1]))
    np.testing.assert_array_equal(here.chosen[0], kept)
    assert here.swaps[0] == 0 < here.swaps[1]
    with pytest.raises(ValueError, match="at a time"):
        here.attempt(np.arange(300), np.array([1]))


def test_each_cluster_finds_the_best_of_its_few_members():
    """Where a cluster has fewer members than are tried, its medoid is the best of all."""
    here, weight, d = standing(5, 400, [4, 9])
    labels, before = here.nearest.near.copy(), here.losses()
    here.refine(1)
    for g, medoids in enumerate(here.chosen):
        for c, medoid in enumerate(medoids):
            own = np.flatnonzero(labels[g] == c)
            if len(own) < 128:
                totals = d[np.ix_(own, own)] @ weight[own]
                assert d[medoid, own] @ weight[own] == pytest.approx(totals.min(), abs=1e-4)
        assert here.losses()[g] <= before[g]
    check(here, weight, d)


@settings(max_examples=10)
@given(**ANY, n=st.integers(9, 60) | st.integers(257, 300))
@CUT
def test_silhouettes_of_some_are_those_among_all(seed, distance, n):
    here, weight, d = standing(seed, n, [2, 3, 8], distance)
    wanted = np.array(silhouettes.widths(d.astype(np.float32), list(here.nearest.near), weight))
    rows = np.random.default_rng(seed).permutation(n)[: n - n // 4]
    np.testing.assert_allclose(here.silhouettes(rows), wanted[:, rows], atol=1e-6)
    means = np.average(wanted, axis=1, weights=weight)
    np.testing.assert_allclose(here.mean_silhouettes(), means, atol=1e-6)


def test_rows_are_drawn_in_even_steps_of_weight():
    rows, times = systematic_sample(np.array([1.0, 6.0, 1.0, 2.0]), 3)
    assert rows.tolist() == [1, 3]
    assert times.tolist() == [2.0, 1.0]
    rows, times = systematic_sample(np.array([1.0, 6.0]), 2)
    assert (rows.tolist(), times.tolist()) == ([0, 1], [1.0, 6.0])
    assert len(systematic_sample(np.ones(1000), 100)[0]) == 100
