"""Inner products of images with sums of other patients' images, streamed from embeddings.

Images of one patient and trial that agree in all labellings and strata cannot be told apart by the
pair statistic: they are a bundle, and count as their sum. Only bundles are held, some columns of
them at a time, so that memory does not grow with the length of an embedding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tagsight.arrays import Bools, Float32s, Float64s, Int64s, Integers

CELLS = 2**26  # values of bundles in hand at a time, in double precision
PIECE = 2**20  # values that are worked on at a time


@dataclass(frozen=True)
class Bundles:
    """Bundles of the images that are drawn, in order of their patients.

    of_image: int64 (n,), the bundle of each image, -1 of one that is not drawn. rows: int64 (b,),
    an image of each. sizes, patients, trials: int64 (b,).
    """

    of_image: Int64s
    rows: Int64s
    sizes: Int64s
    patients: Int64s
    trials: Int64s


@dataclass(frozen=True)
class Others:
    """Other patients' images in the group of each bundle, by trial.

    products: float64 (b, trials), inner products of the bundle with their sum; counts: as many;
    bundles: whose they are.
    """

    products: Float64s
    counts: Float64s
    bundles: Bundles

    def distances(self, left_out: int | None = None) -> Float64s:
        """Return the mean distance to them but for a trial's, (b,); NaN where there are none."""
        kept = np.arange(self.counts.shape[1]) != left_out
        products, counts = (each[:, kept].sum(axis=1) for each in (self.products, self.counts))
        means: Float64s = 1 - products / (np.maximum(counts, 1) * self.bundles.sizes)
        return np.where(counts > 0, means, np.nan)


