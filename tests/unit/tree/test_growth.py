import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.clustering import k_medoids
from tagsight.gower import metric
from tagsight.gower.features import Features
from tagsight.tree.growth import REST, Rows, grown


def rows(seed, n=60, regions=3, weights=None):
    """Rows of a kind: a region each (the last states none), and two columns of technique."""
    rng = np.random.default_rng(seed)
    region = rng.integers(-1, regions, n).astype(np.int32)
    numeric = rng.random((n, 2)).astype(np.float32)
    weight = np.array([0.3, 0.3], np.float32), np.array([0.4], np.float32)
    features = Features(numeric, region[:, None], *weight)
    each = np.ones(n) if weights is None else weights
    return Rows(features, metric.matrix(features), each, region, "fasterpam")


def clusters_of(step, region):
    return set(np.unique(step.clustering.labels[region]).tolist())


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(1, 12))
def test_each_step_has_one_cluster_more_and_less_loss(seed, most):
    steps = list(grown(rows(seed), most, least=3))
    assert [step.clustering.k for step in steps] == list(range(1, len(steps) + 1))
    losses = [step.clustering.loss for step in steps]
    assert losses == sorted(losses, reverse=True)
    assert all(step.gain > 0 for step in steps[1:])


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_a_region_that_was_taken_out_shares_no_cluster_with_others(seed):
    kind = rows(seed)
    for step in grown(kind, 10, least=3):
        for cluster, region in enumerate(step.regions.tolist()):
            inside = set(kind.region[step.clustering.labels == cluster].tolist())
            if region == REST:
                assert not inside & (set(step.regions.tolist()) - {REST})
            else:
                assert inside == {region}


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_regions_are_taken_out_before_anything_is_divided_by_technique(seed):
    kind = rows(seed)
    for step in grown(kind, 10, least=3):
        taken = set(step.regions.tolist()) - {REST}
        if len(taken) < 3:
            assert step.clustering.k == len(taken) + 1


def test_the_loss_is_that_of_the_distances_to_the_medoids():
    kind = rows(1, weights=np.random.default_rng(1).integers(1, 5, 60).astype(np.float64))
    for step in grown(kind, 8, least=3):
        found = step.clustering
        to_medoid = kind.distances[np.arange(60), found.medoids[found.labels]]
        assert found.loss == pytest.approx((to_medoid * kind.weights).sum(), rel=1e-5)
        assert (found.labels[found.medoids] == np.arange(found.k)).all()


def test_the_gain_is_the_fall_of_the_loss_by_the_root_of_the_images_that_it_divides():
    kind = rows(2)
    first, second, *_ = grown(kind, 2, least=3)
    region = max(second.regions.tolist())
    fall = first.clustering.loss - second.clustering.loss
    assert second.gain == pytest.approx(fall / np.sqrt((kind.region == region).sum()), rel=1e-5)


def test_a_small_region_stays_in_the_rest():
    kind = rows(3)
    few = np.flatnonzero(kind.region == 2)[2:]
    region = kind.region.copy()
    region[few] = REST
    *_, last = grown(Rows(kind.features, kind.distances, kind.weights, region, "fasterpam"), 10, 3)
    assert 2 not in last.regions


def test_without_regions_it_is_k_medoids():
    kind = rows(4)
    none = np.full(60, REST, np.int32)
    steps = list(grown(Rows(kind.features, kind.distances, kind.weights, none, "fasterpam"), 6, 3))
    for step in steps[1:]:
        (expected,) = k_medoids.grid(kind.distances, [step.clustering.k])
        assert step.clustering.loss == pytest.approx(expected.loss, rel=1e-6)


def test_it_ends_where_no_step_gains():
    same = np.zeros((5, 5), np.float32)
    features = Features(
        np.zeros((5, 1), np.float32),
        np.zeros((5, 0), np.int32),
        np.ones(1, np.float32),
        np.empty(0, np.float32),
    )
    kind = Rows(features, same, np.ones(5), np.full(5, REST, np.int32), "fasterpam")
    assert [step.clustering.k for step in grown(kind, 5, 3)] == [1]
