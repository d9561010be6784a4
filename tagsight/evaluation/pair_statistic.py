"""The pair statistic: how much nearer, in looks, images of one label are across patients.

For image i, b is the mean cosine distance to the images of other patients in its stratum (its
modality, say), and a that to those of them that have its label too; a is b where there are none.
Explained is 1 − Σa / Σb. Images without b count in neither sum. Labels that know nothing of looks
explain about 0 on average, also where the images of a patient share them, so no label is permuted.
All trials are pooled; the error is that of a jackknife which leaves out one trial at a time.

The mean distance to a set is 1 − u·s / size, with u the image at length 1 and s the sum of the set,
so that the work grows with the number of images, not of pairs.

Source: Efron & Stein (1981), Ann. Statist. 9:586, for the jackknife.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from tagsight.arrays import Bools, Float32s, Float64s, Integers
from tagsight.evaluation.pair_sums import Others, bundles, codes, crossed, is_drawn, lengths, others

ROUNDING = 1e-12  # what is less is 0 but for rounding
ALONE = "no stratum has pictures of two patients"
UNDIVIDED = "it divides nothing that could be compared"

Combination = tuple[str, str]  # a labelling and a stratum


@dataclass(frozen=True)
class Explained:
    """How much of the distance in looks the labels explain inside strata.

    explained: 1 − Σa / Σb; None where nothing can be compared. error: of the jackknife by trials;
    ci95, t, df, p: of it, two-sided; None where they are undefined. n: images that count; labels:
    how many different labels these have; paired: how many images have another patient's of their
    label in their stratum, which the others, with a = b, lack. reason: why a figure is None.
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
    paired: int = 0


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
    strata, patients, trials: integers (n,); an image of stratum -1 is in none, and is left out. A
    stratum of one patient contributes nothing. Images of one patient are never compared.
    Labels that divide no stratum explain 0, without a test.
    """
    wanted = [(labelling, stratum) for labelling in labellings for stratum in strata]
    found = pairs(embeddings, labellings, strata, patients, trials, wanted)
    return {q: {s: found.explained(q, s) for s in strata} for q in labellings}


@dataclass(frozen=True)
class Pairs:
    """Images against those of other patients: by stratum, and by stratum and label.

    labels: labelling → integers (b,), of the bundles of images, see `pair_sums`. far: stratum →
    other patients' images there; near: labelling and stratum → those of them of the same label.
    """

    labels: Mapping[str, Integers]
    far: Mapping[str, Others]
    near: Mapping[Combination, Others]

    def explained(self, labelling: str, stratum: str, among: Bools | None = None) -> Explained:
        """Return how much a labelling explains inside a stratum.

        among: bool (b,), the bundles whose images count, see `paired`; None: all that can be
        compared. They are compared with all others.
        """
        far, near, labels = self.far[stratum], self.near[labelling, stratum], self.labels[labelling]
        if among is not None:
            far = _only(far, among)
        of, compared = far.bundles, np.isfinite(far.distances())
        n = int(of.sizes[compared].sum())
        kinds = len(np.unique(labels[compared & (labels >= 0)]))
        paired = self.images(compared & self.paired(labelling, stratum))
        explained = _share(far, near)
        if explained is None:
            reason = "all pictures look the same" if n else ALONE
            return Explained(None, None, None, None, None, n, kinds, reason=reason, paired=paired)
        parts = [_share(far, near, left_out) for left_out in np.unique(of.trials[compared])]
        return replace(_tested(explained, parts, n, kinds), paired=paired)

    def paired(self, labelling: str, stratum: str) -> Bools:
        """Return which bundles have another patient's image of their label there, bool (b,)."""
        has: Bools = np.isfinite(self.near[labelling, stratum].distances())
        return has

    def images(self, bundles: Bools) -> int:
        """Return the number of images in bundles, bool (b,)."""
        (any_of, *_) = self.far.values()
        return int(any_of.bundles.sizes[bundles].sum())


def pairs(
    embeddings: Sequence[Float32s],
    labellings: Mapping[str, Integers],
    strata: Mapping[str, Integers],
    patients: Integers,
    trials: Integers,
    wanted: Collection[Combination],
    norms: Float64s | None = None,
) -> Pairs:
    """Return images against those of other patients, in one pass over the embeddings.

    The first five as in `pair_statistics`; images whose stratum is -1 are in none. wanted: the
    labellings and strata that are compared; norms: of `lengths`, where they are known already.
    """
    norms = lengths(embeddings) if norms is None else norms
    of = bundles(
        np.flatnonzero(is_drawn(norms)), patients, trials, *labellings.values(), *strata.values()
    )
    inside = {name: np.asarray(each)[of.rows] for name, each in strata.items()}
    labels = {name: np.asarray(each)[of.rows] for name, each in labellings.items()}
    far = {name: codes(each) for name, each in inside.items()}
    near = {(q, s): crossed(far[s], codes(labels[q])) for q, s in wanted}
    summed = iter(others(embeddings, norms, of, [*far.values(), *near.values()]))
    return Pairs(
        labels,
        {s: _only(next(summed), inside[s] >= 0) for s in far},
        {(q, s): _only(next(summed), (labels[q] >= 0) & (inside[s] >= 0)) for q, s in near},
    )


def _only(of: Others, bundles: Bools) -> Others:
    """The same, but that other bundles have no others."""
    return replace(of, counts=np.where(bundles[:, None], of.counts, 0))


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
    error = jackknife(without)
    reach = float(stats.t.ppf(0.975, df) * error)
    interval = (explained - reach, explained + reach)
    if error <= ROUNDING:
        nothing = abs(explained) <= ROUNDING
        reason = UNDIVIDED if nothing else "without error: leaving out a trial changes nothing"
        return Explained(explained, interval, None, df, None, n, labels, error, reason)
    t = float(explained / error)
    p = float(2 * stats.t.sf(abs(t), df))
    return Explained(explained, interval, t, df, p, n, labels, error)


def jackknife(without: Float64s) -> float:
    """Return the standard error, from the figures without one trial each, float64 (trials,)."""
    g = len(without)
    return float(np.sqrt((g - 1) / g * np.square(without - without.mean()).sum()))
