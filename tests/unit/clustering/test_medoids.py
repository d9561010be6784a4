"""Rows put to medoids, and clusters' central members, on distances small enough to see through."""

import numpy as np
import pytest

from tagsight.clustering.medoids import central, nearest

LINE = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0))).astype(np.float32)


def test_a_medoid_stays_in_its_own_cluster_beside_its_duplicate():
    # Row 2 is at distance 0 from medoids 0 and 1, which differ: with missing values that happens.
    d = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], np.float32)
    clustering = nearest(d, np.array([2, 0]))
    assert clustering.labels[clustering.medoids].tolist() == [0, 1]


def test_clusters_are_numbered_by_weight_and_the_loss_counts_it():
    weights = np.array([1.0, 1, 1, 1, 9])
    clustering = nearest(LINE, np.array([1, 4]), weights)
    assert clustering.medoids.tolist() == [4, 1]
    assert clustering.labels.tolist() == [1, 1, 1, 0, 0]
    assert clustering.loss == 1 + 0 + 1 + 1 + 0


def test_the_central_member_is_that_of_least_distance_to_the_others_of_its_cluster():
    clustering = central(LINE, np.array([0, 0, 0, -1, 1]))
    assert clustering.medoids.tolist() == [1, 4]
    assert clustering.labels.tolist() == [0, 0, 0, -1, 1]
    assert clustering.loss == pytest.approx(2)
