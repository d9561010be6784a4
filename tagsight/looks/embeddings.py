"""Networks run in pieces of fixed size, so that results do not depend on the number of threads.

Floating-point sums depend on their order, and torch's order depends on its threads. So on a CPU
images go through the network in pieces of a fixed size, each on a single thread.
"""

import ctypes
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tagsight.arrays import Float32s, UInt8s
from tagsight.looks.autoencoder import Autoencoder

CUDA_PIECE = 250  # images that a GPU has in hand: a gigabyte for a layer of `paper`


def choose_device(device: str) -> torch.device:
    """Return the device of a name; for `auto` CUDA if this machine has it, else the CPU."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


@cache
def keep_freed_memory() -> None:
    """Have the C library keep what is freed for the next layer, where it is glibc.

    What a layer makes of a piece takes megabytes. glibc gives blocks of such a size back to the
    system at once, which then maps and clears each page of the next one: a third of the time of
    training. In other threads than the first it keeps at most 64 MB in one stretch: another reason
    for small pieces. Values are those of mallopt(3).
    """
    library: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_THRESHOLD, 2**30)
        library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


@contextmanager
def single_threaded(threads: int) -> Iterator[Executor]:
    """Yield a pool of workers in which torch uses one thread each.

    Torch's number of threads is restored afterwards.
    """
    keep_freed_memory()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)


def to_input(images: UInt8s, place: torch.device) -> Tensor:
    """Return uint8 (n, 128, 128) as float32 (n, 1, 128, 128) in [0, 1], on a device."""
    return scaled(torch.from_numpy(np.array(images)).to(place))


def scaled(images: Tensor) -> Tensor:
    """Return uint8 (n, 128, 128) as float32 (n, 1, 128, 128) in [0, 1]."""
    return images.unsqueeze(1).float() / 255


def piece_of(model: Autoencoder, place: torch.device) -> int:
    """Return how many images go through a network at a time."""
    return model.piece if place.type == "cpu" else CUDA_PIECE


class Encoder:
    """The encoding half of a trained network, as an Embedder."""

    def __init__(self, model: Autoencoder, device: str, threads: int) -> None:
        """Move the network to a device; threads: of the CPU."""
        self.place = choose_device(device)
        self.model = model.to(self.place).eval()
        self.threads = threads
        self.piece = piece_of(model, self.place)

    def embed(self, images: UInt8s, /) -> Float32s:
        """Return the embeddings of images: uint8 (n, 128, 128) -> float32 (n, d).

        Images may be a memory map. The bytes do not depend on the number of threads, but may on the
        CPU's vector instructions.
        """

        def encoded(first: int) -> Float32s:
            with torch.inference_mode():
                part = to_input(images[first : first + self.piece], self.place)
                embeddings: Float32s = self.model.encode(part).cpu().numpy()
                return embeddings

        with single_threaded(self.threads) as pool:
            return np.concatenate(list(pool.map(encoded, range(0, len(images), self.piece))))


def reconstructed(model: Autoencoder, originals: UInt8s) -> UInt8s:
    """Return images (n, 128, 128), encoded and decoded by the network.

    On a single thread, so that the order of its sums is fixed.
    """

    def one(image: UInt8s) -> Float32s:
        with torch.inference_mode():
            again: Tensor = model(to_input(image[None], torch.device("cpu")))
            return np.asarray(again[0, 0])

    with single_threaded(1) as pool:
        levels = list(pool.map(one, originals))
    return np.clip(np.rint(255 * np.reshape(levels, originals.shape)), 0, 255).astype(np.uint8)
