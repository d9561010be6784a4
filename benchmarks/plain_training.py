"""The autoencoders and their training as one first writes them: the peers of looks.py.

The networks are the reference of the tests too: layer by layer, with parameters in our order.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from tagsight.arrays import UInt8s
from tagsight.looks.embedders import PRESETS

BATCH, PIECE, RATE = 40, 10, 1e-3


def plain(preset: str) -> nn.Sequential:
    """Return the network of a preset, with padding, upsampling and ReLU as layers of their own."""
    return {"paper": _paper, "small": _small}[preset]()


def eager(preset: str, images: UInt8s) -> None:
    """Train for one epoch, a batch at a time, as in a textbook."""
    model = plain(preset)
    steps = PRESETS[preset].optimizer(model, RATE)  # type: ignore[arg-type]
    for batch in torch.from_numpy(images).split(BATCH):
        pixels = batch.unsqueeze(1).float() / 255
        steps.zero_grad()
        nn.functional.mse_loss(model(pixels), pixels).backward()
        steps.step()


def pieces_of_ten(preset: str, images: UInt8s) -> None:
    """Train for one epoch with filters in channels_last, and gradients of 10 images summed.

    So did tagsight before the networks of `tagsight.looks.autoencoder` had layers of their own.
    """
    model: Any = plain(preset).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = PRESETS[preset].optimizer(model, RATE)
    parameters = list(model.parameters())
    for batch in torch.from_numpy(images).split(BATCH):
        parts = [_gradient(model, piece, len(batch)) for piece in batch.split(PIECE)]
        for parameter, *gradients in zip(parameters, *parts, strict=True):
            parameter.grad = sum(gradients)
        steps.step()


def _gradient(model: nn.Module, piece: Tensor, batch: int) -> tuple[Tensor, ...]:
    pixels = piece.unsqueeze(1).float() / 255
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    loss = (model(pixels) - pixels).square().mean(dim=(1, 2, 3)).sum() / batch
    return torch.autograd.grad(loss, list(model.parameters()))


def _paper() -> nn.Sequential:
    return nn.Sequential(
        nn.ZeroPad2d(1),
        nn.Conv2d(1, 64, 3),
        nn.ReLU(),
        nn.ZeroPad2d((0, 1, 0, 1)),
        nn.Conv2d(64, 20, 2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.ZeroPad2d((0, 1, 0, 1)),
        nn.Conv2d(20, 20, 2),
        nn.ReLU(),
        nn.ZeroPad2d(1),
        nn.Conv2d(20, 64, 3),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.ZeroPad2d(1),
        nn.Conv2d(64, 1, 3),
        nn.Sigmoid(),
    )


def _small() -> nn.Sequential:
    widths = (16, 32, 64, 64, 64)
    down: list[nn.Module] = []
    for before, after in pairwise((1, *widths)):
        down += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GELU()]
    up: list[nn.Module] = []
    for before, after in pairwise((*widths[::-1], 1)):
        up += [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1), nn.GELU()]
    across = [nn.Flatten(), nn.Linear(1024, 128), nn.Linear(128, 1024), nn.GELU()]
    return nn.Sequential(*down, *across, nn.Unflatten(1, (64, 4, 4)), *up[:-1])
