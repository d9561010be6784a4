"""HDBSCAN's clusterings for a grid of K, against scikit-learn's at every size."""

import numpy as np
import pytest
from feature_tables import features
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

from tagsight.clustering import hdbscan
from tagsight.gower import metric


def at_every_size(d):
    """Number of clusters -> labellings of all least sizes of a cluster."""
    found = {}
    for size in range(2, len(d) // 2 + 1):
        model = HDBSCAN(metric="precomputed", min_cluster_size=size, min_samples=5, copy=True)
        labels = model.fit(d).labels_
        found.setdefault(labels.max() + 1, []).append(labels)
    found.pop(0, None)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_it_is_one_of_those_nearest_in_number(seed):
    table, _ = features(seed, 120, groups=8, noise=0.25)
    d = metric.matrix(table)
    every = at_every_size(d)
    for k in (2, 5, 30):
        (labels,) = hdbscan.labellings(d, [k])
        count = labels.max() + 1
        assert any(np.array_equal(labels, other) for other in every[count])
        tried = {hdbscan._fit(d, size).max() + 1 for size in hdbscan._sizes(len(d))} - {0}
        assert abs(count - k) == min(abs(other - k) for other in tried)


def test_a_number_of_clusters_comes_once_and_numbers_rise():
    d = metric.matrix(features(1, 100, groups=5)[0])
    counts = [labels.max() + 1 for labels in hdbscan.labellings(d, [5, 6, 50, 2])]
    assert counts == sorted(set(counts))


def test_what_is_far_from_all_is_in_none():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 0.01, 30), rng.normal(1, 0.01, 30), [-4, 5, 10]])
    d = np.abs(x[:, None] - x).astype(np.float32)
    (labels,) = hdbscan.labellings(d, [2])
    assert (labels[-3:] == -1).all()
    assert adjusted_rand_score(labels[:60], np.repeat([0, 1], 30)) == 1


def test_equal_rows_and_too_few_rows():
    x = np.repeat([0.0, 0.4, 1.0], 20)
    d = np.abs(x[:, None] - x).astype(np.float32)
    (labels,) = hdbscan.labellings(d, [3])
    assert adjusted_rand_score(labels, np.arange(60) // 20) == 1
    assert hdbscan.labellings(d[:3, :3], [2]) == []
    assert hdbscan.labellings(np.zeros((40, 40), np.float32), [2]) == []
