"""k-medoids against kmedoids' own BUILD, a plain PAM, and the optimum by brute force."""

from itertools import combinations
from unittest import mock

import kmedoids
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import adjusted_rand_score

from tagsight.clustering import k_medoids
from tagsight.clustering.algorithms import clusterings
from tagsight.gower.features import Features


def some_features(n):
    """Features of n rows, for algorithms that look at distances alone."""
    one = np.ones(1, np.float32)
    none = np.empty((n, 0), np.int32), np.empty(0, np.float32)
    return Features(np.zeros((n, 1), np.float32), none[0], one, none[1])


def distances(seed, n, groups=6, dimensions=3, levels=None):
    """Distances of points in groups; with `levels` on a coarse lattice, so that many are equal."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(groups, dimensions))[rng.integers(0, groups, n)]
    points += 0.3 * rng.normal(size=points.shape)
    if levels:
        points = np.round(points * levels) / levels
    return squareform(pdist(points, "cityblock")).astype(np.float32)


def loss(d, chosen):
    return d[list(chosen)].min(axis=0).sum(dtype=np.float64)


def plain_pam(d, k):
    """BUILD, then the best swap of all until none lowers the loss: as in the book, without art."""
    chosen = []
    for _ in range(k):
        chosen.append(min(set(range(len(d))) - set(chosen), key=lambda j: loss(d, [*chosen, j])))
    while True:
        swaps = [
            [*chosen[:m], j, *chosen[m + 1 :]]
            for m in range(k)
            for j in range(len(d))
            if j not in chosen
        ]
        best = min(swaps, key=lambda swap: loss(d, swap))
        if loss(d, best) >= loss(d, chosen) - 1e-9:
            return loss(d, chosen)
        chosen = best


@pytest.mark.parametrize("seed", range(4))
def test_build_is_kmedoids_own(seed):
    d = distances(seed, 300)
    found = k_medoids.build(d, 60)
    np.testing.assert_array_equal(found, kmedoids.pam_build(d, 60).medoids)
    np.testing.assert_array_equal(found[:7], k_medoids.build(d, 7))


def test_build_refuses_what_cannot_be():
    for k in (0, 6):
        with pytest.raises(ValueError, match="cannot choose"):
            k_medoids.build(distances(0, 5), k)


@pytest.mark.parametrize("algorithm", ["fasterpam", "pam", "alternate", "average"])
def test_what_every_clustering_holds(algorithm):
    d = distances(5, 200, levels=2)
    grid = clusterings(some_features(len(d)), d, [9, 2, 4, 9], algorithm)
    assert [found.k for found in grid] == [2, 4, 9]
    for found in grid:
        sizes = np.bincount(found.labels)
        assert len(sizes) == len(set(found.medoids)) == found.k
        assert (np.diff(sizes) <= 0).all()
        np.testing.assert_array_equal(found.labels[found.medoids], np.arange(found.k))
        own = d[np.arange(200), found.medoids[found.labels]]
        assert found.loss == pytest.approx(own.sum(dtype=np.float64))
        if algorithm != "average":
            np.testing.assert_array_equal(own, d[found.medoids].min(axis=0))


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(6, 12), k=st.integers(1, 4))
def test_never_below_the_optimum_nor_far_above(seed, n, k):
    d = distances(seed, n, groups=3)
    optimum = min(loss(d, chosen) for chosen in combinations(range(n), k))
    (found,) = k_medoids.grid(d, [k])
    assert optimum - 1e-6 <= found.loss <= 1.2 * optimum


@pytest.mark.parametrize(("seed", "k"), [(0, 3), (1, 6), (2, 10), (3, 15)])
def test_loss_within_a_hundredth_of_plain_pam(seed, k):
    d = distances(seed, 60)
    plain = plain_pam(d, k)
    for swap in (k_medoids.fasterpam, k_medoids.pam):
        (found,) = k_medoids.grid(d, [k], swap)
        assert found.loss <= 1.01 * plain


def test_average_linkage_is_scipys():
    d = distances(7, 120)
    merges = linkage(squareform(d, checks=False), "average")
    for found in clusterings(some_features(len(d)), d, [2, 5, 11], "average"):
        wanted = fcluster(merges, found.k, "maxclust")
        assert adjusted_rand_score(wanted, found.labels) == 1
        for c, medoid in enumerate(found.medoids):
            own = np.flatnonzero(found.labels == c)
            totals = d[np.ix_(own, own)].sum(axis=1)
            assert d[medoid, own].sum() == pytest.approx(totals.min())


def test_k_from_the_number_of_distinct_rows_on_is_left_out():
    d = np.kron(1 - np.eye(4), np.ones((10, 10))).astype(np.float32)  # 4 distinct, 10 of each
    for algorithm in ("fasterpam", "average"):
        grid = clusterings(some_features(len(d)), d, [2, 3, 4, 5, 40, 90], algorithm)
        assert [found.k for found in grid] == [2, 3]
    assert k_medoids.grid(np.zeros((3, 3), np.float32), [1, 2]) == []


def by_row(d, weights):
    """What each row costs at each medoid, as `grid` hands it to a swap."""
    return d * weights[None, :]


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 25), k=st.integers(1, 4))
def test_no_single_swap_lowers_the_loss_of_the_rows_repeated(seed, n, k):
    k = min(k, n - 1)
    rng = np.random.default_rng(seed)
    d, times = distances(seed, n, levels=2), rng.integers(1, 9, n)
    first = np.sort(rng.choice(n, k, replace=False)) if k > 1 else k_medoids.build(d, 1, times)
    ended = k_medoids.fasterpam(by_row(d, times.astype(float)), first)
    repeated = np.repeat(np.arange(n), times)
    all_d = d[np.ix_(repeated, repeated)]
    places = [int(np.flatnonzero(repeated == m)[0]) for m in ended]
    least = loss(all_d, places)
    for place in range(k):
        for j in range(len(repeated)):
            assert loss(all_d, [*places[:place], j, *places[place + 1 :]]) >= least - 1e-5


@pytest.mark.parametrize("double", [0, k_medoids.DOUBLE])
@pytest.mark.parametrize("seed", range(6))
def test_weights_are_as_good_as_rows_repeated_in_either_precision(seed, double):
    rng = np.random.default_rng(seed)
    d, times = distances(seed, 200), rng.integers(1, 9, 200)
    every = np.repeat(np.arange(200), times)
    ks = [2, 5, 20, 60]
    whole = k_medoids.grid(np.ascontiguousarray(d[np.ix_(every, every)]), ks)
    with mock.patch.object(k_medoids, "DOUBLE", double):
        once = k_medoids.grid(d, ks, weights=times)
    for one, other in zip(once, whole, strict=True):
        assert one.loss <= 1.01 * other.loss
        assert one.loss == pytest.approx((d[one.medoids].min(axis=0) * times).sum(), rel=1e-6)


@pytest.mark.parametrize("weights", [np.ones(5), np.array([1.0, 1, 1, 1, 9])])
def test_a_heavy_row_draws_the_medoid(weights):
    line = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0))).astype(np.float32)
    (clustering,) = k_medoids.grid(line, [1], weights=weights)
    assert clustering.medoids.tolist() == [4 if weights[4] > 1 else 2]


def test_where_all_is_at_one_place_it_ends():
    assert len(k_medoids.fasterpam(np.zeros((6, 6), np.float32), np.array([0, 1]))) == 2


@pytest.mark.parametrize("swap", [k_medoids.fasterpam, k_medoids.pam, k_medoids.alternate])
@pytest.mark.parametrize("k", [2, 9])
def test_it_changes_nothing_that_it_was_given(swap, k):
    d, first = distances(3, 80), np.arange(k)
    before = d.copy()
    swap(d, first)
    np.testing.assert_array_equal(first, np.arange(k))
    np.testing.assert_array_equal(d, before)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_grid_is_the_same_whatever_the_number_of_threads(weighted):
    d = distances(4, 300, levels=3)
    weights = np.random.default_rng(1).integers(1, 9, 300).astype(float) if weighted else None
    grids = []
    for threads in (1, 2):
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        grids.append(k_medoids.grid(d, [3, 30], weights=weights))
    for one, other in zip(*grids, strict=True):
        np.testing.assert_array_equal(one.medoids, other.medoids)
        np.testing.assert_array_equal(one.labels, other.labels)
