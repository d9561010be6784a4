"""Training of an autoencoder: resumable, with bytes that do not depend on the number of threads."""

import io
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from tagsight.arrays import Int64s, UInt8s
from tagsight.errors import DataError
from tagsight.looks.autoencoder import Autoencoder
from tagsight.looks.embedders import PRESETS
from tagsight.looks.embeddings import choose_device, piece_of, scaled, single_threaded, to_input
from tagsight.run.atomic import forget_state, read_state, write_state
from tagsight.run.progress import LOG, ProgressCounter

Taken = Callable[[Int64s], Tensor]  # rows -> their images, float32 (n, 1, 128, 128) in [0, 1]


def train(
    images: UInt8s,
    preset: str,
    *,
    epochs: int,
    batch: int,
    learning_rate: float,
    validation: float,
    device: str,
    seed: int,
    threads: int,
    resume: Path,
    progress: ProgressCounter | None = None,
) -> tuple[dict[str, Tensor], pl.DataFrame]:
    """Return the weights of a network trained by mean squared error, and its history.

    images: uint8 (n, 128, 128), may be a memory map, read batch by batch; preset: of PRESETS;
    batch: images in a step; validation: share of the images, drawn by `seed`, kept for the
    validation loss; resume: a file, written atomically after each epoch; if it exists, training
    continues from it.

    The weights depend only on images, seed and settings: on a CPU each batch is cut into
    pieces of a few images, each piece's gradient computed on one thread, the gradients summed in
    order. On CUDA a batch of up to 250 goes at once, with cuDNN's deterministic kernels, and the
    images stay on the device where half of its free memory holds them.

    Returns the weights of the last epoch, on the CPU, and a table of epoch, loss (mean over the
    epoch), validation_loss (null without validation images) and images_per_second. With fewer than
    two images nothing is trained: no weights, no epoch.
    Raises DataError where the loss is no longer a number.
    """
    if len(images) < 2:
        return {}, pl.DataFrame(schema=SCHEMA)
    place = choose_device(device)
    training, validating = split(len(images), validation, seed)
    model, steps = _fresh(preset, learning_rate, seed, place)
    taken = _taken(images, place)
    history = _resumed(resume, model, steps)
    if history:
        LOG.info("going on after epoch %d", len(history))
    if progress:
        progress.resume(len(history))
    with single_threaded(threads) as pool:
        for epoch in range(len(history), epochs):
            start = time.perf_counter()
            order = np.random.default_rng([seed, epoch]).permutation(training)
            batches = _cut(order, batch)
            loss = _epoch(model, steps, taken, batches, pool)
            speed = len(order) / (time.perf_counter() - start)
            validation_loss = _loss(model, taken, validating, pool) if len(validating) else None
            history.append({"epoch": epoch + 1, "loss": loss, "validation_loss": validation_loss})
            history[-1]["images_per_second"] = speed
            _commit(resume, model, steps, history)
            if progress:
                progress.add(1)
    weights = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    return weights, pl.DataFrame(history, schema=SCHEMA)


SCHEMA = pl.Schema(
    {
        "epoch": pl.Int64(),
        "loss": pl.Float64(),
        "validation_loss": pl.Float64(),
        "images_per_second": pl.Float64(),
    }
)


def split(n: int, validation: float, seed: int) -> tuple[Int64s, Int64s]:
    """Return the training rows, at least one, and the validation rows: a share `validation`."""
    order = np.random.default_rng([seed, n]).permutation(n)
    trained = max(1, n - round(n * validation))
    return order[:trained], order[trained:]


def _fresh(
    preset: str, learning_rate: float, seed: int, place: torch.device
) -> tuple[Autoencoder, torch.optim.Optimizer]:
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = PRESETS[preset].network().to(place)
    return model, PRESETS[preset].optimizer(model, learning_rate)