def lengths(embeddings: Sequence[Float32s]) -> Float64s:
    """Return the length of each row of all arrays, float64 (n,); NaN where a value is."""
    squares = [
        np.square(piece.astype(np.float64)).sum(axis=1)
        for array in embeddings
        for piece in np.array_split(array, max(array.size // PIECE, 1))
    ]
    return np.sqrt(np.concatenate([*squares, np.zeros(0)]))


def is_drawn(norms: Float64s) -> Bools:
    """Return which rows can be compared, bool (n,): those of NaN or zeros cannot.

    norms: of `lengths`.
    """
    drawn: Bools = np.isfinite(norms) & (norms > 0)
    return drawn


def bundles(drawn: Int64s, patients: Integers, trials: Integers, *columns: Integers) -> Bundles:
    """Return the bundles of images.

    drawn: int64 (m,), rows of the images that are drawn; patients, trials and columns (labellings
    and strata): integers (n,). Patients and trials of bundles are numbered from 0.
    """
    keys = [codes(np.asarray(each)[drawn]) for each in (patients, trials, *columns)]
    _, rows, of_drawn, sizes = np.unique(
        np.stack(keys, axis=1), axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    of_image = np.full(len(patients), -1, np.int64)
    of_image[drawn] = of_drawn.reshape(-1)
    return Bundles(of_image, drawn[rows], sizes, keys[0][rows], keys[1][rows])


def others(
    embeddings: Sequence[Float32s],
    norms: Float64s,
    of: Bundles,
    groupings: Sequence[Int64s],
) -> list[Others]:
    """Return for each grouping the other patients' images in the group of each bundle.

    embeddings: float32 (m, d) each, n rows in all, may be memory-mapped; norms: float64 (n,), see
    `lengths`; groupings: int64 (b,) each, groups of the bundles; equal ones are looked at once.
    The result does not depend on the number of threads.
    """
    distinct = {groups.tobytes(): groups for groups in groupings}
    shape = len(of.rows), int(of.trials.max(initial=-1)) + 1
    products = {key: np.zeros(shape) for key in distinct}
    first, second = _of_one_patient(of.patients)
    own = np.zeros(len(first))  # inner products of a patient's bundles with each other
    with threadpool_limits(1):  # the order of sums, and so the last digits, depend on threads
        for block in _blocks(embeddings, norms, of):
            _add_inner(own, block, first, second)
            for key, groups in distinct.items():
                _add_group_sums(products[key], block, groups, of.trials)
    twice = first != second  # what is the one's other is the other's one
    first, second = np.r_[first, second[twice]], np.r_[second, first[twice]]
    own, found = np.r_[own, own[twice]], {}
    for key, groups in distinct.items():
        counts = _counts(groups, of, shape)
        same = groups[first] == groups[second]
        mine = first[same], of.trials[second[same]]
        np.subtract.at(products[key], mine, own[same])
        np.subtract.at(counts, mine, of.sizes[second[same]])
        found[key] = Others(products[key], counts, of)
    return [found[groups.tobytes()] for groups in groupings]


def codes(values: Integers) -> Int64s:
    """Return values numbered from 0 in their order, int64 (n,)."""
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def crossed(coarse: Int64s, fine: Int64s) -> Int64s:
    """Return the groups of two groupings together, numbered from 0, int64 (n,)."""
    return codes(coarse * (fine.max(initial=0) + 1) + fine)


def _blocks(embeddings: Sequence[Float32s], norms: Float64s, of: Bundles) -> Iterator[Float64s]:
    """Yield some columns of the bundles at a time: sums of images at length 1, float64 (b, …)."""
    starts = np.cumsum([0, *map(len, embeddings)])
    width = max(CELLS // max(len(of.rows), 1), 1)
    for first in range(0, embeddings[0].shape[1] if len(embeddings) else 0, width):
        columns = slice(first, first + width)
        block = np.zeros((len(of.rows), len(range(*columns.indices(embeddings[0].shape[1])))))
        for array, start in zip(embeddings, starts, strict=False):
            inside = of.of_image[start : start + len(array)]
            rows = np.flatnonzero(inside >= 0)
            for piece in _pieces(rows, block.shape[1]):
                units = array[piece, columns] / norms[start + piece, None]
                _add_rows(block, units, inside[piece])
        yield block


def _add_rows(block: Float64s, units: Float64s, places: Int64s) -> None:
    """Add rows to those of the block at their places, of which several may be the same."""
    if not len(places):
        return
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order], prepend=-1))
    block[places[order][starts]] += np.add.reduceat(units[order], starts, axis=0)


def _of_one_patient(patients: Int64s) -> tuple[Int64s, Int64s]:
    """All pairs of bundles of one patient, each with itself too; patients are sorted."""
    sizes = np.bincount(patients) if len(patients) else np.zeros(0, np.int64)
    starts = np.cumsum(sizes) - sizes
    first = np.repeat(np.arange(len(patients)), sizes[patients])
    begun = np.cumsum(sizes[patients]) - sizes[patients]
    second = np.arange(len(first)) - begun[first] + starts[patients[first]]
    return first[first <= second], second[first <= second]


def _add_inner(out: Float64s, block: Float64s, first: Int64s, second: Int64s) -> None:
    """Add the inner product of each pair of rows."""
    for pairs in _pieces(np.arange(len(first)), block.shape[1]):
        out[pairs] += np.einsum("ij,ij->i", block[first[pairs]], block[second[pairs]])


def _add_group_sums(out: Float64s, block: Float64s, groups: Int64s, trials: Int64s) -> None:
    """Add to out (b, trials) each row's inner product with its group's rows, by trial."""
    order = np.lexsort((trials, groups))
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    for members in np.split(order, starts[1:]):
        pieces = _pieces(members, block.shape[1])
        sums = np.zeros((out.shape[1], block.shape[1]))  # of the group, by trial
        for piece in pieces:
            _add_rows(sums, block[piece], trials[piece])
        for piece in pieces:
            out[piece] += block[piece] @ sums.T


def _pieces(rows: Int64s, width: int) -> list[Int64s]:
    """Rows in pieces of PIECE values of so many columns at most, unless a row has more."""
    return np.array_split(rows, max(-(-len(rows) * width // PIECE), 1))


def _counts(groups: Int64s, of: Bundles, shape: tuple[int, int]) -> Float64s:
    """Images of the group of each bundle, by trial: float64 (b, trials)."""
    table = np.zeros((int(groups.max(initial=-1)) + 1, shape[1]))
    np.add.at(table, (groups, of.trials), of.sizes)
    return table[groups]
