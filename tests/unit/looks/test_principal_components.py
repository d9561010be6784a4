import numpy as np
import pytest
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from tagsight.looks import principal_components as module
from tagsight.looks.principal_components import PrincipalComponents, principal_components


@pytest.fixture
def images():
    """Images that vary in some directions more than in others."""
    rng = np.random.default_rng(0)
    shapes = rng.random((6, 8, 8)) * np.array([60, 40, 25, 15, 10, 5])[:, None, None]
    mixed = np.einsum("nk,kyx->nyx", rng.random((90, 6)), shapes)
    return np.kron(mixed, np.ones((16, 16))).astype(np.uint8)


def test_they_are_scikit_learns(images):
    found = principal_components(images)
    reference = PCA(5, svd_solver="full").fit(images.reshape(90, -1) / 255)
    assert (found.shape, found.dtype) == ((64, 128 * 128), np.float32)
    for ours, theirs in zip(found[:5], reference.components_, strict=True):
        assert abs(ours @ theirs) == pytest.approx(1, abs=1e-4)
        assert ours[np.abs(ours).argmax()] > 0
    described = PrincipalComponents(found).embed(images)
    expected = images.reshape(90, -1) / 255 @ found.T.astype(np.float64)
    np.testing.assert_allclose(described, expected, rtol=1e-4, atol=1e-4)
    assert described.dtype == np.float32


def test_columns_in_hand_do_not_matter_much_and_threads_not_at_all(images, monkeypatch):
    with threadpool_limits(1):
        one = principal_components(images)
        described = PrincipalComponents(one).embed(images)
    with threadpool_limits(2):
        assert principal_components(images).tobytes() == one.tobytes()
        assert PrincipalComponents(one).embed(images).tobytes() == described.tobytes()
    monkeypatch.setattr(module, "COLUMNS", 777)
    np.testing.assert_allclose(principal_components(images)[:5], one[:5], atol=1e-4)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_fewer_images_than_directions_leave_zeros(images, n):
    found = principal_components(images[:n])
    lengths = np.linalg.norm(found, axis=1)
    assert (lengths > 0.5).sum() == n - 1
    np.testing.assert_allclose(lengths[lengths > 0], 1, atol=1e-5)


def test_an_image_alone_is_described_as_among_others(images):
    embedder = PrincipalComponents(principal_components(images))
    together = embedder.embed(images)
    assert embedder.embed(images[7:8]).tobytes() == together[7:8].tobytes()
