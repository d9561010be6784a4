"""How good labels are on patients whose images took no part in the fit."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from study.archives import Archive
from tagsight.arrays import Bools, Float32s, Int64s
from tagsight.evaluation.pair_statistic import pair_statistic
from tagsight.interpretation.agreement import inside

COMPONENTS = 40  # of the pictures
TRIALS = 10  # groups of patients, for the error of the pair statistic
LEAST = 3  # images of a planted group that counts


def fitted_half(archive: Archive) -> Bools:
    """Return the images of every second patient, bool (n,)."""
    ranks = archive.tags.select(pl.col("patient").rank("dense")).to_series().to_numpy()
    return np.asarray(ranks % 2 == 0)


def planted_number(archive: Archive, fitted: Bools) -> int:
    """Return how many groups were planted in the images that labels are made of."""
    truth = archive.truth.filter(pl.Series(fitted))
    groups = truth.group_by("modality", "content").len()
    return groups.filter(pl.col("len") >= LEAST).height


def scores(archive: Archive, fitted: Bools, labels: pl.Series) -> dict[str, float | int | None]:
    """Return how labels agree, inside modality, with what was planted, with machines, with looks.

    labels: (n,), of any type. Figures are of the images of other patients than the fitted ones:
    AMI with `content` (part, view, contrast), with `part`, with `machine`, and how much of the
    distance in looks they explain (pair statistic on principal components of pictures).
    """
    held_out = pl.Series(~fitted)
    truth, patients = archive.truth.filter(held_out), archive.tags["patient"].filter(held_out)
    codes = _codes(labels.filter(held_out))
    outside = {name: truth[name] for name in ("content", "part", "machine")}
    said = pair_statistic(
        components(archive, fitted)[~fitted],
        codes,
        _codes(truth["modality"]),
        _codes(patients),
        _codes(patients) % TRIALS,
    )
    agreed = inside(codes, outside, truth["modality"])
    return {**agreed, "explained": said.explained, "labels": len(np.unique(codes))}


def references(archive: Archive) -> Iterator[tuple[str, pl.Series]]:
    """Yield labels that are no clusters: what was planted, machines, and two tags as they are."""
    truth = archive.truth
    for name in ("part", "content", "machine"):
        yield f"planted {name}", truth.select(pl.concat_str("modality", name)).to_series()
    stated = pl.col("Modality", "BodyPartExamined").fill_null("").str.to_uppercase()
    tags = archive.tags.select(stated).select(pl.concat_str(pl.all(), separator=" "))
    yield "Modality × BodyPartExamined", tags.to_series()


def components(archive: Archive, fitted: Bools) -> Float32s:
    """Return principal components of the pictures, float32 (n, COMPONENTS).

    They are those of the fitted images, so that nothing is known of the others.
    """
    flat = archive.pictures.reshape(len(fitted), -1).astype(np.float64) / 255
    centred = flat - flat[fitted].mean(axis=0)
    _, _, axes = np.linalg.svd(centred[fitted], full_matrices=False)
    return (centred @ axes[:COMPONENTS].T).astype(np.float32)


def _codes(texts: pl.Series) -> Int64s:
    return texts.rank("dense").fill_null(0).to_numpy().astype(np.int64)
