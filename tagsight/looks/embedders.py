"""Embedders, which describe an image by numbers, and what a plan needs to know about each.

Imports torch only where a network is made, since every plan reads PRESETS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tagsight.arrays import Bools, Float32s, UInt8s

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from tagsight.looks.autoencoder import Autoencoder


class Embedder(Protocol):
    """A describer of images by numbers; the numbers of an image do not depend on other images."""

    def embed(self, images: UInt8s, /) -> Float32s:
        """Return the embeddings of images.

        images: uint8 (n, 128, 128), black to white; may be a memory map.
        Returns float32 (n, d), the same bytes for the same images.
        """


def is_trained(weights: Path | str) -> bool:
    """Return whether a file of weights (safetensors) holds any: without images none are trained."""
    from safetensors import safe_open

    with safe_open(weights, "numpy") as file:
        return bool(file.keys())


def embeddings(embedder: Embedder, images: UInt8s, failed: Bools) -> Float32s:
    """Return the embeddings of images, NaN for those that could not be drawn.

    images: uint8 (n, 128, 128); failed: bool (n,), which could not be drawn.
    Returns float32 (n, d).
    """
    embedded = embedder.embed(images)
    embedded[failed] = np.nan
    return embedded


@dataclass(frozen=True)
class Preset:
    """An embedder that has to be trained, as an entry of PRESETS.

    description: its text in the config's schema, after its name
    network: returns a new network, with weights from torch's random state
    optimizer: returns the optimizer of a network, at a learning rate
    length: numbers in an embedding
    memory: bytes per image in a job that holds embeddings, a high estimate
    speed: images per second in training on a CPU, a low estimate
    """

    description: str
    network: Callable[[], "Autoencoder"]
    optimizer: Callable[["Autoencoder", float], "Optimizer"]
    length: int
    memory: int
    speed: int

    def trained(self, weights: Path | str) -> "Autoencoder":
        """Return the network with the weights of a file (safetensors)."""
        from safetensors.torch import load_file

        model = self.network()
        model.load_state_dict(load_file(weights))
        return model

    def embedder(self, weights: Path | str, device: str, threads: int) -> Embedder:
        """Return the embedder with the weights of a file (safetensors).

        device: `auto`, `cpu` or `cuda`; threads: of the CPU; they do not change its numbers.
        """
        from tagsight.looks.embeddings import Encoder

        return Encoder(self.trained(weights), device, threads)

    def described(
        self, weights: Path | str, images: UInt8s, failed: Bools, device: str, threads: int
    ) -> Float32s:
        """Return the embeddings of images, see `embeddings`; all NaN where no network was trained.

        weights, device, threads: as in `embedder`; images may be none.
        """
        if len(images) and is_trained(weights):
            return embeddings(self.embedder(weights, device, threads), images, failed)
        return np.full((len(images), self.length), np.nan, np.float32)


def _small() -> "Autoencoder":
    from tagsight.looks import autoencoder

    return autoencoder.small()


def _paper() -> "Autoencoder":
    from tagsight.looks import autoencoder

    return autoencoder.paper()


def _adam(model: "Autoencoder", learning_rate: float) -> "Optimizer":
    from torch.optim import Adam

    return Adam(model.parameters(), lr=learning_rate)


def _rmsprop(model: "Autoencoder", learning_rate: float) -> "Optimizer":
    """RMSprop as in TensorFlow, with its defaults."""
    from torch.optim import RMSprop

    return RMSprop(model.parameters(), lr=learning_rate, alpha=0.9, eps=1e-7)


# The values of `autoencoder.preset`. A new one is an entry here, and its name and description in
# config/config.schema.yaml, which a test holds to this table.
PRESETS = {
    "small": Preset(
        description="embeds in few numbers and trains in minutes",
        network=_small,
        optimizer=_adam,
        length=128,
        memory=2_000,
        speed=250,
    ),
    "paper": Preset(
        description="is the article's",
        network=_paper,
        optimizer=_rmsprop,
        length=81_920,
        memory=4 * 81_920,
        speed=50,
    ),
}
