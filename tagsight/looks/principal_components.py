"""Principal components of pixels, which know nothing of shapes: the least that an eye can see."""

from collections.abc import Iterator

import numpy as np
from scipy.linalg import eigh
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tagsight.arrays import Float32s, Float64s, UInt8s

COMPONENTS = 64
COLUMNS = 2_048  # pixels of all images in hand at a time
ROUNDING = 1e-12  # of the largest variance: what is less is 0 but for rounding


class PrincipalComponents:
    """Pixels projected to principal components, as an Embedder."""

    def __init__(self, components: Float32s) -> None:
        """Take components, float32 (64, 16384)."""
        self.components = components

    def embed(self, images: UInt8s, /) -> Float32s:
        """Return the coordinates of images: uint8 (n, 128, 128) -> float32 (n, 64)."""
        out = np.empty((len(images), len(self.components)), np.float32)
        with threadpool_limits(1):  # and one by one, so that sums are of one order
            for place, image in enumerate(images):
                out[place] = self.components @ (image.ravel() / np.float32(255))
        return out


def principal_components(images: UInt8s) -> Float32s:
    """Return the directions in which pixels vary most, float32 (64, pixels), of length 1.

    images: uint8 (n, …); as n × n products are held, n should be some thousands at most.
    Of each direction's two signs the one is taken in which its largest value is positive. There are
    rows of zeros where images vary in fewer directions. The bytes do not depend on threads.
    """
    pixels = images.reshape(len(images), -1)
    out = np.zeros((COMPONENTS, pixels.shape[1]), np.float32)
    with threadpool_limits(1):  # the order of sums, and so the last digits, depend on threads
        products = np.zeros((len(pixels), len(pixels)))
        for block in _centred(pixels):
            products += block @ block.T
        first = max(len(pixels) - COMPONENTS, 0)
        variances, weights = eigh(products, subset_by_index=(first, len(pixels) - 1))
        kept = variances > max(ROUNDING * variances[-1], 0)
        scaled = weights[:, kept][:, ::-1] / np.sqrt(variances[kept][::-1])
        components = np.concatenate([scaled.T @ block for block in _centred(pixels)], axis=1)
    largest = components[np.arange(len(components)), np.abs(components).argmax(axis=1)]
    out[: len(components)] = components * np.sign(largest)[:, None]
    return out


def _centred(pixels: UInt8s) -> Iterator[Float64s]:
    """Yield some columns at a time, in [0, 1], their means taken off."""
    for first in range(0, pixels.shape[1], COLUMNS):
        block = pixels[:, first : first + COLUMNS] / 255
        yield block - block.mean(axis=0)
