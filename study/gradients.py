"""Histograms of oriented gradients: a description of looks that knows nothing of the fit."""

import numpy as np

from tagsight.arrays import Float32s, Float64s, UInt8s

ANGLES = 9  # of half a turn
CELL = 8  # pixels a side


def histograms(pictures: UInt8s) -> Float32s:
    """Return the gradients of pictures by cell and angle, float32 (n, cells × ANGLES).

    pictures: uint8 (n, size, size). A gradient counts by its length, shared by the two nearest
    angles; the histogram of 2 × 2 cells has length 1.
    Source: Dalal & Triggs (2005), CVPR, without weights by place.
    """
    values = pictures.astype(np.float64)
    down, right = np.gradient(values, axis=(1, 2))
    turn = np.mod(np.arctan2(down, right) / np.pi, 1) * ANGLES - 0.5
    low, share = np.floor(turn), turn - np.floor(turn)
    length = np.hypot(down, right)
    cells = np.stack(
        [
            _by_cell(
                length * ((low % ANGLES == a) * (1 - share) + ((low + 1) % ANGLES == a) * share)
            )
            for a in range(ANGLES)
        ],
        axis=-1,
    )
    blocks = [
        cells[:, y : y + 2, x : x + 2] for y, x in np.ndindex(*np.subtract(cells.shape[1:3], 1))
    ]
    flat = np.stack([block.reshape(len(pictures), -1) for block in blocks], axis=1)
    lengths = np.sqrt(np.square(flat).sum(axis=2, keepdims=True) + 1)
    return (flat / lengths).reshape(len(pictures), -1).astype(np.float32)


def _by_cell(values: Float64s) -> Float64s:
    """The sums of cells, (n, size / CELL, size / CELL)."""
    n, size, _ = values.shape
    side = size // CELL
    cut = values[:, : side * CELL, : side * CELL].reshape(n, side, CELL, side, CELL)
    sums: Float64s = cut.sum(axis=(2, 4))
    return sums
