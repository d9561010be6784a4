"""What all clusterings have in common, and those that have no module of their own."""

import os
import re
from pathlib import Path

import kmedoids
import numpy as np
import pytest
import yaml
from feature_tables import features
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from study import methods
from tagsight.clustering import k_medoids
from tagsight.clustering.algorithms import ALGORITHMS, clusterings, remark
from tagsight.gower import metric
from tagsight.gower.features import Features

CLONE = Path(__file__).parents[3]
KS = [2, 4, 7, 11]


def found_by(algorithm, table, ks):
    return clusterings(table, metric.matrix(table), ks, algorithm)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 60),
    missing=st.sampled_from([0.0, 0.3]),
    groups=st.integers(1, 6),
)
def test_clusters_are_numbered_by_size_and_have_a_member_as_medoid(
    algorithm, seed, n, missing, groups
):
    table, _ = features(seed, n, groups, missing=missing)
    d = metric.matrix(table)
    grid = clusterings(table, d, KS, algorithm)
    ks = [found.k for found in grid]
    assert ks == sorted(set(ks))
    distinct = len(k_medoids.starts(d, range(1, n))) + 1
    if not ALGORITHMS[algorithm].own_number:
        assert ks == ([k for k in KS if k < distinct] or [1])
    for found in grid:
        labels = found.labels
        assert labels.dtype == np.int32
        assert labels.min() >= (-1 if algorithm == "hdbscan" else 0)
        sizes = np.bincount(labels[labels >= 0], minlength=found.k)
        assert len(sizes) == found.k
        assert sizes.min() > 0
        assert (np.diff(sizes) <= 0).all()
        np.testing.assert_array_equal(labels[found.medoids], np.arange(found.k))
        inside = labels >= 0
        loss = d[np.flatnonzero(inside), found.medoids[labels[inside]]].sum(dtype=np.float64)
        assert found.loss == pytest.approx(loss)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_planted_groups_are_found_again_in_the_number_asked_for(algorithm):
    table, group = features(3, 240, groups=7, numeric=8, categorical=8, missing=0.05)
    grid = {found.k: found for found in found_by(algorithm, table, [3, 7, 12])}
    if not ALGORITHMS[algorithm].own_number:
        assert list(grid) == [3, 7, 12]
    assert adjusted_rand_score(group, grid[7].labels) > 0.95


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_twice(algorithm):
    table, _ = features(5, 90, groups=5, missing=0.2, noise=0.3)
    first, second = (found_by(algorithm, table, KS) for _ in range(2))
    assert len(first) == len(second) > 0
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.labels, b.labels)
        np.testing.assert_array_equal(a.medoids, b.medoids)


@pytest.mark.parametrize("algorithm", ["hdbscan", "famd", "kprototypes"])
def test_where_a_method_knows_no_medoids_it_is_the_member_nearest_to_all_others(algorithm):
    table, _ = features(6, 80, missing=0.2, noise=0.2)
    d = metric.matrix(table)
    for found in clusterings(table, d, [2, 4], algorithm):
        for c, medoid in enumerate(found.medoids):
            members = np.flatnonzero(found.labels == c)
            totals = [sum(float(d[i, j]) for j in members) for i in members]
            assert sum(float(d[medoid, j]) for j in members) == pytest.approx(min(totals))


def medoid_silhouette(d, chosen):
    """1 - nearest / second nearest, on average: the formula of the article."""
    two = np.sort(d[chosen].astype(np.float64), axis=0)[:2]
    return np.mean([1 - a / b if b > 0 else 0 for a, b in two.T])


