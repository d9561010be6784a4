import numpy as np
import pytest
import torch

from tagsight.looks.embedders import PRESETS
from tagsight.looks.embeddings import Encoder, choose_device, single_threaded


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (23, 128, 128), dtype=np.uint8)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_agrees_with_the_network_itself(preset, images):
    model = preset.network()
    with torch.inference_mode():
        expected = model.encode(torch.from_numpy(images[:, None] / np.float32(255)))
    found = Encoder(model, "cpu", threads=2).embed(images)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-3, atol=1e-4)
    assert found.dtype == np.float32


def test_number_of_threads_does_not_show(images):
    model = PRESETS["small"].network()
    one, two = (Encoder(model, "cpu", threads).embed(images) for threads in (1, 2))
    assert one.tobytes() == two.tobytes()


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
