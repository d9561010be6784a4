import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from tagsight.evaluation.centres import cosine_distances, distances_to_centres, inner_products


def slow(embeddings, labels):
    """Straight from the definition: each image and the mean of its label's, float64 (n,)."""
    rows = embeddings.astype(float)
    centres = np.stack([rows[labels == label].mean(0) for label in labels])
    return np.diag(cdist(rows, centres, "cosine"))


@settings(max_examples=60)
@given(
    n=st.integers(1, 30), d=st.integers(4, 9), labels=st.integers(1, 6), seed=st.integers(0, 999)
)
def test_agrees_with_the_definition(n, d, labels, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(0.5, 1, (n, d)).astype(np.float32)
    several = rng.integers(0, labels, (3, n)) * 7 - 3
    found = distances_to_centres(inner_products(rows), several)
    for one, label in zip(found, several, strict=True):
        np.testing.assert_allclose(one, slow(rows, label), atol=2e-5)


def test_a_zero_embedding_is_at_distance_one():
    rows = np.array([[1, 2], [3, 4], [0, 0]], np.float32)
    found = distances_to_centres(inner_products(rows), np.zeros((1, 3), int))
    assert found[0, 2] == 1
    assert found[0, 0] == pytest.approx(0, abs=0.01)


def test_noise_lowers_the_distance_as_labels_get_more():
    rng = np.random.default_rng(1)
    rows = rng.normal(0.3, 1, (400, 20)).astype(np.float32)
    labels = np.stack([rng.integers(0, k, 400) for k in (2, 100)])
    few, many = distances_to_centres(inner_products(rows), labels).mean(axis=1)
    assert many < few - 0.1


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
        products = inner_products(rows)
        found = distances_to_centres(products, labels)
        results.append(found.tobytes() + cosine_distances(products).tobytes())
    numba.set_num_threads(before)
    assert results[0] == results[1]
