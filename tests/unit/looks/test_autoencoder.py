import pytest
import torch
from torch import nn

from tagsight.looks.embedders import PRESETS


def convolutions(module):
    return [
        (layer.in_channels, layer.out_channels, layer.kernel_size[0])
        for layer in module.modules()
        if isinstance(layer, nn.Conv2d)
    ]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_images_come_back_in_their_shape(preset):
    model, images = preset.network(), torch.rand(3, 1, 128, 128)
    found = model(images)
    assert found.shape == images.shape
    assert torch.equal(found, model.decode(model.encode(images)))


def test_paper_preset_is_the_papers():
    """§2.4: filters 3 × 3 and 2 × 2 with 64 and 20, max pooling; 2 × 2 and 3 × 3 and back."""
    model = PRESETS["paper"].network()
    assert convolutions(model.encoder) == [(1, 64, 3), (64, 20, 2)]
    assert convolutions(model.decoder) == [(20, 20, 2), (20, 64, 3), (64, 1, 3)]
    assert isinstance(model.encoder[-1], nn.MaxPool2d)
    assert model.encode(torch.rand(2, 1, 128, 128)).shape == (2, 64 * 64 * 20)
    assert model(torch.rand(2, 1, 128, 128)).min() >= 0
    assert isinstance(PRESETS["paper"].optimizer(model, 0.001), torch.optim.RMSprop)


def test_small_preset_is_small():
    assert PRESETS["small"].network().encode(torch.rand(2, 1, 128, 128)).shape[1] <= 512


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_an_embedding_does_not_depend_on_the_other_images(preset):
    model, images = preset.network().train(), torch.rand(4, 1, 128, 128)
    alone = model.encode(images[:1])
    torch.testing.assert_close(model.encode(images)[:1], alone, rtol=1e-4, atol=1e-5)
