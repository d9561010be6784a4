"""Confounding of clusters by the scanner: do they follow devices rather than anatomy?

Clusters of tags can follow the device that wrote the tags. By adjusted mutual information (AMI,
Vinh et al. 2010) they are compared with a label of the scanner, with the body part and with the
modality, on the images that have all three. The label of the scanner is fixed in advance: the
model; manufacturer or site only where no models are known. To take the label of largest AMI would
be to compare the best of three with one. Modality is compared because each scanner has one:
clusters that are modalities agree with models, too.

The rule: if the AMI of modality is larger by `MARGIN` or more than both others, clusters are
modalities; else, if those of scanner and body part differ by as much, the larger one is the
verdict; else both, or neither where neither reaches `MARGIN`. AMI is 0 by chance for any
number of levels of a label, but with more levels than clusters it cannot reach 1. So the numbers
of levels are returned.

Of single labels it is told whether their images are of one maker's machines, though others of their
modality are not.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tagsight.arrays import Integers
from tagsight.interpretation.agreement import agreement
from tagsight.run.tables import counted_person

MARGIN = 0.1
ANATOMY, MODALITY = "body_part", "modality"
SCANNERS = ("model", "manufacturer", "site")  # labels of the scanner, best first
ONE = 0.9  # share of a label's images that are of one maker
OTHERS = 0.5  # most of the others of their modality that are of this maker, too


def confounding(labels: Integers, outside: Mapping[str, pl.Series]) -> dict[str, Any]:
    """Return what clusters agree with most (`verdict`), and the figures behind it (`compared`).

    labels: integers (n,), clusters.
    outside: name -> n texts; `body_part`, and any of `modality` and SCANNERS.
    Returns in `compared`, for each of SCANNERS that can be compared, in order: `label`; `rows`
    (images with this label, body part and modality); the AMI of `scanner`, `anatomy` and
    `modality`, and in `levels` the number of levels of each; modality is null where fewer than two
    are known. `verdict` is that of the first: `scanner`, `anatomy`, `modality`, `both` or
    `neither`; `unknown` where the images with both labels have one body part or one scanner only.
    """
    rows = (_compared(labels, outside, name) for name in SCANNERS if name in outside)
    compared = [row for row in rows if row is not None]
    return {"verdict": verdict(compared[0]) if compared else "unknown", "compared": compared}


def _compared(
    labels: Integers, outside: Mapping[str, pl.Series], name: str
) -> dict[str, Any] | None:
    texts = {"scanner": outside[name], "anatomy": outside[ANATOMY]}
    known = texts["scanner"].is_not_null() & texts["anatomy"].is_not_null()
    modality = outside.get(MODALITY)
    if modality is not None and modality.filter(known).drop_nulls().n_unique() > 1:
        known &= modality.is_not_null()
        texts["modality"] = modality
    on_known = {kind: label.filter(known) for kind, label in texts.items()}
    rows = {row["label"]: row for row in agreement(labels[known.to_numpy()], on_known, k=0)}
    amis = {"modality": None} | {kind: row["ami"] for kind, row in rows.items()}
    if amis["scanner"] is None or amis["anatomy"] is None:
        return None
    levels = {kind: row["levels"] for kind, row in rows.items()}
    return {"label": name, "rows": int(known.sum()), **amis, "levels": levels}


def verdict(amis: Mapping[str, Any]) -> str:
    """Return what clusters stand for; amis: `scanner`, `anatomy`, `modality` (or None)."""
    scanner, anatomy, modality = amis["scanner"], amis["anatomy"], amis["modality"] or 0.0
    larger = max(scanner, anatomy)
    if modality - max(larger, 0) >= MARGIN:
        return "modality"
    if larger < MARGIN:
        return "neither"
    if abs(scanner - anatomy) < MARGIN:
        return "both"
    return "scanner" if scanner > anatomy else "anatomy"


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
        sample.select("image", "modality", "manufacturer", person=counted_person()), on="image"
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
