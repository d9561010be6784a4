import numpy as np
import pytest
import torch

from tagsight.looks.autoencoder import PRESETS, build
from tagsight.looks.embeddings import choose_device, embed, single_threaded


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (23, 128, 128), dtype=np.uint8)


@pytest.mark.parametrize("preset", PRESETS)
def test_agrees_with_the_network_itself(preset, images):
    model = build(preset)
    with torch.inference_mode():
        expected = model.encode(torch.from_numpy(images[:, None] / np.float32(255)))
    found = embed(model, images, batch=10, device="cpu", threads=2)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-3, atol=1e-4)
    assert found.dtype == np.float32


def test_number_of_threads_does_not_show(images):
    model = build("small")
    one, two = (embed(model, images, batch=5, device="cpu", threads=t) for t in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_failed_images_are_nan(images):
    failed = np.arange(23) % 5 == 0
    found = embed(build("small"), images, batch=10, device="cpu", threads=1, failed=failed)
    assert np.array_equal(np.isnan(found).all(1), failed)
    assert np.array_equal(np.isnan(found).any(1), failed)


def test_torchs_own_threads_come_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with single_threaded(2) as pool:
        assert set(pool.map(lambda _: torch.get_num_threads(), range(4))) == {1}
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_device_by_name():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
