"""Groups of pictures by their embeddings alone, the same groups in all trials.

The medoids are those of the tuning sample, and a trial's image is in the group of the nearest, as
labels are made. No image of a trial has a say in what the groups are.
"""

from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tagsight.arrays import Float32s, Int64s
from tagsight.clustering import k_medoids
from tagsight.evaluation.centres import cosine_distances, inner_products
from tagsight.evaluation.pair_sums import PIECE, lengths


def picture_groups(tuning: Float32s, embeddings: Sequence[Float32s], k: int) -> Int64s | None:
    """Return the group of each image, int64 (n,), from 0; None where the sample is too small for k.

    tuning: float32 (t, d), embeddings of the tuning sample; embeddings: float32 (m, d) each, n rows
    in all; of any, rows with NaN are images that are not there, in group -1. All may be
    memory-mapped. k: how many groups.
    """
    norms = lengths([tuning])
    drawn = np.flatnonzero(np.isfinite(norms) & (norms > 0))
    if len(drawn) < 2 or not k:
        return None
    products = inner_products(tuning)[np.ix_(drawn, drawn)]
    found = k_medoids.grid(cosine_distances(products), [k])
    if not found:
        return None
    medoids = drawn[found[0].medoids]
    units = (tuning[medoids] / norms[medoids, None]).astype(np.float32)
    return np.concatenate([_nearest(array, units) for array in embeddings])


def _nearest(array: Float32s, units: Float32s) -> Int64s:
    """The place of the unit vector with the largest inner product, -1 of NaN: int64 (m,)."""
    found = [np.zeros(0, np.int64)]
    with threadpool_limits(1):  # as elsewhere: the order of sums
        for piece in np.array_split(array, max(array.size // PIECE, 1)):
            products = piece @ units.T
            found.append(np.where(np.isnan(products[:, 0]), -1, products.argmax(axis=1)))
    return np.concatenate(found)
