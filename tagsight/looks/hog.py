"""Histograms of oriented gradients, which describe shapes in an image and learn nothing.

Of each pixel the gradient is taken by central differences (0 at the border in that direction). Its
length is voted to two of 9 unsigned directions, in proportion to how near its angle is to their
middles. Votes are summed over cells of 16 × 16 pixels; blocks of 2 × 2 cells, one at each cell, are
brought to length 1, clipped at 0.2, and brought to length 1 again (L2-Hys).

Source: Dalal & Triggs (2005), Histograms of Oriented Gradients for Human Detection, CVPR; without
their Gaussian window and their interpolation between cells.
"""

import numpy as np

from tagsight.arrays import Float32s, Float64s, UInt8s

CELL = 16  # pixels a side
DIRECTIONS = 9
CLIP = 0.2
EPSILON = 1e-3  # of a block's length, so that noise in an even area is not brought to length 1
LENGTH = 7 * 7 * 2 * 2 * DIRECTIONS  # of an image of 128 × 128


class GradientHistograms:
    """Histograms of oriented gradients, as an Embedder."""

    def embed(self, images: UInt8s, /) -> Float32s:
        """Return the histograms of images: uint8 (n, 128, 128) -> float32 (n, 1764).

        An image of one grey is described by zeros.
        """
        out = np.empty((len(images), LENGTH), np.float32)
        for place, image in enumerate(images):
            out[place] = _blocks(_cells(image)).ravel()
        return out


def _cells(image: UInt8s) -> Float64s:
    """Votes of each cell for each direction, float64 (8, 8, 9)."""
    grey = image.astype(np.float64) / 255
    down, right = np.zeros_like(grey), np.zeros_like(grey)
    down[1:-1] = grey[2:] - grey[:-2]
    right[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    turns = np.arctan2(down, right) / np.pi % 1 * DIRECTIONS - 0.5  # from the middle of the first
    first = np.floor(turns).astype(np.int64)
    farther = turns - first
    length = np.hypot(down, right)
    cells = len(grey) // CELL
    rows, columns = np.indices(grey.shape) // CELL
    places = (rows * cells + columns) * DIRECTIONS
    votes = np.zeros(cells * cells * DIRECTIONS)
    for direction, share in ((first, 1 - farther), (first + 1, farther)):
        at = places + direction % DIRECTIONS
        votes += np.bincount(at.ravel(), (length * share).ravel(), len(votes))
    return votes.reshape(cells, cells, DIRECTIONS)


def _blocks(cells: Float64s) -> Float64s:
    """Blocks of 2 × 2 cells at length 1, float64 (7, 7, 36)."""
    corners = [cells[y : y - 1 or None, x : x - 1 or None] for y in (0, 1) for x in (0, 1)]
    blocks = np.concatenate(corners, axis=2)
    blocks = np.minimum(blocks / _lengths(blocks), CLIP)
    return np.asarray(blocks / _lengths(blocks))


def _lengths(blocks: Float64s) -> Float64s:
    return np.sqrt(np.square(blocks).sum(axis=2, keepdims=True) + EPSILON**2)
