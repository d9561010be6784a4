"""Work in fixed pieces, so that the number of threads does not show in a result.

Floating-point sums depend on their order, and torch's order depends on its threads. So on a CPU
images go through the network in pieces of a fixed size, each on a single thread.
"""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tagsight.looks.autoencoder import Autoencoder


def choose_device(device: str) -> torch.device:
    """`auto`: CUDA where there is one, else the CPU; any other name as it is."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


@contextmanager
def single_threaded(threads: int) -> Iterator[Executor]:
    """A pool of workers in which torch keeps to one thread each; torch's own setting comes back."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)


def to_input(images: NDArray[np.uint8], place: torch.device) -> Tensor:
    """uint8 (n, 128, 128) -> float32 (n, 1, 128, 128) in [0, 1], on a device."""
    scaled = torch.from_numpy(np.array(images)).to(place).unsqueeze(1).float() / 255
    return scaled.contiguous(memory_format=torch.channels_last)


def embed(
    model: Autoencoder,
    images: NDArray[np.uint8],
    *,
    batch: int,
    device: str,
    threads: int,
    failed: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Embeddings of images: uint8 (n, 128, 128) -> float32 (n, d).

    Images may be a memory map. Rows that `failed` (n,) marks (images that could not be drawn)
    become NaN. The same bytes whatever the number of `threads`, and on CPUs with the same vector
    instructions.
    """
    place = choose_device(device)
    model = model.to(place).eval()

    def piece(first: int) -> NDArray[np.float32]:
        with torch.inference_mode():
            part = to_input(images[first : first + batch], place)
            found: NDArray[np.float32] = model.encode(part).cpu().numpy()
            return found

    with single_threaded(threads) as pool:
        parts = list(pool.map(piece, range(0, len(images), batch)))
    out = np.concatenate(parts)
    if failed is not None:
        out[failed] = np.nan
    return out


def reconstructed(model: Autoencoder, originals: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images (n, 128, 128) after the way through the network and back.

    On a single thread: the order of its sums does not show in the bytes.
    """

    def one(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            again: Tensor = model(to_input(image[None], torch.device("cpu")))
            return np.asarray(again[0, 0])

    with single_threaded(1) as pool:
        found = list(pool.map(one, originals))
    return np.clip(np.rint(255 * np.reshape(found, originals.shape)), 0, 255).astype(np.uint8)
