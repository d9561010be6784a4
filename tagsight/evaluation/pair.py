"""How much labels and baselines explain of the distance in looks, by one eye, over all trials."""

from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path

import numpy as np
import polars as pl

from tagsight.arrays import Float32s, Int64s
from tagsight.evaluation.labellings import (
    EMBEDDING,
    LABELLINGS,
    LABELS,
    STRATA,
    Labelling,
    Stratum,
    in_columns,
)
from tagsight.evaluation.pair_statistic import Explained, pair_statistics
from tagsight.evaluation.pair_tests import Pair, told
from tagsight.evaluation.picture_groups import picture_groups
from tagsight.run.tables import label_column, scan

NO_PICTURE = "no trial has a picture"
TOO_FEW = "the tuning sample has too few different pictures for so many groups"


def trial_images(samples: Sequence[Path | str], annotations: Sequence[Path | str]) -> pl.DataFrame:
    """Return the images of all trials in the order of the samples, with the labels they have.

    samples: of the trials, in order; annotations: all shards. Labels are those that are shipped.
    Returns `trial` (from 0), `patient` (where that is unknown the series, else the image), `label`
    (null = none; the cluster in a flat run) and the columns of LABELLINGS and STRATA that samples
    have.
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
    known = [name for name in images.columns if name in wanted - {"label"}]
    joined = images.join(labels, on="image", how="left", maintain_order="left")
    return joined.select("trial", person, "label", *known)


def pair(embeddings: Sequence[Float32s], tuning: Float32s, images: pl.DataFrame) -> Pair:
    """Return labelling → stratum → how much it explains there, as in evaluation.json.

    embeddings: float32 (m, d) each, of the trials in order, by one eye; tuning: float32 (t, d), of
    the tuning sample. They may be memory-mapped; NaN rows are images that could not be drawn.
    images: of `trial_images`, a row for each row of the embeddings.
    """
    by_columns: list[Labelling] = in_columns(LABELLINGS, images.columns)
    strata = {s.key: group(images, s) for s in in_columns(STRATA, images.columns)}
    labels = {each.key: group(images, each) for each in by_columns if each.columns}
    drawn = [np.isfinite(array[:, :1]).all(axis=1) for array in embeddings]
    k = len(np.unique(labels[LABELS.key][np.concatenate([*drawn, np.zeros(0, bool)])]))
    groups = picture_groups(tuning, embeddings, k)
    if groups is not None:
        labels[EMBEDDING.key] = groups
    patients, trials = (rank(images[name]) for name in ("patient", "trial"))
    found = pair_statistics(embeddings, labels, strata, patients, trials)
    if groups is None:
        none = Explained(None, None, None, None, None, 0, 0, reason=TOO_FEW if k else NO_PICTURE)
        found[EMBEDDING.key] = dict.fromkeys(strata, none)
    return told({each.key: found[each.key] for each in by_columns})


def columns_of(images: pl.DataFrame) -> Mapping[str, Sequence[str]]:
    """Return labelling or stratum → the columns it is made of, as in evaluation.json."""
    labellings = {each.key: list(each.columns) for each in in_columns(LABELLINGS, images.columns)}
    strata = {each.key: list(each.columns) for each in in_columns(STRATA, images.columns)}
    return {key: columns for key, columns in (labellings | strata).items() if columns}


def group(images: pl.DataFrame, by: Labelling | Stratum) -> Int64s:
    """Return the group of each image, int64 (n,); missing is a value, too.

    Without columns all images are one group.
    """
    codes = [rank(images[name]) for name in by.columns]
    return reduce(_crossed, codes, np.zeros(len(images), np.int64))


def rank(values: pl.Series) -> Int64s:
    """Return values as numbers in their order from 1, int64 (n,); 0 where there is none."""
    return values.rank("dense").fill_null(0).to_numpy().astype(np.int64)


def _crossed(coarse: Int64s, fine: Int64s) -> Int64s:
    return coarse * (fine.max(initial=0) + 1) + fine
