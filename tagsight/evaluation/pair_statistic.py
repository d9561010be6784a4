"""The pair statistic: how much nearer, in looks, images of one label are across patients.

For image i, b is the mean cosine distance to the images of other patients in its stratum (its
modality, say), and a that to those of them that have its label too; a is b where there are none.
Explained is 1 − Σa / Σb. Images without b count in neither sum. Labels that know nothing of looks
explain 0 on average, also where the images of a patient share them, so no label is permuted. All
trials are pooled; the error is that of a jackknife which leaves out one trial at a time.

The mean distance to a set is 1 − u·s / size, with u the image at length 1 and s the sum of the set,
so that the work grows with the number of images, not of pairs.

Source: Efron & Stein (1981), Ann. Statist. 9:586, for the jackknife.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tagsight.arrays import Float32s, Float64s, Int64s, Integers

CELLS = 2**23  # values of embeddings in hand at a time, in double precision
ROUNDING = 1e-12  # what is less is 0 but for rounding


@dataclass(frozen=True)
class Explained:
    """How much of the distance in looks the labels explain inside strata.

    explained: 1 − Σa / Σb; None where nothing can be compared. ci95, t, df, p: of the jackknife by
    trials, two-sided; None where they are undefined. n: images that count; labels: how many
    different labels these have. reason: why a figure is None.
    """

    explained: float | None
    ci95: tuple[float, float] | None
    t: float | None
    df: int | None
    p: float | None
    n: int
    labels: int
    reason: str | None = None


@dataclass(frozen=True)
class _Images:
    """The images that are drawn: rows of the embeddings, their lengths, patients and trials."""

    embeddings: Float32s
    rows: Int64s
    norms: Float64s
    patients: Int64s
    trials: Int64s

    def blocks(self) -> Iterator[Float64s]:
        """Yield some columns of the embeddings at length 1 at a time, float64 (n, …)."""
        for columns in _columns(self.embeddings):
            yield columns[self.rows].astype(np.float64) / self.norms[:, None]


@dataclass(frozen=True)
class _Others:
    """Other patients' images in the group of each image, by trial.

    products: float64 (n, trials), sum of their inner products with the image; counts: as many.
    """

    products: Float64s
    counts: Float64s

    def distances(self, left_out: int | None = None) -> Float64s:
        """Return the mean distance to them but for a trial's, (n,); NaN where there are none."""
        kept = np.arange(self.counts.shape[1]) != left_out
        products, counts = (each[:, kept].sum(axis=1) for each in (self.products, self.counts))
        means: Float64s = 1 - products / np.maximum(counts, 1)
        return np.where(counts > 0, means, np.nan)


def pair_statistic(
    embeddings: Float32s, labels: Integers, strata: Int64s, patients: Int64s, trials: Int64s
) -> Explained:
    """Return how much the labels explain of the distance between images of different patients.

    embeddings: float32 (n, d); rows with NaN and rows of zeros are left out.
    labels: integers (n,), compared inside a stratum alone; -1 is no label, with a = b.
    strata, patients, trials: int64 (n,). A stratum of one patient contributes nothing. Images of
    one patient are never compared with each other.
    Labels that divide no stratum explain 0, without a test.
    """
    norms = _norms(embeddings)
    rows = np.flatnonzero(np.isfinite(norms) & (norms > 0))
    stratum, patient, trial = (_codes(each[rows]) for each in (strata, patients, trials))
    label = labels[rows].astype(np.int64)
    images = _Images(embeddings, rows, norms[rows], patient, trial)
    far, near = _others(images, stratum), _others(images, _crossed(stratum, _codes(label)))
    near.counts[label < 0] = 0
    compared = np.isfinite(far.distances())
    n, kinds = int(compared.sum()), len(np.unique(label[compared & (label >= 0)]))
    explained = _explained(far.distances(), near.distances())
    if explained is None:
        reason = "all pictures look the same" if n else "no stratum has pictures of two patients"
        return Explained(None, None, None, None, None, n, kinds, reason)
    parts = [
        _explained(*(each.distances(left_out)[trial != left_out] for each in (far, near)))
        for left_out in np.unique(trial[compared])
    ]
    return _tested(explained, parts, n, kinds)


def _explained(far: Float64s, near: Float64s) -> float | None:
    """1 − Σa / Σb; None where no image has another patient's in its stratum, or all are equal."""
    compared = np.isfinite(far)
    b = far[compared]
    a = np.where(np.isfinite(near[compared]), near[compared], b)
    if b.sum() <= ROUNDING * max(len(b), 1):
        return None
    return float(1 - a.sum() / b.sum())


def _tested(explained: float, parts: list[float | None], n: int, labels: int) -> Explained:
    """The figure with its error, from the figures without one trial each."""
    without = np.array([part for part in parts if part is not None])
    df = len(parts) - 1
    if df < 1 or len(without) < len(parts):
        reason = "a single trial" if df < 1 else "one trial alone can be compared"
        return Explained(explained, None, None, None, None, n, labels, reason)
    error = np.sqrt(df / len(parts) * np.square(without - without.mean()).sum())
    reach = float(stats.t.ppf(0.975, df) * error)
    interval = (explained - reach, explained + reach)
    if error <= ROUNDING:
        reason = "without error: leaving out a trial changes nothing"
        return Explained(explained, interval, None, df, None, n, labels, reason)
    t = float(explained / error)
    return Explained(explained, interval, t, df, float(2 * stats.t.sf(abs(t), df)), n, labels)


def _others(images: _Images, groups: Int64s) -> _Others:
    own = _crossed(groups, images.patients)  # the patient's own images in the group
    shape = len(groups), int(images.trials.max(initial=-1)) + 1
    out = _Others(np.zeros(shape), np.zeros(shape))
    ones = np.ones((len(groups), 1))
    _add(out.counts, ones, groups, images.trials)
    _add(out.counts, ones, own, images.trials, sign=-1)
    with threadpool_limits(1):  # the order of sums, and so the last digits, depend on threads
        for block in images.blocks():
            _add(out.products, block, groups, images.trials)
            _add(out.products, block, own, images.trials, sign=-1)
    return out


def _add(out: Float64s, vectors: Float64s, groups: Int64s, trials: Int64s, sign: int = 1) -> None:
    """Add to out (n, trials) each row's inner product with the sum of its group's rows by trial."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    for members in np.split(order, starts[1:]):
        inside = vectors[members]  # (m, columns)
        present, places = np.unique(trials[members], return_inverse=True)
        in_trial = (places == np.arange(len(present))[:, None]).astype(np.float64)
        out[np.ix_(members, present)] += sign * (inside @ (in_trial @ inside).T)


def _norms(embeddings: Float32s) -> Float64s:
    """Length of each row, float64 (n,); NaN where a value is."""
    squares = np.zeros(len(embeddings))
    for columns in _columns(embeddings):
        squares += np.square(columns.astype(np.float64)).sum(axis=1)
    return np.sqrt(squares)


def _columns(embeddings: Float32s) -> Iterator[Float32s]:
    width = max(CELLS // max(len(embeddings), 1), 1)
    for first in range(0, embeddings.shape[1], width):
        yield embeddings[:, first : first + width]


def _codes(values: Integers) -> Int64s:
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _crossed(coarse: Int64s, fine: Int64s) -> Int64s:
    return _codes(coarse * (fine.max(initial=0) + 1) + fine)
