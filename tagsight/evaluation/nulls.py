"""What a clustering is compared with: the same labels, dealt at random.

A null says who may exchange labels with whom. `images` is the paper's (§3); it takes slices of one
series for independent, which they are not, and fails its level as soon as a sample holds several.
`series` exchanges the labels of whole series. The `within_…` nulls exchange them only between
series of the same stratum (say modality), so that they ask what a clustering adds beyond it.
"""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

STRATA = {
    "within_modality": ("modality",),
    "within_modality_body_part": ("modality", "body_part"),
    "within_manufacturer": ("manufacturer",),
}
NULLS = ("images", "series", *STRATA)


def draws(
    series: NDArray[np.integer], strata: NDArray[np.integer], count: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Random dealings of labels: int32 (count, n), for each row the row whose label it gets.

    `series` (n,) any integers: rows that move together; `strata` (n,) any integers: labels stay
    inside. The null `images` is every row a series of its own; `series` is one stratum.
    A series gets the labels of another of its stratum, in their order, repeated or cut to fit.
    That is an exact permutation test where labels are constant in a series and series sizes do
    not depend on the label. `labels[draws(…)]` are the permuted labels, (count, n).
    """
    blocks, stratum = _blocks(series, strata)  # (n,), (b,)
    order = np.argsort(blocks, kind="stable")
    length = np.bincount(blocks)
    start = np.cumsum(length) - length
    offset = np.empty_like(order)
    offset[order] = np.arange(len(order)) - start[blocks[order]]
    home = np.argsort(stratum, kind="stable")
    out = np.empty((count, len(blocks)), np.int32)
    for row in out:
        giver = np.empty_like(home)
        giver[home] = np.lexsort((rng.random(len(home)), stratum))
        source = giver[blocks]
        row[:] = order[start[source] + offset % length[source]]
    return out


def constant_within(labels: NDArray[np.integer], strata: NDArray[np.integer]) -> bool:
    """Whether every stratum holds a single label, so that nothing can be exchanged."""
    pairs = np.unique(np.stack([strata, labels]), axis=1)
    return pairs.shape[1] == len(np.unique(strata))


def _blocks(series: NDArray[np.integer], strata: NDArray[np.integer]) -> tuple[Integers, Integers]:
    """Number of each row's block (series and stratum together), and each block's stratum."""
    pairs, blocks = np.unique(np.stack([strata, series]), axis=1, return_inverse=True)
    return blocks.reshape(-1).astype(np.int64), pairs[0].astype(np.int64)
