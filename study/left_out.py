"""How near images are to other patients' images of their cluster, and how near by chance.

The measure of the study of clusterings (docs/clustering.md). The test of a run is another: see
tagsight/evaluation/pair_statistic.py.
"""

import numpy as np

from tagsight.arrays import Bools, Float32s, Float64s, Int32s, Int64s, Integers


def distance_to_others(products: Float32s, labels: Integers, patients: Integers) -> float:
    """Return the mean cosine distance of images to the mean of other patients' of their cluster.

    products: float32 (n, n), inner products of the embeddings; labels, patients: integers (n,). An
    image whose cluster has no other patient is compared with the mean of all other patients'.
    """
    clusters = np.unique(labels, return_inverse=True)[1].reshape(-1)
    people = np.unique(patients, return_inverse=True)[1].reshape(-1)
    near, alone = _distances(products, clusters, people)
    far, _ = _distances(products, np.zeros_like(clusters), people)
    return float(np.where(alone, far, near).mean())


def permutations(strata: Integers, count: int, rng: np.random.Generator) -> Int32s:
    """Draw permutations inside strata: for each row the row whose label it gets, (count, n)."""
    receiver = np.argsort(strata, kind="stable")
    out = np.empty((count, len(strata)), np.int32)
    for row in out:
        row[receiver] = np.lexsort((rng.random(len(strata)), strata))
    return out


def _distances(products: Float32s, groups: Int64s, people: Int64s) -> tuple[Float64s, Bools]:
    """Distance to the sum of the group's images of others, and where there are none; (n,) each.

    That sum is the group's less the patient's own images in it, and so is its length.
    """
    cells = groups * (people.max() + 1) + people
    in_group = np.where(groups[:, None] == groups, products, 0).sum(axis=1, dtype=np.float64)
    own = np.where(cells[:, None] == cells, products, 0).sum(axis=1, dtype=np.float64)
    squares = np.bincount(groups, in_group)[groups]
    squares += np.bincount(cells, own - 2 * in_group)[cells]
    lengths = np.sqrt(products.diagonal().astype(np.float64) * np.maximum(squares, 0))
    alone = np.bincount(groups)[groups] == np.bincount(cells)[cells]
    to_others = np.where(alone, 0, in_group - own)
    return 1 - to_others / np.maximum(lengths, 1e-30), alone
