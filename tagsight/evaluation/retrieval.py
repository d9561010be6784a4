"""Retrieval: whether an image's nearest images of other patients have its modality, say.

Of each image the 5 nearest images of other patients by cosine distance are looked at, and the
share of them that have the image's value of a label: what an eye sees, with no labels of ours in
it. Beside it stands the share that images drawn at random would have. Inside strata neighbours are
looked for in the image's stratum alone: with makers inside modalities, how much of the scanner an
eye sees beyond the modality.

Of more than 2,000 images 2,000 are asked, evenly spread, each among all. Embeddings are read by
columns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tagsight.arrays import Float32s, Int64s, Integers
from tagsight.evaluation.pair_sums import is_drawn, lengths

NEIGHBOURS = 5
QUERIES = 2_000  # images at most whose neighbours are looked for
CELLS = 2**23  # values of embeddings in hand at a time


@dataclass(frozen=True)
class Retrieval:
    """How well images of other patients with an image's value are found by looks.

    agreement: share of the nearest images that have the value, mean over the images asked; chance:
    the same of images drawn at random; None where no image can be asked. n: images asked;
    by_trial: for each trial the agreement of its images (None without any) and how many are asked.
    """

    agreement: float | None
    chance: float | None
    n: int
    by_trial: tuple[tuple[float | None, int], ...] = ()


def similarities(embeddings: Sequence[Float32s]) -> tuple[Int64s, Float32s]:
    """Return the rows that are asked, and their cosine similarity to all rows.

    embeddings: float32 (m, d) each, n rows in all; may be memory-mapped. Rows with NaN and rows of
    zeros are not asked, and their similarity is NaN.
    Returns int64 (m,), float32 (m, n), with m of 2,000 at most, spread evenly.
    """
    norms = lengths(embeddings)
    described = is_drawn(norms)
    seen = np.flatnonzero(described)
    spread = np.linspace(0, len(seen) - 1, min(len(seen), QUERIES)).round()
    asked = seen[spread.astype(np.int64)]
    out = np.zeros((len(asked), len(norms)), np.float32)
    divisors = np.where(described, norms, np.nan)[:, None].astype(np.float32)
    with threadpool_limits(1):  # the order of sums, and so the last digits, depend on threads
        for columns in _columns(embeddings):
            units = columns / divisors
            out += units[asked] @ units.T
    return asked, out


def retrieval(
    asked: Int64s,
    similar: Float32s,
    values: Integers,
    strata: Integers,
    patients: Integers,
    trials: Integers,
) -> Retrieval:
    """Return how often the nearest images of other patients have the value of an image.

    asked, similar: of `similarities`; values: integers (n,), -1 where it is not known: such images
    are neither asked nor neighbours; strata, patients: integers (n,), neighbours are of the image's
    stratum and of another patient; trials: integers (n,), from 0. An image with fewer than 5 of
    them is compared with those that it has, and left out where it has none. Of equally near ones
    the first row counts.
    """
    shares, chances, of_trials = [], [], []
    known = (values >= 0) & np.isfinite(similar).all(axis=0)
    for row, near in zip(asked, similar, strict=True):
        others = known & (strata == strata[row]) & (patients != patients[row])
        if known[row] and others.any():
            same = values[others] == values[row]
            shares.append(same[_nearest(near[others])].mean())
            chances.append(same.mean())
            of_trials.append(trials[row])
    if not shares:
        return Retrieval(None, None, 0)
    found = np.array(shares)
    inside = [found[np.array(of_trials) == trial] for trial in range(int(trials.max()) + 1)]
    by_trial = tuple((float(each.mean()) if len(each) else None, len(each)) for each in inside)
    return Retrieval(float(found.mean()), float(np.mean(chances)), len(found), by_trial)


def _nearest(similar: Float32s) -> Int64s:
    """Places of the most similar, the first of equals."""
    return np.argsort(-similar, kind="stable")[:NEIGHBOURS]


def _columns(embeddings: Sequence[Float32s]) -> Iterator[Float32s]:
    """Yield some columns of all rows at a time."""
    rows = sum(map(len, embeddings))
    width = max(CELLS // max(rows, 1), 1)
    for first in range(0, embeddings[0].shape[1] if rows else 0, width):
        yield np.concatenate([array[:, first : first + width] for array in embeddings])
