"""How well clusters agree with labels known from elsewhere: modality, body part, scanner, site."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score, homogeneity_score
from sklearn.metrics import completeness_score as completeness

# Tags that state the modality or the body part: clusters made with them agree by construction.
TELLING = ("Modality", "SOPClassUID", "BodyPartExamined", "AnatomicRegionSequence")
# Tags that state the scanner or where it stands: the General Equipment Module (PS3.3 C.7.5.1) but
# for the two of its attributes that describe the image, SpatialResolution and PixelPaddingValue.
SCANNER = (
    "Manufacturer",
    "ManufacturerModelName",
    "ManufacturerDeviceClassUID",
    "DeviceDescription",
    "DeviceSerialNumber",
    "DeviceUID",
    "UniqueDeviceIdentifier",
    "UDISequence",
    "GantryID",
    "SoftwareVersions",
    "StationName",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "InstitutionalDepartmentTypeCodeSequence",
    "DateOfInstallation",
    "DateOfManufacture",
    "DateOfLastCalibration",
    "TimeOfLastCalibration",
)
LEFT_OUT = ((), TELLING, SCANNER)


def agreement(
    labels: NDArray[np.integer[Any]],
    outside: Mapping[str, pl.Series],
    *,
    k: int,
    left_out: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """A row an outside label: `k`, `label`, `left_out`, its counts, and the three scores.

    labels: (n,) clusters; outside: name -> n texts, null where unknown: `missing`, left out, beside
    the `rows` that are known, of so many different `levels`.
    `ami`: mutual information adjusted for chance (Vinh et al. 2010); `homogeneity`, `completeness`
    (Rosenberg & Hirschberg 2007): one label a cluster, one cluster a label. Null where fewer than
    two different labels are known, since then there is nothing to agree with.
    """
    context = {"k": k, "left_out": list(left_out)}
    return [{**context, **_row(name, labels, known)} for name, known in outside.items()]


def _row(name: str, labels: NDArray[Any], known: pl.Series) -> dict[str, Any]:
    there = known.is_not_null().to_numpy()
    texts, found = known.filter(pl.Series(there)).to_numpy(), labels[there]
    some = len(set(texts)) > 1
    return {
        "label": name,
        "rows": int(there.sum()),
        "missing": int((~there).sum()),
        "levels": len(set(texts)),
        "ami": _digits(adjusted_mutual_info_score(texts, found)) if some else None,
        "homogeneity": _digits(homogeneity_score(texts, found)) if some else None,
        "completeness": _digits(completeness(texts, found)) if some else None,
    }


def _digits(score: float) -> float:
    return float(f"{score:.10g}")
