"""What each eye says of the labels, and what it sees: the figures of evaluation.json by eye."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from tagsight.arrays import Float32s, Int64s
from tagsight.evaluation.labellings import IN_PLACE, LABELS, MODALITY
from tagsight.evaluation.pair import Compared, pair, rank
from tagsight.evaluation.pair_statistic import jackknife
from tagsight.evaluation.pair_tests import by_eyes, told
from tagsight.evaluation.retrieval import retrieval, similarities
from tagsight.evaluation.scanners import scanners

AUTOENCODER, HOG, PCA = "autoencoder", "hog", "pca"
# What is told of the autoencoder beside eyes that learn nothing.
FORMULAS = {PCA: "no more than components of pixels (pca)", HOG: "less than gradients (hog)"}
SEEN = ("modality", "region")  # what an eye is to see

Retrievals = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class EyeFigures:
    """What is found by one eye."""

    compared: Compared
    retrieval: Retrievals


def eye(embeddings: Sequence[Float32s], tuning: Float32s, images: pl.DataFrame) -> EyeFigures:
    """Return what is found by one eye; see `pair`, of which are all arguments."""
    return EyeFigures(pair(embeddings, tuning, images), retrievals(embeddings, images))


def figures(eyes: Mapping[str, EyeFigures]) -> dict[str, Any]:
    """Return of evaluation.json what is found by all eyes; the first is the autoencoder.

    Returns `pair` and `scanners` by the first, and `eyes`: eye → `pair`, `retrieval`, and `sees`,
    see `seen_beyond`, None of the first.
    """
    explained = {name: each.compared.explained for name, each in eyes.items()}
    corrected = by_eyes(explained, (LABELS.key, MODALITY.key))
    pairs = {name: told(explained[name], corrected[name]) for name in eyes}
    own = eyes[AUTOENCODER]
    return {
        "pair": pairs[AUTOENCODER],
        "scanners": scanners(pairs[AUTOENCODER], own.compared.beyond),
        "eyes": {
            name: {
                "pair": pairs[name],
                "retrieval": each.retrieval,
                "sees": None if each is own else seen_beyond(own.retrieval, each.retrieval),
            }
            for name, each in eyes.items()
        },
    }


def retrievals(embeddings: Sequence[Float32s], images: pl.DataFrame) -> Retrievals:
    """Return what is found of modality, region and maker in other patients by one eye.

    embeddings: float32 (m, d) each, of the trials in order; they may be memory-mapped, and NaN rows
    are images that could not be drawn. images: of `trial_images`, a row for each row of these.
    Returns `modality`, `region` (in a flat run of body parts) and `manufacturer_inside_modality`,
    the fields of Retrieval each.
    """
    region = "region" if "region" in images.columns else IN_PLACE["region"]
    modality, patients = _values(images["modality"]), rank(images["patient"])
    trials = rank(images["trial"]) - 1
    everywhere = np.zeros(len(images), np.int64)
    asked, similar = similarities(embeddings)
    found = {
        "modality": retrieval(asked, similar, modality, everywhere, patients, trials),
        "region": retrieval(asked, similar, _values(images[region]), everywhere, patients, trials),
        "manufacturer_inside_modality": retrieval(
            asked, similar, _values(images["manufacturer"]), modality, patients, trials
        ),
    }
    return {name: asdict(figures) for name, figures in found.items()}


def seen(found: Retrievals, left_out: int | None = None) -> float | None:
    """Return the mean agreement with modality and region; None where one could not be asked.

    left_out: the trial whose images are not asked.
    """
    if left_out is None:
        figures = [found[name]["agreement"] for name in SEEN]
    else:
        figures = [_without(found[name]["by_trial"], left_out) for name in SEEN]
    return None if None in figures else float(np.mean(figures))


def seen_beyond(own: Retrievals, other: Retrievals) -> dict[str, Any] | None:
    """Return by how much another eye sees more of modality and region than the autoencoder.

    own, other: of the autoencoder and the other, asked with the same images.
    Returns `difference` in agreement, mean of the two, and `ci95`, by a jackknife that leaves out
    one trial's images at a time; None where one could not be asked, or there is one trial.
    """
    trials = [i for i, (_, n) in enumerate(own["modality"]["by_trial"]) if n]
    whole = [seen(other), seen(own)]
    parts = [[seen(other, trial), seen(own, trial)] for trial in trials]
    if len(trials) < 2 or any(None in each for each in (whole, *parts)):
        return None
    difference, *without = (
        float(a - b) for a, b in [whole, *parts] if a is not None and b is not None
    )
    g = len(without)
    reach = float(stats.t.ppf(0.975, g - 1) * jackknife(np.array(without)))
    return {"difference": difference, "ci95": (difference - reach, difference + reach)}


def remark(eyes: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return which eyes that learn nothing see as much as the autoencoder; None where none does.

    eyes: of evaluation.json. It is to see more than components of pixels by the 95 % interval of
    the difference, and no less than gradients.
    """
    told = [name for name in FORMULAS if name in eyes and _is_beaten(name, eyes[name]["sees"])]
    if not told:
        return None
    by = [
        f"by {name} {100 * abs(more):.1f} in a hundred {'fewer' if more < 0 else 'more'}"
        for name, more in ((name, eyes[name]["sees"]["difference"]) for name in told)
    ]
    return (
        f"The autoencoder sees {' and '.join(FORMULAS[name] for name in told)}: {', '.join(by)} of "
        "the nearest images in other patients have the modality or region of an image."
    )


def _is_beaten(name: str, sees: Mapping[str, Any] | None) -> bool:
    """Whether the autoencoder is to be told to see no more than a formula."""
    if sees is None:
        return False
    low, high = sees["ci95"]
    return bool(high >= 0 if name == PCA else low > 0)


def _without(by_trial: Sequence[tuple[float | None, int]], left_out: int) -> float | None:
    """The mean agreement over all trials but one; None where these have no image."""
    rest = [
        (share, n) for i, (share, n) in enumerate(by_trial) if i != left_out and share is not None
    ]
    total = sum(n for _, n in rest)
    return sum(share * n for share, n in rest) / total if total else None


def _values(column: pl.Series) -> Int64s:
    """Values as numbers, -1 where there is none."""
    return rank(column) - 1
