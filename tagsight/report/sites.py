"""The section on sites: labels that are found at each, and whether labels are sites."""

from collections.abc import Mapping, Sequence
from typing import Any

from tagsight.interpretation.confounding import MARGIN
from tagsight.report.wording import ami

Row = Mapping[str, Any]

MOST_SITES = 20  # that are shown

# What the site is compared with, as the table names it.
COMPARED = {
    "label": "the label",
    "modality": "the modality",
    "region": "the region of the body",
    "body_part": "the body part",
    "manufacturer": "the manufacturer",
}


def values(stored: Mapping[str, Any], *, named: bool) -> dict[str, Any]:
    """Return what the section shows.

    stored: sites.json; named: whether sites are called as they are there, else by their number, as
    in samples: a table's column may hold the names of institutions.
    Returns `site_sentence`; `site_rows`: the MOST_SITES largest as stored, with `alone` as labels
    with their names; `site_labels`: `label`, `name`, and `shares` in the order of these (None: too
    few patients); `site_scores`: rows of `confounding` with their name; `site_roles`: of `roles`.
    """
    names = {label["label"]: label["name"] for label in stored["labels"]}
    largest = sorted(enumerate(stored["sites"], 1), key=lambda each: -each[1]["images"])
    sites = sorted(largest[:MOST_SITES], key=lambda each: each[0])
    return {
        "site_sentence": sentence(stored),
        "site_rows": [
            {
                **row,
                "site": row["site"] if named else f"site {number}",
                "alone": [(label, names[label]) for label in row["alone"]],
            }
            for number, row in sites
        ],
        "site_labels": [
            {**label, "shares": [_share(label, row["site"]) for _, row in sites]}
            for label in stored["labels"]
        ],
        "site_scores": [{**row, "name": COMPARED[row["with"]]} for row in stored["confounding"]],
        "site_roles": stored["roles"] or [],
    }


def _share(label: Row, site: str) -> float | None:
    at: Row = label["sites"].get(site, {})
    return at.get("share")


def sentence(stored: Mapping[str, Any]) -> str:
    """Return in one sentence whether labels are sites, or sites image different things."""
    if len(stored["sites"]) < 2:
        return "Images are known to be of one site alone, so there is nothing to compare."
    anatomy = _anatomy(stored["confounding"])
    labels, regions = anatomy["label_inside_modality"], anatomy["inside_modality"]
    if labels is None or regions is None:
        return (
            "Whether labels are sites cannot be told: no modality of images whose region is known "
            "is found at several sites."
        )
    labels, regions = (round(score, 2) + 0.0 for score in (labels, regions))  # no minus before 0
    scores = f"(AMI {ami(labels)})", f"(AMI {ami(regions)})"
    if labels - regions >= MARGIN:
        return (
            f"Inside a modality labels go with the site {scores[0]} more than the region of the "
            f"body does {scores[1]}: beyond the parts of the body that sites image, labels follow "
            "the site, by its own technique or its machines."
        )
    if labels < MARGIN:
        return f"Inside a modality labels hardly go with the site {scores[0]}: they are not sites."
    return (
        f"Inside a modality labels go with the site {scores[0]} no more than the region of the "
        f"body does {scores[1]}, within {MARGIN}: sites image different things, and labels follow."
    )


def _anatomy(rows: Sequence[Row]) -> Row:
    """The row of the region, of a flat run of the body part."""
    return next(row for row in rows if row["with"] in ("region", "body_part"))
