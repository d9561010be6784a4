"""Whether clusters are scanners rather than anatomy.

Clusters made of tags can follow the device that wrote the tags. They are compared, by adjusted
mutual information (AMI, Vinh et al. 2010), with what states the scanner and with the body part, on
the images that state both. The rule: an AMI larger by `MARGIN` or more says which of the two the
clusters are to be read as; below that they are both, or where neither reaches `MARGIN`, neither.
AMI is adjusted for chance, so that many models have no advantage over few body parts.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight.agreement import agreement
from tagsight.wording import MINUS

MARGIN = 0.1
ANATOMY = "body_part"
SCANNERS = {"model": "scanner model", "manufacturer": "maker", "site": "site"}


def confounding(
    labels: NDArray[np.integer[Any]], outside: Mapping[str, pl.Series]
) -> dict[str, Any]:
    """Which the clusters agree with more: `verdict`, `label`, `rows`, `scanner`, `anatomy`.

    labels: (n,) clusters; outside: name -> n texts, `body_part` and any of SCANNERS among them.
    Of the labels that state the scanner the one is taken that clusters agree with most; `scanner`
    is its AMI and `anatomy` that of the body part, on the `rows` that state both. `verdict` is
    `scanner`, `anatomy`, `both` or `neither`; `unknown`, with nothing else, where no two body parts
    and no two scanners are stated on the same images.
    """
    found = [_compared(labels, outside[ANATOMY], outside, name) for name in SCANNERS]
    known = [row for row in found if row is not None]
    if not known:
        return {"verdict": "unknown"}
    most = max(known, key=lambda row: row["scanner"])
    return {"verdict": _verdict(most["scanner"], most["anatomy"]), **most}


def _compared(
    labels: NDArray[Any], anatomy: pl.Series, outside: Mapping[str, pl.Series], name: str
) -> dict[str, Any] | None:
    if name not in outside:
        return None
    both = anatomy.is_not_null() & outside[name].is_not_null()
    there = both.to_numpy()
    pair = {"scanner": outside[name].filter(both), "anatomy": anatomy.filter(both)}
    scores = {row["label"]: row["ami"] for row in agreement(labels[there], pair, k=0)}
    if None in scores.values():
        return None
    return {"label": name, "rows": int(there.sum()), **scores}


def _verdict(scanner: float, anatomy: float) -> str:
    if max(scanner, anatomy) < MARGIN:
        return "neither"
    if abs(scanner - anatomy) < MARGIN:
        return "both"
    return "scanner" if scanner > anatomy else "anatomy"


def sentence(found: Mapping[str, Any]) -> str:
    """Say it in one sentence; found: of `confounding`."""
    if found["verdict"] == "unknown":
        return (
            "Whether the clusters are anatomy or scanners cannot be told: too few images state "
            "both their body part and their scanner."
        )
    name = SCANNERS[found["label"]]
    scanner, anatomy = _ami(found["scanner"]), _ami(found["anatomy"])
    return {
        "scanner": f"The clusters agree more with the {name} (AMI {scanner}) than with the body "
        f"part ({anatomy}): read them as scanners rather than anatomy.",
        "anatomy": f"The clusters agree more with the body part (AMI {anatomy}) than with the "
        f"{name} ({scanner}): read them as anatomy rather than scanners.",
        "both": f"The clusters agree about as much with the {name} (AMI {scanner}) as with the "
        f"body part ({anatomy}): scanner and anatomy are mixed in them.",
        "neither": f"The clusters agree little with the {name} (AMI {scanner}) and little with the "
        f"body part ({anatomy}): they are neither scanners nor anatomy.",
    }[found["verdict"]]


def _ami(value: float) -> str:
    """`.80`, as articles write it."""
    return f"{value:.2f}".replace("0.", ".", 1).replace("-", MINUS)
