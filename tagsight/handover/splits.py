"""Images dealt to train, validation and test: no patient in two, labels in equal shares.

Patients are dealt one after the other, those with the largest parts of labels first, each to the
split that lacks its labels most (iterative stratification for groups, after Sechidis et al. 2011).
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from tagsight.arrays import Float64s, Int64s
from tagsight.run.hashing import seeded_rank


def thinned(images: pl.DataFrame, per_label: int | None, seed: int) -> pl.DataFrame:
    """Return at most `per_label` images of each label, of as many patients as there are.

    images: `image`, `person` and `label`; per_label: None takes all; seed: of the draw.
    Returns their rows in order of `image`: a second image of a patient only where each has one.
    """
    ordered = images.with_columns(
        pl.Series("rank", [seeded_rank(seed, image) for image in images["image"]], dtype=pl.UInt64)
    ).sort("rank", "image")
    turn = pl.int_range(pl.len()).over("label", "person")
    ordered = ordered.with_columns(turn=turn).sort("turn", "rank", "image")
    if per_label is not None:
        ordered = ordered.filter(pl.int_range(pl.len()).over("label") < per_label)
    return ordered.drop("rank", "turn").sort("image")


def split(images: pl.DataFrame, shares: Mapping[str, float], seed: int) -> pl.Series:
    """Return the split of each image, String (n,); all images of a patient have one.

    images: `person` and `label`, neither null; shares: split -> its share, in any unit; splits of
    share 0 get nothing; seed: orders patients that are alike.
    The result does not depend on the order of rows.
    """
    wanted = {name: share for name, share in shares.items() if share > 0}
    counts = images.group_by("person", "label").len().sort("person", "label")
    total = pl.col("len").sum().over("label")
    parts = counts.with_columns(part=pl.col("len") / total)
    size = parts.group_by("person").agg(pl.col("part").sum())
    order = sorted(size.iter_rows(), key=lambda row: (-round(row[1], 9), seeded_rank(seed, row[0])))
    codes = parts["label"].rank("dense").cast(pl.Int64).to_numpy() - 1
    ends = np.cumsum(parts.group_by("person", maintain_order=True).len()["len"].to_numpy())
    names = parts["person"].unique(maintain_order=True).to_list()
    slices = dict(zip(names, zip([0, *ends[:-1]], ends, strict=True), strict=True))
    rows = [slice(*slices[person]) for person, _ in order]
    target = np.array(list(wanted.values()), float)
    found = dealt(rows, codes, parts["part"].to_numpy(), target / target.sum())
    by_person = {person: list(wanted)[s] for (person, _), s in zip(order, found, strict=True)}
    return images["person"].replace_strict(by_person, return_dtype=pl.String).alias("split")


def dealt(units: list[slice], labels: Int64s, parts: Float64s, shares: Float64s) -> list[int]:
    """Return the split of each unit, dealt in this order.

    units: of each its rows in the next two; labels, parts: int64 and float64 (m,), a label from 0
    on, and which part of all its images the unit has; shares: float64 (splits,), sum 1.
    Each unit goes where the sum of squared differences, over splits and labels, between the part
    that a split has and its share grows least.
    """
    filled = np.zeros((len(shares), int(labels.max(initial=-1)) + 1))
    found = []
    for rows in units:
        lack = (filled[:, labels[rows]] - shares[:, None]) @ parts[rows]
        best = int(np.argmin(lack))
        filled[best, labels[rows]] += parts[rows]
        found.append(best)
    return found