def is_held(images: UInt8s, place: torch.device) -> bool:
    """Return whether the images stay on the device: a GPU of which half of the free memory does."""
    return place.type == "cuda" and images.nbytes <= torch.cuda.mem_get_info(place)[0] // 2


def _taken(images: UInt8s, place: torch.device) -> Taken:
    """Return how images are taken: from a copy on the device, or read from where they are."""
    if not is_held(images, place):
        return lambda rows: to_input(images[rows], place)
    held = torch.from_numpy(np.array(images)).to(place)
    return lambda rows: scaled(held[torch.from_numpy(rows).to(place)])


def _epoch(
    model: Autoencoder,
    steps: torch.optim.Optimizer,
    taken: Taken,
    batches: list[Int64s],
    pool: Executor,
) -> float:
    """One pass over the images; its mean loss, which no batch waits for."""
    total = torch.zeros((), dtype=torch.float64, device=_place(model))
    for rows in batches:
        total += _gradient(model, taken, rows, pool) * len(rows)
        steps.step()
    if not total.isfinite():
        raise DataError("autoencoder: the loss diverged; lower autoencoder.learning_rate")
    return total.item() / sum(map(len, batches))


def _gradient(model: Autoencoder, taken: Taken, rows: Int64s, pool: Executor) -> Tensor:
    """Set the model's gradient to that of a batch's mean squared error; returns the error."""
    parameters = list(model.parameters())

    def piece(part: Int64s) -> tuple[Tensor, tuple[Tensor, ...]]:
        loss = _squares(model, taken(part)) / len(rows)
        return loss.detach().double(), torch.autograd.grad(loss, parameters)

    losses, gradients = zip(*pool.map(piece, _pieces(model, rows)), strict=True)
    for parameter, *parts in zip(parameters, *gradients, strict=True):
        parameter.grad = _sum(parts)
    return _sum(losses)


def _loss(model: Autoencoder, taken: Taken, rows: Int64s, pool: Executor) -> float:
    """Mean squared error over images, without gradient."""

    def piece(part: Int64s) -> Tensor:
        with torch.inference_mode():
            return _squares(model, taken(part)).double()

    return _sum(list(pool.map(piece, _pieces(model, rows)))).item() / len(rows)


def _sum(parts: Sequence[Tensor]) -> Tensor:
    """Sum in the order of the parts."""
    total = parts[0].clone()
    for part in parts[1:]:
        total += part
    return total


def _squares(model: Autoencoder, pixels: Tensor) -> Tensor:
    """Squared error of each image, mean over its pixels, summed over the images."""
    return mse_loss(model(pixels), pixels, reduction="sum") / pixels[0].numel()


def _place(model: Autoencoder) -> torch.device:
    return next(model.parameters()).device


def _pieces(model: Autoencoder, rows: Int64s) -> list[Int64s]:
    return _cut(rows, piece_of(model, _place(model)))


def _cut(rows: Int64s, size: int) -> list[Int64s]:
    return [rows[first : first + size] for first in range(0, len(rows), size)]


def _resumed(
    resume: Path, model: Autoencoder, steps: torch.optim.Optimizer
) -> list[dict[str, Any]]:
    """Load the state of an earlier job; returns its history, empty where there is none."""
    content = read_state(resume)
    if content is None:
        return []
    fresh = deepcopy((model.state_dict(), steps.state_dict()))
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        steps.load_state_dict(state["steps"])
        model.load_state_dict(state["model"])
    except Exception:  # of another version of torch: whatever it makes of that
        forget_state(resume)
        model.load_state_dict(fresh[0])
        steps.load_state_dict(fresh[1])
        return []
    history: list[dict[str, Any]] = state["history"]
    return history


def _commit(
    resume: Path, model: Autoencoder, steps: torch.optim.Optimizer, history: list[dict[str, Any]]
) -> None:
    state = {"model": model.state_dict(), "steps": steps.state_dict(), "history": history}
    content = io.BytesIO()
    torch.save(state, content)
    write_state(content.getvalue(), resume)
