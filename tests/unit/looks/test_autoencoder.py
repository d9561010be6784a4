import pytest
import torch
from plain_training import plain
from torch import nn

from tagsight.looks.autoencoder import GreyConv2d, UpsampledConv2d
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
    assert isinstance(model.encoder[-2], nn.MaxPool2d)
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


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        yield


def deviation(one, other):
    """The length of the difference over that of the other."""
    return ((one - other).norm() / other.norm()).item()


def agree(ours, theirs, images):
    """Outputs and gradients are equal, of float64, whose digits show that it is one function."""
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.nn.init.normal_(one, std=0.2)
        other.data.copy_(one.data)
    images.requires_grad_()
    found, expected = ours(images), theirs(images)
    assert found.shape == expected.shape
    assert deviation(found, expected) < 1e-12
    direction = torch.rand_like(found)
    gradients = (
        torch.autograd.grad(result, [images, *network.parameters()], direction)
        for result, network in ((found, ours), (expected, theirs))
    )
    for one, other in zip(*gradients, strict=True):
        assert deviation(one, other) < 1e-12


@pytest.mark.parametrize("preset", PRESETS)
def test_the_network_is_the_plain_one(preset):
    model, reference = PRESETS[preset].network().double(), plain(preset).double()
    agree(model, reference, torch.rand(3, 1, 128, 128, dtype=torch.float64))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_network_is_the_plain_one_in_the_precision_of_training(preset):
    model, reference = PRESETS[preset].network(), plain(preset)
    for one, other in zip(model.parameters(), reference.parameters(), strict=True):
        other.data.copy_(one.data)
    images, found = torch.rand(4, 1, 128, 128), []
    for network in (model, reference):
        again = network(images)
        loss = (again - images).square().mean()
        found.append((again, *torch.autograd.grad(loss, list(network.parameters()))))
    (again, *ours), (expected, *theirs) = found
    assert deviation(again, expected) < 1e-6
    for one, other in zip(ours, theirs, strict=True):  # of pixels alike, another may be the maximum
        assert deviation(one, other) < 1e-3


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 5), (7, 4)])
def test_upsampling_and_convolution_are_one_layer(height, width):
    ours = UpsampledConv2d(3, 2).double()
    theirs = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 2, 3, padding=1)).double()
    agree(ours, theirs, torch.rand(2, 3, height, width, dtype=torch.float64))


@pytest.mark.parametrize("stride", [1, 2])
def test_a_second_channel_changes_nothing(stride):
    ours = GreyConv2d(5, stride).double()
    theirs = nn.Conv2d(1, 5, 3, stride, padding=1).double()
    agree(ours, theirs, torch.rand(2, 1, 6, 8, dtype=torch.float64))


def test_a_border_is_zeros_after_relu():
    ours = nn.Sequential(GreyConv2d(5, bordered=True), nn.ReLU(inplace=True)).double()
    theirs = nn.Sequential(
        nn.Conv2d(1, 5, 3, padding=1), nn.ReLU(), nn.ZeroPad2d((0, 1, 0, 1))
    ).double()
    agree(ours, theirs, torch.rand(2, 1, 6, 8, dtype=torch.float64))
