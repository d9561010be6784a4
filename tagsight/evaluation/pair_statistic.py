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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tagsight.arrays import Float32s, Float64s, Integers
from tagsight.evaluation.pair_sums import Others, bundles, codes, crossed, lengths, others

ROUNDING = 1e-12  # what is less is 0 but for rounding
UNDIVIDED = "it divides nothing that could be compared"


@dataclass(frozen=True)
class Explained:
    """How much of the distance in looks the labels explain inside strata.

    explained: 1 − Σa / Σb; None where nothing can be compared. error: of the jackknife by trials;
    ci95, t, df, p: of it, two-sided; None where they are undefined. n: images that count; labels:
    how many different labels these have. reason: why a figure is None.
    """

    explained: float | None
    ci95: tuple[float, float] | None
    t: float | None
    df: int | None
    p: float | None
    n: int
    labels: int
    error: float | None = None
    reason: str | None = None


def pair_statistic(
    embeddings: Float32s, labels: Integers, strata: Integers, patients: Integers, trials: Integers
) -> Explained:
    """Return how much the labels explain of the distance between images of different patients.

    embeddings: float32 (n, d); the others as in `pair_statistics`.
    """
    found = pair_statistics([embeddings], {"": labels}, {"": strata}, patients, trials)
    return found[""][""]


def pair_statistics(
    embeddings: Sequence[Float32s],
    labellings: Mapping[str, Integers],
    strata: Mapping[str, Integers],
    patients: Integers,
    trials: Integers,
) -> dict[str, dict[str, Explained]]:
    """Return labelling → stratum → how much it explains there, in one pass over the embeddings.

    embeddings: float32 (m, d) each, n rows in all; may be memory-mapped, since they are read some
    columns at a time. Rows with NaN and rows of zeros are left out.
    labellings: integers (n,), compared inside a stratum alone; -1 is no label, with a = b.
    strata, patients, trials: integers (n,). A stratum of one patient contributes nothing. Images of
    one patient are never compared with each other.
    Labels that divide no stratum explain 0, without a test.
    """
    norms = lengths(embeddings)
    drawn = np.flatnonzero(np.isfinite(norms) & (norms > 0))
    of = bundles(drawn, patients, trials, *labellings.values(), *strata.values())
    inside = {name: codes(np.asarray(each)[of.rows]) for name, each in strata.items()}
    labels = {name: np.asarray(each)[of.rows] for name, each in labellings.items()}
    near = {(name, s): crossed(inside[s], codes(labels[name])) for name in labels for s in inside}
    summed = others(embeddings, norms, of, [*inside.values(), *near.values()])
    far_of = dict(zip(inside, summed, strict=False))
    near_of = dict(zip(near, summed[len(inside) :], strict=True))
    return {
        name: {s: _compared(each, far_of[s], near_of[name, s]) for s in inside}
        for name, each in labels.items()
    }


def _compared(labels: Integers, far: Others, near: Others) -> Explained:
    """One labelling in one stratum; labels: integers (b,), of the bundles."""
    labelled = np.where(labels[:, None] < 0, 0, near.counts)
    near, of = Others(near.products, labelled, near.bundles), far.bundles
    compared = np.isfinite(far.distances())
    n, kinds = int(of.sizes[compared].sum()), len(np.unique(labels[compared & (labels >= 0)]))
    explained = _share(far, near)
    if explained is None:
        reason = "all pictures look the same" if n else "no stratum has pictures of two patients"
        return Explained(None, None, None, None, None, n, kinds, reason=reason)
    parts = [_share(far, near, left_out) for left_out in np.unique(of.trials[compared])]
    return _tested(explained, parts, n, kinds)


def _share(far: Others, near: Others, left_out: int | None = None) -> float | None:
    """1 − Σa / Σb; None where no image has another patient's in its stratum, or all are equal."""
    b, a = far.distances(left_out), near.distances(left_out)
    compared = np.isfinite(b) & (far.bundles.trials != left_out)
    sizes, b, a = far.bundles.sizes[compared], b[compared], a[compared]
    total = float(sizes @ b)
    if total <= ROUNDING * max(sizes.sum(), 1):
        return None
    return float(1 - sizes @ np.where(np.isfinite(a), a, b) / total)


def _tested(explained: float, parts: Sequence[float | None], n: int, labels: int) -> Explained:
    """The figure with its error, from the figures without one trial each."""
    without = np.array([part for part in parts if part is not None])
    df = len(parts) - 1
    if df < 1 or len(without) < len(parts):
        reason = "a single trial" if df < 1 else "one trial alone can be compared"
        return Explained(explained, None, None, None, None, n, labels, reason=reason)
    error = _jackknife(without)
    reach = float(stats.t.ppf(0.975, df) * error)
    interval = (explained - reach, explained + reach)
    if error <= ROUNDING:
        nothing = abs(explained) <= ROUNDING
        reason = UNDIVIDED if nothing else "without error: leaving out a trial changes nothing"
        return Explained(explained, interval, None, df, None, n, labels, error, reason)
    t = float(explained / error)
    p = float(2 * stats.t.sf(abs(t), df))
    return Explained(explained, interval, t, df, p, n, labels, error)


def _jackknife(without: Float64s) -> float:
    """The standard error, from the figures without one trial each."""
    g = len(without)
    return float(np.sqrt((g - 1) / g * np.square(without - without.mean()).sum()))
