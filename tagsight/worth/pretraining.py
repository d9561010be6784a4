"""Small networks that learn to tell classes of images apart, and then describe other images.

What a network has learned to tell shows in how it describes images that it has not seen. All have
one design and one course of training, so that what differs is the classes alone. Dropout, shifts
and changes of contrast keep a network of some hundred images from learning them by heart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from tagsight.arrays import Float32s, Int64s, UInt8s
from tagsight.looks.autoencoder import SIZE
from tagsight.looks.embeddings import single_threaded
from tagsight.run.progress import ProgressCounter

SIDE = 64  # pixels
LENGTH = 64  # of a description
EPOCHS = 25
BATCH = 32  # images in a step
PIECE = 64  # images that are described at a time
RATE = 2e-3  # of learning, at its peak
DROPPED = 0.3  # share of the values that the last layers do not see in a step
SHIFT = 2  # pixels, at most
CONTRAST = (0.8, 1.2)


@dataclass(frozen=True)
class _Task:
    """A network, the classes int64 (n,) of its images (None: it learns nothing), and its seed."""

    body: nn.Sequential
    head: nn.Linear
    classes: Int64s | None
    seed: int


def shrunk(images: UInt8s) -> UInt8s:
    """Return images uint8 (n, 128, 128) at a quarter of the pixels, (n, 64, 64): means of four."""
    step = SIZE // SIDE
    means = images.reshape(-1, SIDE, step, SIDE, step).mean(axis=(2, 4), dtype=np.float32)
    return np.rint(means).astype(np.uint8)


def descriptions(
    labellings: Mapping[str, Int64s | None],
    images: UInt8s,
    others: UInt8s,
    *,
    networks: int,
    seed: int,
    threads: int,
    progress: ProgressCounter | None = None,
    epochs: int = EPOCHS,
) -> dict[str, list[Float32s]]:
    """Return how networks that learned labellings of images describe other images.

    labellings: name → classes int64 (n,), from 0; None is a network of random weights.
    images, others: uint8 (n, 64, 64) and (m, 64, 64).
    networks: to train for each labelling; one of a number begins alike for all labellings.
    Returns name → for each network float32 (m, 64). A network is trained on one thread, so that the
    bytes do not depend on their number.
    """
    tasks = [
        _task(classes, [seed, number])
        for classes in labellings.values()
        for number in range(networks)
    ]
    mean = float(images.mean() / 255)

    def run(task: _Task) -> Float32s:
        _train(task, images, mean, epochs)
        if progress:
            progress.add(1)
        return _described(task, others, mean)

    with single_threaded(threads) as pool:
        parts = list(pool.map(run, tasks))
    return {name: parts[i * networks : (i + 1) * networks] for i, name in enumerate(labellings)}


def _task(classes: Int64s | None, seed: list[int]) -> _Task:
    """A fresh network; its random weights depend on the seed alone."""
    state = int(np.random.default_rng(seed).integers(2**62))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(state)
        body = _body()
        head = nn.Linear(LENGTH, 1 if classes is None else int(classes.max()) + 1)
    return _Task(body, head, classes, state)


def _body(widths: tuple[int, ...] = (16, 32, 64, 64)) -> nn.Sequential:
    """Four convolutions that each halve the image, and a layer to a description."""
    layers: list[nn.Module] = [nn.Conv2d(1, widths[0], 3, stride=2, padding=1), nn.ReLU()]
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    corner = SIDE >> len(widths)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * corner**2, LENGTH))


def _train(task: _Task, images: UInt8s, mean: float, epochs: int) -> None:
    if task.classes is None:
        return
    parameters = [*task.body.parameters(), *task.head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=RATE)
    steps = epochs * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    classes = torch.from_numpy(task.classes)
    random = np.random.default_rng(task.seed)
    for _ in range(epochs):
        order = random.permutation(len(images))
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            pixels = _varied(_input(images[rows], mean), random)
            hidden = _dropped(task.body[:-1](pixels), random)
            described = torch.relu(task.body[-1](hidden))
            loss = nn.functional.cross_entropy(task.head(described), classes[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()


def _input(images: UInt8s, mean: float) -> Tensor:
    return torch.from_numpy(images[:, None].astype(np.float32)) / 255 - mean


def _varied(pixels: Tensor, random: np.random.Generator) -> Tensor:
    """A batch, shifted and of another contrast."""
    down, right = random.integers(-SHIFT, SHIFT + 1, 2).tolist()
    return torch.roll(pixels, (down, right), (2, 3)) * random.uniform(*CONTRAST)


def _dropped(hidden: Tensor, random: np.random.Generator) -> Tensor:
    """Values with a share of them at 0; torch's own dropout has one state for all threads."""
    kept = random.random(tuple(hidden.shape), dtype=np.float32) >= DROPPED
    return hidden * torch.from_numpy(kept.astype(np.float32)) / (1 - DROPPED)


def _described(task: _Task, images: UInt8s, mean: float) -> Float32s:
    with torch.inference_mode():
        parts = [
            torch.relu(task.body(_input(images[first : first + PIECE], mean))).numpy()
            for first in range(0, len(images), PIECE)
        ]
    return np.concatenate(parts) if parts else np.zeros((0, LENGTH), np.float32)
