"""FasterPAM where rows have weights: one row that stands for many.

Source: Schubert & Rousseeuw, "Fast and eager k-medoids clustering", Information Systems 101 (2021),
algorithm 3. Package kmedoids, the authors' own, has it without weights.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagsight.run.compiling import FAST, kernel

Array = NDArray[Any]

ENOUGH = 1e-12  # share of the loss below which a gain is rounding


@kernel(nogil=True, **FAST)
def fasterpam(distances: Array, weights: Array, medoids: Array) -> Array:
    """Swap medoids for other rows until no single swap lowers the loss: int64 (k,).

    distances: float32 (n, n), symmetric, C order; weights: float64 (n,), above 0; medoids: int64
    (k,), where to start. Rows are tried in order, and the first swap that gains is made at once.
    """
    n, medoids = len(distances), medoids.copy()
    near, second = np.empty(n, np.int64), np.empty(n, np.int64)
    for o in range(n):
        near[o], second[o] = _two_nearest(distances[o], medoids)
    is_medoid = np.zeros(n, np.bool_)
    is_medoid[medoids] = True
    close, far = np.empty(n, np.float32), np.empty(n, np.float32)
    if len(medoids) == 1:  # without it all rows would go as far as can be
        far[:] = distances.max()
    losses = _losses(distances, weights, medoids, near, second, close, far)
    tried, j = 0, 0
    while tried < n:
        if not is_medoid[j]:
            place, gain = _best_swap(distances[j], weights, near, close, far, losses)
            if gain < -ENOUGH * losses.sum():
                is_medoid[medoids[place]], is_medoid[j] = False, True
                medoids[place] = j
                _move(distances, medoids, place, near, second, close, far)
                losses = _losses(distances, weights, medoids, near, second, close, far)
                tried = 0
        tried += 1
        j = (j + 1) % n
    return medoids


@kernel(nogil=True, **FAST)
def _two_nearest(row: Array, medoids: Array) -> tuple[int, int]:
    """Places of the nearest and the second nearest medoid; the second is -1 if there is one."""
    first, other = 0, -1
    for m in range(1, len(medoids)):
        if row[medoids[m]] < row[medoids[first]]:
            first, other = m, first
        elif other < 0 or row[medoids[m]] < row[medoids[other]]:
            other = m
    return first, other


@kernel(nogil=True, **FAST)
def _losses(
    distances: Array,
    weights: Array,
    medoids: Array,
    near: Array,
    second: Array,
    close: Array,
    far: Array,
) -> Array:
    """What the loss would rise by without each medoid: float64 (k,); fills `close` and `far`."""
    losses = np.zeros(len(medoids))
    for o in range(len(near)):
        close[o] = distances[o, medoids[near[o]]]
        if second[o] >= 0:
            far[o] = distances[o, medoids[second[o]]]
        losses[near[o]] += weights[o] * (np.float64(far[o]) - close[o])
    return losses


@kernel(nogil=True, **FAST)
def _best_swap(
    row: Array, weights: Array, near: Array, close: Array, far: Array, losses: Array
) -> tuple[int, float]:
    """The medoid to give up for a candidate at distances `row`, and the change of the loss."""
    shared, own = 0.0, losses.copy()
    for o in range(len(row)):
        d = row[o]
        if d < far[o]:
            taken = min(np.float64(d) - close[o], 0.0)
            shared += weights[o] * taken
            own[near[o]] += weights[o] * (np.float64(d) - far[o] - taken)
    place = int(np.argmin(own))
    return place, own[place] + shared


@kernel(nogil=True, **FAST)
def _move(
    distances: Array,
    medoids: Array,
    place: int,
    near: Array,
    second: Array,
    close: Array,
    far: Array,
) -> None:
    """Let rows follow the medoid that was put at `place`."""
    row = distances[medoids[place]]
    for o in range(len(row)):
        if near[o] == place or second[o] == place:
            near[o], second[o] = _two_nearest(distances[o], medoids)
        elif row[o] < close[o]:
            near[o], second[o] = place, near[o]
        elif row[o] < far[o]:
            second[o] = place
