"""Null models of the permutation tests: which images may exchange labels. A new null is one entry.

`images` is the paper's (§3); it assumes that slices of one series are independent, which they are
not, so its type I error is too high if a sample has several slices of a series. `series` exchanges
the labels of whole series. The `within_…` nulls exchange them only between series of the same
stratum (for example modality), so that they test what a clustering adds beyond it.
"""

from dataclasses import dataclass

import numpy as np

from tagsight.arrays import Int32s, Int64s, Integers


@dataclass(frozen=True)
class Null:
    """A null model, and its texts on the page.

    key: in tables and evaluation.json.
    stream: number of its random stream; different for each null and never changed, so that results
    stay the same.
    name, question: its heading on the page and in the figure, and the text under it.
    strata: columns of the sample; labels are exchanged only where all of them are equal.
    whole_series: whether the images of a series move together.
    """

    key: str
    stream: int
    name: str
    question: str
    strata: tuple[str, ...] = ()
    whole_series: bool = True


# In the order in which they are shown, the strictest first.
NULLS = (
    Null(
        key="within_modality",
        stream=2,
        name="Beyond modality",
        question="Labels dealt anew among series of the same modality. Asks what the tags know of "
        "looks beyond CT, MR or X-ray. This is the test to go by.",
        strata=("modality",),
    ),
    Null(
        key="within_modality_body_part",
        stream=3,
        name="Beyond modality × body part",
        question="Labels dealt anew among series of the same modality and body part.",
        strata=("modality", "body_part"),
    ),
    Null(
        key="within_manufacturer",
        stream=4,
        name="Beyond manufacturer",
        question="Labels dealt anew among series of one maker’s devices.",
        strata=("manufacturer",),
    ),
    Null(
        key="series",
        stream=1,
        name="Beyond chance, series by series",
        question="Labels dealt anew among all series. Anything that knows CT from X-ray passes.",
    ),
    Null(
        key="images",
        stream=0,
        name="Beyond chance, image by image (the paper’s)",
        question="Labels dealt anew among all images, slices of a series apart. Too easily passed "
        "where a sample holds several slices of a series.",
        whole_series=False,
    ),
)


def permutations(
    series: Integers, strata: Integers, count: int, rng: np.random.Generator
) -> Int32s:
    """Draw permutations: for each row the row whose label it gets.

    series: integers (n,), rows that move together; all different if each image moves alone.
    strata: integers (n,), labels stay inside; all equal if there are no strata.
    A series gets the labels of another one of its stratum, in order, repeated or cut to its length.
    The test is exact if labels are constant in a series and series sizes do not depend on the
    label.
    Returns int32 (count, n); `labels[permutations(…)]` are the permuted labels.
    """
    blocks, stratum = _blocks(series, strata)  # (n,), (b,)
    order = np.argsort(blocks, kind="stable")
    length = np.bincount(blocks)
    start = np.cumsum(length) - length
    offset = np.empty_like(order)
    offset[order] = np.arange(len(order)) - start[blocks[order]]
    receiver = np.argsort(stratum, kind="stable")
    out = np.empty((count, len(blocks)), np.int32)
    for row in out:
        giver = np.empty_like(receiver)
        giver[receiver] = np.lexsort((rng.random(len(receiver)), stratum))
        source = giver[blocks]
        row[:] = order[start[source] + offset % length[source]]
    return out


def constant_within(labels: Integers, strata: Integers) -> bool:
    """Return whether every stratum has a single label, so that permutations change nothing.

    labels, strata: integers (n,).
    """
    pairs = np.unique(np.stack([strata, labels]), axis=1)
    return pairs.shape[1] == len(np.unique(strata))


def _blocks(series: Integers, strata: Integers) -> tuple[Int64s, Int64s]:
    """The index of each row's block (a series within a stratum), and each block's stratum."""
    pairs, blocks = np.unique(np.stack([strata, series]), axis=1, return_inverse=True)
    return blocks.reshape(-1).astype(np.int64), pairs[0].astype(np.int64)
