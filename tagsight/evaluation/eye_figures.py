"""What each eye says of the labels, and what it sees: the figures of evaluation.json by eye."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from tagsight.arrays import Float32s, Int64s
from tagsight.evaluation.labellings import IN_PLACE
from tagsight.evaluation.pair import pair, rank
from tagsight.evaluation.retrieval import retrieval, similarities

MARGIN = 0.01  # agreement by which an eye has to be better than another to be called better
AUTOENCODER, PCA = "autoencoder", "pca"
SEEN = ("modality", "region")  # what an eye is to see

Retrievals = dict[str, dict[str, Any]]


def figures(
    embeddings: Sequence[Float32s], tuning: Float32s, images: pl.DataFrame
) -> dict[str, Any]:
    """Return of one eye `pair` and `retrieval`; see `pair`, of which are all arguments."""
    return {"pair": pair(embeddings, tuning, images), "retrieval": retrievals(embeddings, images)}


def retrievals(embeddings: Sequence[Float32s], images: pl.DataFrame) -> Retrievals:
    """Return what is found of modality, region and maker in other patients by one eye.

    embeddings: float32 (m, d) each, of the trials in order; they may be memory-mapped, and NaN rows
    are images that could not be drawn. images: of `trial_images`, a row for each row of these.
    Returns `modality`, `region` (in a flat run of body parts) and `manufacturer_inside_modality`,
    the fields of Retrieval each.
    """
    region = "region" if "region" in images.columns else IN_PLACE["region"]
    modality, patients = _values(images["modality"]), rank(images["patient"])
    everywhere = np.zeros(len(images), np.int64)
    asked, similar = similarities(embeddings)
    found = {
        "modality": retrieval(asked, similar, modality, everywhere, patients),
        "region": retrieval(asked, similar, _values(images[region]), everywhere, patients),
        "manufacturer_inside_modality": retrieval(
            asked, similar, _values(images["manufacturer"]), modality, patients
        ),
    }
    return {name: asdict(figures) for name, figures in found.items()}


def seen(found: Retrievals) -> float | None:
    """Return the mean agreement with modality and region; None where one could not be asked."""
    figures = [found[name]["agreement"] for name in SEEN]
    return None if None in figures else float(np.mean(figures))


def is_no_better_than_pca(eyes: Mapping[str, Mapping[str, Any]]) -> bool | None:
    """Return whether the autoencoder sees modality and region no better than components of pixels.

    eyes: of evaluation.json. It is better by an agreement of .01 at least, mean of the two. None
    where that cannot be told, or `pca` is not among the eyes.
    """
    if PCA not in eyes:
        return None
    own, other = (seen(eyes[name]["retrieval"]) for name in (AUTOENCODER, PCA))
    return None if own is None or other is None else own < other + MARGIN


def remark(eyes: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return that the autoencoder is no better than components of pixels; None where it is."""
    if not is_no_better_than_pca(eyes):
        return None
    own, other = (seen(eyes[name]["retrieval"]) or 0 for name in (AUTOENCODER, PCA))
    return (
        "The autoencoder sees no more than components of pixels do: of the nearest images in other "
        f"patients {own:.0%} have the modality or region of an image, by pca {other:.0%}."
    )


def _values(column: pl.Series) -> Int64s:
    """Values as numbers, -1 where there is none."""
    return rank(column) - 1
