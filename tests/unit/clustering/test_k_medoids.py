"""k-medoids against kmedoids' own BUILD, a plain PAM, and the optimum by brute force."""

from itertools import combinations

import kmedoids
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import adjusted_rand_score

from tagsight.clustering import k_medoids
from tagsight.clustering.algorithms import clusterings


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
    grid = clusterings(None, d, [9, 2, 4, 9], algorithm)
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
    for algorithm in ("fasterpam", "pam"):
        (found,) = k_medoids.grid(d, [k], algorithm)
        assert found.loss <= 1.01 * plain


def test_average_linkage_is_scipys():
    d = distances(7, 120)
    merges = linkage(squareform(d, checks=False), "average")
    for found in clusterings(None, d, [2, 5, 11], "average"):
        wanted = fcluster(merges, found.k, "maxclust")
        assert adjusted_rand_score(wanted, found.labels) == 1
        for c, medoid in enumerate(found.medoids):
            own = np.flatnonzero(found.labels == c)
            totals = d[np.ix_(own, own)].sum(axis=1)
            assert d[medoid, own].sum() == pytest.approx(totals.min())


def test_k_from_the_number_of_distinct_rows_on_is_left_out():
    d = np.kron(1 - np.eye(4), np.ones((10, 10))).astype(np.float32)  # 4 distinct, 10 of each
    for algorithm in ("fasterpam", "average"):
        assert [found.k for found in clusterings(None, d, [2, 3, 4, 5, 40, 90], algorithm)] == [
            2,
            3,
        ]
    assert k_medoids.grid(np.zeros((3, 3), np.float32), [1, 2]) == []


def test_a_medoid_stays_in_its_own_cluster_beside_its_duplicate():
    # Row 2 is at distance 0 from medoids 0 and 1, which differ: with missing values that happens.
    d = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], np.float32)
    found = k_medoids.nearest(d, np.array([2, 0]))
    assert found.labels[found.medoids].tolist() == [0, 1]
