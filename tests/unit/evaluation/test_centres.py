import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from tagsight.evaluation.centres import cosine_distances, inner_products
from tagsight.evaluation.centres import distances_to_centres as from_products


def distances_to_centres(rows, labels, units):
    return from_products(inner_products(rows), labels, units)


def slow_cosine(image, centre):
    return 1 - image @ centre / max(np.linalg.norm(image) * np.linalg.norm(centre), 1e-30)


def slow(embeddings, labels, units):
    """Straight from the definition, one image at a time: (n,), (n,)."""
    rows = embeddings.astype(float)
    in_sample, left_out = [], []
    for i in range(len(rows)):
        others = units != units[i]
        inside = others & (labels == labels[i])
        chosen = inside if inside.any() else others
        in_sample.append(slow_cosine(rows[i], rows[labels == labels[i]].mean(0)))
        centre = rows[chosen].mean(0) if chosen.any() else np.zeros(rows.shape[1])
        left_out.append(slow_cosine(rows[i], centre))
    return np.array(in_sample), np.array(left_out)


@settings(max_examples=60)
@given(
    n=st.integers(1, 30),
    d=st.integers(4, 9),
    clusters=st.integers(1, 6),
    units=st.integers(1, 12),
    seed=st.integers(0, 999),
)
def test_agrees_with_the_definition(n, d, clusters, units, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(0.5, 1, (n, d)).astype(np.float32)
    labels, own = rng.integers(0, clusters, n) * 7 - 3, rng.integers(0, units, n)
    found = distances_to_centres(rows, labels, own)
    for one, other in zip(found, slow(rows, labels, own), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_many_clusterings_at_once_are_the_same_as_one_by_one():
    rng = np.random.default_rng(0)
    rows = rng.random((50, 6), np.float32)
    labels, units = rng.integers(0, 4, (5, 50)), rng.integers(0, 20, 50)
    together = distances_to_centres(rows, labels, units)
    for m in range(5):
        alone = distances_to_centres(rows, labels[m], units)
        assert np.array_equal(together.in_sample[m], alone.in_sample)
        assert np.array_equal(together.left_out[m], alone.left_out)


def test_a_cluster_of_a_single_patient_explains_nothing():
    rows = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], np.float32)
    found = distances_to_centres(rows, np.array([0, 0, 1, 1]), np.array([5, 5, 6, 7]))
    away = slow_cosine(rows[0].astype(float), rows[2:].astype(float).mean(0))
    assert found.left_out[0] == pytest.approx(away)
    assert found.in_sample[0] < 0.01 < found.left_out[0]


def test_a_single_patient_and_a_zero_embedding_are_at_distance_one():
    rows = np.array([[1, 2], [3, 4], [0, 0]], np.float32)
    found = distances_to_centres(rows, np.zeros(3, int), np.zeros(3, int))
    assert found.left_out.tolist() == [1, 1, 1]
    assert found.in_sample[2] == 1


def test_noise_lowers_the_in_sample_distance_alone():
    rng = np.random.default_rng(1)
    rows = rng.normal(0.3, 1, (400, 20)).astype(np.float32)
    labels = np.stack([rng.integers(0, k, 400) for k in (2, 100)])
    few, many = (each.mean(1) for each in distances_to_centres(rows, labels, np.arange(400)))
    assert few[1] < few[0] - 0.1
    assert many[1] > many[0]


def test_distance_matrix_agrees_with_scipy():
    rows = np.random.default_rng(2).normal(size=(70, 33)).astype(np.float32)
    found = cosine_distances(inner_products(rows))
    np.testing.assert_allclose(found, cdist(rows, rows, "cosine"), atol=1e-6)
    assert np.array_equal(found, found.T)
    assert (np.diag(found) == 0).all()
    assert found.dtype == np.float32


def test_distance_matrix_of_zero_embeddings_is_finite():
    found = cosine_distances(inner_products(np.array([[0, 0], [0, 0], [1, 0]], np.float32)))
    assert found.tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]


def test_number_of_threads_does_not_show():
    rng = np.random.default_rng(3)
    rows, labels = rng.random((300, 40), np.float32), rng.integers(0, 9, (8, 300))
    before = numba.get_num_threads()
    results = []
    for threads in (1, before):
        numba.set_num_threads(threads)
        found = distances_to_centres(rows, labels, np.arange(300) // 2)
        results.append(found.left_out.tobytes() + cosine_distances(inner_products(rows)).tobytes())
    numba.set_num_threads(before)
    assert results[0] == results[1]
