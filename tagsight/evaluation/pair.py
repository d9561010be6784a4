"""How much labels and baselines explain of the distance in looks, by one eye, over all trials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tagsight.arrays import Bools, Float32s, Int64s
from tagsight.clustering import k_medoids
from tagsight.evaluation.centres import cosine_distances, inner_products
from tagsight.evaluation.labellings import (
    EMBEDDING,
    LABELLINGS,
    LABELS,
    STRATA,
    Labelling,
    Stratum,
    in_columns,
    is_compared,
)
from tagsight.evaluation.pair_statistic import Explained, Pairs, pairs
from tagsight.evaluation.pair_sums import PIECE, crossed, is_drawn, lengths
from tagsight.evaluation.scanners import BEYOND, Beyond, beyond
from tagsight.run.tables import label_column, scan
from tagsight.terms.defined_terms import modalities

NO_PICTURE = "no trial has a picture"
TOO_FEW = "the tuning sample has too few different pictures for so many groups"
UNSTATED = "no image states its "  # and what
READABLE = {"manufacturer": "maker", "model": "scanner model", "body_part": "body part"}
OTHER = "other"  # in place of a modality that is no term of the standard


@dataclass(frozen=True)
class Compared:
    """What is found by one eye.

    explained: labelling → stratum → figures; beyond: of BEYOND, stratum → figures; drawn: bool
    (n,), which images there are descriptions of.
    """

    explained: Mapping[str, Mapping[str, Explained]]
    beyond: Mapping[str, Beyond]
    drawn: Bools


def trial_images(samples: Sequence[Path | str], annotations: Sequence[Path | str]) -> pl.DataFrame:
    """Return the images of all trials in the order of the samples, with the labels they have.

    samples: of the trials, in order; annotations: all shards. Labels are those that are shipped.
    Returns `trial` (from 0), `patient` (where that is unknown the series, else the image),
    `has_patient` (whether it is known), `label` (null = none; the cluster in a flat run) and the
    columns of LABELLINGS and STRATA that samples have.
    """
    images = pl.concat(
        [pl.read_parquet(path).with_columns(trial=pl.lit(i)) for i, path in enumerate(samples)],
        how="diagonal_relaxed",
    )
    shipped = scan(annotations)
    label = label_column(shipped.collect_schema().names()).alias("label")
    drawn = images.lazy().select("image")
    labels = shipped.select("image", label).join(drawn, on="image", how="semi").collect()
    wanted = {c for entry in (*LABELLINGS, *STRATA) for c in (*entry.columns, "body_part")}
    person = pl.coalesce("patient", "series", "image").alias("patient")
    has_patient = pl.col("patient").is_not_null().alias("has_patient")
    known = [name for name in images.columns if name in wanted - {"label"}]
    joined = images.join(labels, on="image", how="left", maintain_order="left")
    return joined.select("trial", person, has_patient, "label", *known)


def pair(embeddings: Sequence[Float32s], tuning: Float32s, images: pl.DataFrame) -> Compared:
    """Return how much labelling by labelling explains in each stratum, by one eye.

    embeddings: float32 (m, d) each, of the trials in order, by one eye; tuning: float32 (t, d), of
    the tuning sample. They may be memory-mapped; NaN rows are images that could not be drawn.
    images: of `trial_images`, a row for each row of the embeddings.
    """
    labellings: list[Labelling] = in_columns(LABELLINGS, images.columns)
    strata: list[Stratum] = in_columns(STRATA, images.columns)
    wanted = [(q.key, s.key) for q in labellings for s in strata if is_compared(q, s)]
    groups_of = {each.key: group(images, each) for each in labellings if each.columns}
    inside = {each.key: group(images, each) for each in strata}
    norms = lengths(embeddings)
    drawn = is_drawn(norms)
    k = len(np.unique(groups_of[LABELS.key][drawn]))
    groups = picture_groups(tuning, embeddings, k)
    if groups is not None:
        groups_of[EMBEDDING.key] = groups
    reasons = {
        **{each.key: _unstated(groups_of[each.key], each) for each in labellings if each.columns},
        **{each.key: _unstated(inside[each.key], each) for each in strata},
        EMBEDDING.key: None if groups is not None else TOO_FEW if k else NO_PICTURE,
    }
    patients, trials = (rank(images[name]) for name in ("patient", "trial"))
    known = [(q, s) for q, s in wanted if q in groups_of]
    found = pairs(embeddings, groups_of, inside, patients, trials, known, norms)
    explained: dict[str, dict[str, Explained]] = {}
    for q, s in wanted:
        explained.setdefault(q, {})[s] = _explained(found, q, s, reasons[q] or reasons[s])
    return Compared(explained, {s: beyond(found, s) for s in BEYOND if s in inside}, drawn)


def untested(drawn: Bools, images: pl.DataFrame) -> dict[str, Any]:
    """Return how many images could not be compared, or only as of their series.

    drawn: bool (n,), see Compared; images: as in `pair`.
    Returns `images` (drawn), `without_patient` (drawn, of unknown patients), `alone`: modality →
    drawn images of those that have pictures of one patient alone (`other` for all that are no
    Defined Terms, empty where it is not stated).
    """
    described = images.filter(pl.Series(drawn))
    term = pl.col("modality").fill_null("")
    listed = pl.when(term.is_in(["", *sorted(modalities())])).then(term).otherwise(pl.lit(OTHER))
    of_modality = described.group_by("modality").agg(
        pl.len().alias("n"), pl.col("patient").n_unique().alias("patients")
    )
    alone = of_modality.filter(pl.col("patients") == 1).group_by(listed.alias("term"))
    rows = alone.agg(pl.col("n").sum()).sort("term").iter_rows()
    return {
        "images": len(described),
        "without_patient": int((~described["has_patient"]).sum()),
        "alone": {modality: int(n) for modality, n in rows},
    }


def columns_of(images: pl.DataFrame) -> Mapping[str, Sequence[str]]:
    """Return labelling or stratum → the columns it is made of, as in evaluation.json."""
    labellings = {each.key: list(each.columns) for each in in_columns(LABELLINGS, images.columns)}
    strata = {each.key: list(each.columns) for each in in_columns(STRATA, images.columns)}
    return {key: columns for key, columns in (labellings | strata).items() if columns}


def group(images: pl.DataFrame, by: Labelling | Stratum) -> Int64s:
    """Return the group of each image, int64 (n,); -1 where what must be stated is not.

    Elsewhere missing is a value, too. Without columns all images are one group.
    """
    ranks = [rank(images[name]) for name in by.columns]
    groups = reduce(crossed, ranks, np.zeros(len(images), np.int64))
    lacking = [images[name].is_null().to_numpy() for name in by.stated]
    return np.where(reduce(np.logical_or, lacking, np.zeros(len(images), np.bool_)), -1, groups)


def picture_groups(tuning: Float32s, embeddings: Sequence[Float32s], k: int) -> Int64s | None:
    """Return the group of each image, int64 (n,), from 0; None where the sample is too small for k.

    Groups are of the embeddings alone and the same in all trials: the medoids are those of the
    tuning sample, and a trial's image is in the group of the nearest, as labels are made. No image
    of a trial has a say in what the groups are.

    tuning: float32 (t, d), embeddings of the tuning sample; embeddings: float32 (m, d) each, n rows
    in all; of any, rows with NaN are images that are not there, in group -1. All may be
    memory-mapped. k: how many groups.
    """
    norms = lengths([tuning])
    drawn = np.flatnonzero(is_drawn(norms))
    if len(drawn) < 2 or not k:
        return None
    products = inner_products(tuning)[np.ix_(drawn, drawn)]
    found = k_medoids.grid(cosine_distances(products), [k])
    if not found:
        return None
    medoids = drawn[found[0].medoids]
    units = (tuning[medoids] / norms[medoids, None]).astype(np.float32)
    return np.concatenate([_nearest(array, units) for array in embeddings])


def rank(values: pl.Series) -> Int64s:
    """Return values as numbers in their order from 1, int64 (n,); 0 where there is none."""
    return values.rank("dense").fill_null(0).to_numpy().astype(np.int64)


def _explained(found: Pairs, labelling: str, stratum: str, reason: str | None) -> Explained:
    """The figures, or the reason why there are none."""
    if reason is not None:
        return Explained(None, None, None, None, None, 0, 0, reason=reason)
    return found.explained(labelling, stratum)


def _unstated(groups: Int64s, by: Labelling | Stratum) -> str | None:
    """That no image states what it must, if so."""
    if not len(groups) or not by.stated or (groups >= 0).any():
        return None
    return UNSTATED + " and ".join(READABLE.get(name, name) for name in by.stated)


def _nearest(array: Float32s, units: Float32s) -> Int64s:
    """The place of the unit vector with the largest inner product, -1 of NaN: int64 (m,)."""
    found = [np.zeros(0, np.int64)]
    with threadpool_limits(1):  # as elsewhere: the order of sums
        for piece in np.array_split(array, max(array.size // PIECE, 1)):
            products = piece @ units.T
            found.append(np.where(np.isnan(products[:, 0]), -1, products.argmax(axis=1)))
    return np.concatenate(found)
