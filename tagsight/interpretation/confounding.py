"""Confounding of clusters by the scanner: do they follow devices rather than anatomy?

Clusters made of tags can follow the device that wrote the tags. By adjusted mutual information
(AMI, Vinh et al. 2010) they are compared with what states the scanner, with the body part and with
the modality, on the images that state all three. Which label stands for the scanner is set
beforehand: the model, and the maker or the site only where no models are stated. To take whichever
agrees most would be to compare the best of three with one. The modality is there because a scanner
has one: clusters that are modalities agree with models too.

The rule: an AMI larger by `MARGIN` or more than both others says that clusters are modalities; else
one larger by as much, of scanner and body part, says which of these two they are to be read as;
below that they are both, or where neither of the two reaches `MARGIN`, neither. AMI is 0 by chance
however many kinds a label has, but a label of more kinds than there are clusters cannot reach 1:
the numbers of kinds are given for that reason.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from tagsight.arrays import Integers
from tagsight.interpretation.agreement import agreement

MARGIN = 0.1
ANATOMY, MODALITY = "body_part", "modality"
SCANNERS = ("model", "manufacturer", "site")  # labels that stand for the scanner, best first


def confounding(labels: Integers, outside: Mapping[str, pl.Series]) -> dict[str, Any]:
    """Return what clusters agree with more: `verdict`, and the figures behind it, `compared`.

    labels: integers (n,), clusters.
    outside: name -> n texts; `body_part`, and any of `modality` and SCANNERS among them.
    Returns in `compared` for each of SCANNERS that can be compared, in their order: `label`, the
    `rows` that state it, the body part and the modality, and of each of the three (`scanner`,
    `anatomy`, `modality`) its AMI and in `levels` its number of kinds; the modality is null where
    there are no two. `verdict` is that of the first: `scanner`, `anatomy`, `modality`, `both` or
    `neither`; `unknown` where no two body parts and no two scanners are stated on the same images.
    """
    rows = (_compared(labels, outside, name) for name in SCANNERS if name in outside)
    compared = [row for row in rows if row is not None]
    return {"verdict": verdict(compared[0]) if compared else "unknown", "compared": compared}


def _compared(
    labels: Integers, outside: Mapping[str, pl.Series], name: str
) -> dict[str, Any] | None:
    named = {"scanner": outside[name], "anatomy": outside[ANATOMY]}
    known = named["scanner"].is_not_null() & named["anatomy"].is_not_null()
    modality = outside.get(MODALITY)
    if modality is not None and modality.filter(known).drop_nulls().n_unique() > 1:
        known &= modality.is_not_null()
        named["modality"] = modality
    stated = {kind: texts.filter(known) for kind, texts in named.items()}
    rows = {row["label"]: row for row in agreement(labels[known.to_numpy()], stated, k=0)}
    amis = {"modality": None} | {kind: row["ami"] for kind, row in rows.items()}
    if amis["scanner"] is None or amis["anatomy"] is None:
        return None
    levels = {kind: row["levels"] for kind, row in rows.items()}
    return {"label": name, "rows": int(known.sum()), **amis, "levels": levels}


def verdict(amis: Mapping[str, Any]) -> str:
    """Return what to read clusters as; amis: `scanner`, `anatomy`, `modality` (or None)."""
    scanner, anatomy, modality = amis["scanner"], amis["anatomy"], amis["modality"] or 0.0
    larger = max(scanner, anatomy)
    if modality - max(larger, 0) >= MARGIN:
        return "modality"
    if larger < MARGIN:
        return "neither"
    if abs(scanner - anatomy) < MARGIN:
        return "both"
    return "scanner" if scanner > anatomy else "anatomy"
