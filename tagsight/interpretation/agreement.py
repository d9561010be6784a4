"""Agreement of clusters with outside labels: modality, body part, scanner, site."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tagsight.arrays import Integers

# Tags that state the modality or the body part: clusters from them agree by construction.
MODALITY_AND_BODY_PART = ("Modality", "SOPClassUID", "BodyPartExamined", "AnatomicRegionSequence")
# Tags that state the scanner or its site: the General Equipment Module (PS3.3 C.7.5.1)
# without SpatialResolution and PixelPaddingValue, which describe the image.
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
LEFT_OUT = ((), MODALITY_AND_BODY_PART, SCANNER)


def agreement(
    labels: Integers,
    outside: Mapping[str, pl.Series],
    *,
    k: int,
    left_out: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Return the scores of agreement with each outside label.

    labels: integers (n,), clusters; outside: name -> n texts, null = unknown.
    k, left_out: number of clusters, and the tags they were made without; copied to the rows.
    Returns one row per label: `k`, `label`, `left_out`; `rows` (number of known labels), `levels`
    (number of distinct ones), `missing` (number of unknown ones, which do not count); `ami`, mutual
    information adjusted for chance; `homogeneity`, one label per cluster; `completeness`, one
    cluster per label. Scores are null where fewer than two distinct labels are known.
    Source: Vinh et al. (2010); Rosenberg & Hirschberg (2007).
    """
    context = {"k": k, "left_out": list(left_out)}
    return [{**context, **_row(name, labels, texts)} for name, texts in outside.items()]


def inside(
    labels: Integers, outside: Mapping[str, pl.Series], by: pl.Series
) -> dict[str, float | None]:
    """Return the AMI of each outside label with the clusters inside the groups of another.

    labels: integers (n,), clusters; outside: name -> n texts; by: n texts, the groups; null = in
    none.
    Returns name -> the mean over groups, weighted by their images with the label. A group in which
    the label is always the same counts for nothing, since there is nothing to agree with; null
    where no group is left. Clusters that do not divide a group have 0 there.
    """
    return {name: _inside(labels, texts, by) for name, texts in outside.items()}


def _inside(labels: Integers, texts: pl.Series, by: pl.Series) -> float | None:
    from sklearn.metrics import adjusted_mutual_info_score

    known = pl.DataFrame({"by": by, "text": texts, "cluster": labels}).drop_nulls()
    parts = [
        (len(rows), float(adjusted_mutual_info_score(rows["text"], rows["cluster"])))
        for _, rows in sorted(known.group_by("by", maintain_order=True))
        if rows["text"].n_unique() > 1
    ]
    total = sum(size for size, _ in parts)
    return _rounded(sum(size * ami for size, ami in parts) / total) if total else None


def _row(name: str, labels: Integers, outside: pl.Series) -> dict[str, Any]:
    from sklearn import metrics  # a second to load

    known = outside.is_not_null()
    texts, clusters = outside.filter(known).to_numpy(), labels[known.to_numpy()]
    comparable = len(set(texts)) > 1
    return {
        "label": name,
        "rows": len(texts),
        "missing": outside.null_count(),
        "levels": len(set(texts)),
        **{
            score: _rounded(measure(texts, clusters)) if comparable else None
            for score, measure in {
                "ami": metrics.adjusted_mutual_info_score,
                "homogeneity": metrics.homogeneity_score,
                "completeness": metrics.completeness_score,
            }.items()
        },
    }


def _rounded(score: float) -> float:
    """Ten digits, since the others depend on the numbering of clusters, and scores are compared."""
    return float(f"{score:.10g}")