def test_dynmsc_takes_the_best_number_in_each_gap_of_the_grid():
    table, _ = features(8, 150, groups=6, numeric=6, categorical=6, noise=0.1)
    d = metric.matrix(table)
    grid = clusterings(table, d, [4, 9], "dynmsc")
    assert 2 <= grid[0].k <= 4 < grid[1].k <= 9
    assert grid[1].k == 6
    for found, ks in zip(grid, (range(2, 5), range(5, 10)), strict=True):
        best = max(
            medoid_silhouette(d, kmedoids.fastermsc(d, k, random_state=0).medoids) for k in ks
        )
        assert medoid_silhouette(d, found.medoids) >= best - 0.01
        np.testing.assert_array_equal(found.labels, d[found.medoids].argmin(axis=0))


def test_where_equal_rows_are_given_once_only_some_can_take_their_weight():
    table, _ = features(10, 60, groups=6, noise=0.2)
    d, weights = metric.matrix(table), np.random.default_rng(0).integers(1, 9, 60).astype(float)
    every = np.repeat(np.arange(60), weights.astype(int))
    (whole,) = clusterings(table.take(every), d[np.ix_(every, every)], [5], "fasterpam")
    (once,) = clusterings(table, d, [5], "fasterpam", weights)
    assert once.loss == pytest.approx(whole.loss, rel=1e-6)
    for algorithm in [name for name, of in ALGORITHMS.items() if not of.weighted]:
        with pytest.raises(ValueError, match=algorithm):
            clusterings(table, d, [5], algorithm, weights)


def test_it_is_said_where_numbers_are_not_those_asked_for():
    table, _ = features(9, 30, groups=3, noise=0.2)
    grid = found_by("fasterpam", table, [2, 5, 40])
    assert remark([2], grid, "fasterpam") is None
    assert remark([5, 2, 40], grid, "fasterpam").startswith("K = [40]")
    assert "hdbscan" in remark([2], found_by("hdbscan", table, [2]), "hdbscan")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_where_nothing_tells_rows_apart_there_are_no_clusters(algorithm):
    some, _ = features(1, 9, 2, missing=0.0)
    table = some.take(np.zeros(9, int))
    assert [found.k for found in found_by(algorithm, table, KS)] == [1]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_rows_without_features_are_one_cluster_and_no_rows_none(algorithm):
    some, _ = features(1, 9, 2, missing=0.0)
    blank = Features(np.empty((9, 0), np.float32), np.empty((9, 0), np.int32), *[np.ones(0)] * 2)
    assert [found.k for found in found_by(algorithm, blank, KS)] == [1]
    assert found_by(algorithm, some.take(np.zeros(0, int)), KS) == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_where_rows_are_fewer_than_any_k_the_smallest_is_halved(algorithm):
    table, _ = features(3, 8, 4, missing=0.0, noise=0.3)
    ks = [found.k for found in found_by(algorithm, table, [20, 40])]
    if ALGORITHMS[algorithm].own_number:
        assert max(ks) < 8
    else:
        assert ks == [2, 5]
    assert [found.k for found in found_by(algorithm, table.take([0]), KS)] == [1]


def test_the_schema_and_the_pages_name_the_algorithms_that_there_are():
    schema = yaml.safe_load((CLONE / "config/config.schema.yaml").read_text(encoding="utf-8"))
    key = schema["properties"]["cluster"]["properties"]["algorithm"]
    assert key["enum"] == list(ALGORITHMS)
    row = next(
        line
        for line in (CLONE / "config/README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `cluster.algorithm`")
    )
    assert f"| {', '.join(ALGORITHMS)} |" in row
    page = CLONE / "docs/clustering.md"
    if os.environ.get("TAGSIGHT_WRITE_DOCS"):
        stale = re.search(
            r"## The clusterings\n.*?(?=\n+## |\Z)", page.read_text(encoding="utf-8"), re.DOTALL
        )[0]
        page.write_text(
            page.read_text(encoding="utf-8").replace(stale, methods.section().rstrip()),
            encoding="utf-8",
        )
    assert methods.section() in page.read_text(encoding="utf-8")


def test_every_algorithm_is_described():
    for name, algorithm in ALGORITHMS.items():
        assert algorithm.name == name
        assert all((algorithm.summary, algorithm.missing, algorithm.number, algorithm.good_for))
