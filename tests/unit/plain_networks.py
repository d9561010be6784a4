"""The networks of the presets as one first writes them: the reference of their tests."""

from itertools import pairwise

from torch import nn


def plain(preset):
    """Return the network of a preset, layer by layer; its parameters have the order of ours."""
    return {"paper": _paper, "small": _small}[preset]()


def _paper():
    return nn.Sequential(
        nn.Conv2d(1, 64, 3, padding=1),
        nn.ReLU(),
        nn.ZeroPad2d((0, 1, 0, 1)),
        nn.Conv2d(64, 20, 2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.ZeroPad2d((0, 1, 0, 1)),
        nn.Conv2d(20, 20, 2),
        nn.ReLU(),
        nn.Conv2d(20, 64, 3, padding=1),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(64, 1, 3, padding=1),
        nn.Sigmoid(),
    )


def _small():
    widths = (16, 32, 64, 64, 64)
    down, up = [], []
    for before, after in pairwise((1, *widths)):
        down += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GELU()]
    for before, after in pairwise((*widths[::-1], 1)):
        up += [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1), nn.GELU()]
    across = [nn.Flatten(), nn.Linear(1024, 128), nn.Linear(128, 1024), nn.GELU()]
    return nn.Sequential(*down, *across, nn.Unflatten(1, (64, 4, 4)), *up[:-1])
