"""Which labels are of one maker's machines, though others of their modality are not."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from tagsight.run.tables import person

ONE = 0.9  # share of a label's images that are of one maker
OTHERS = 0.5  # most of the others of their modality that are of this maker, too


def with_makers(
    cards: Sequence[dict[str, Any]],
    key: str,
    sample: pl.DataFrame,
    members: pl.DataFrame,
    min_patients: int,
) -> list[dict[str, Any]]:
    """Return the cards with `maker`: how many images of a label are of its most frequent maker.

    cards: with the number of their label, or cluster, under `key`; sample: the tuning sample with
    `manufacturer` and `modality`; members: its images with that number as `cluster`.
    `maker` has `inside`, its share of the label's images; `outside`, that of other labels' images
    of the same modalities, as often as the label has them; and `one`, whether the label is of one
    maker though the others are not. It is None where fewer patients, or no others, state a maker.
    """
    stated = members.join(
        sample.select("image", "modality", "manufacturer", person=person()), on="image"
    ).drop_nulls("manufacturer")
    return [card | {"maker": _maker(stated, card[key], min_patients)} for card in cards]


def _maker(stated: pl.DataFrame, label: int, min_patients: int) -> dict[str, Any] | None:
    mine = pl.col("cluster") == label
    inside, others = stated.filter(mine), stated.filter(~mine)
    if inside["person"].n_unique() < min_patients:
        return None
    most = inside["manufacturer"].value_counts().sort("count", "manufacturer", descending=True)
    maker, count = most.row(0)
    of_others = others.group_by("modality").agg(share=(pl.col("manufacturer") == maker).mean())
    outside = inside.join(of_others, on="modality", nulls_equal=True)["share"].mean()
    if not isinstance(outside, float):
        return None
    share = count / len(inside)
    one = share >= ONE and outside <= OTHERS
    return {"inside": round(share, 4), "outside": round(outside, 4), "one": one}
