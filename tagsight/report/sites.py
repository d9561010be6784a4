"""The section on sites: labels that are found at each, and whether labels are sites."""

from collections.abc import Mapping, Sequence
from typing import Any

from tagsight.interpretation.confounding import MARGIN
from tagsight.report.wording import ami

Row = Mapping[str, Any]

# What the site is compared with, as the table names it.
COMPARED = {
    "label": "the label",
    "modality": "the modality",
    "region": "the region of the body",
    "body_part": "the body part",
    "manufacturer": "the manufacturer",
}


def values(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the section shows; stored: sites.json.

    Returns `site_sentence`; `site_rows`: as stored, with `alone` as labels with their names;
    `site_labels`: `label`, `name`, and `shares` in the order of sites (None: too few patients);
    `site_scores`: rows of `confounding` with their name; `site_roles`: of `roles`, if any.
    """
    names = {label["label"]: label["name"] for label in stored["labels"]}
    sites = [site["site"] for site in stored["sites"]]
    return {
        "site_sentence": sentence(stored),
        "site_rows": [
            {**row, "alone": [(label, names[label]) for label in row["alone"]]}
            for row in stored["sites"]
        ],
        "site_labels": [
            {**label, "shares": [label["sites"].get(site, {}).get("share") for site in sites]}
            for label in stored["labels"]
        ],
        "site_scores": [{**row, "name": COMPARED[row["with"]]} for row in stored["confounding"]],
        "site_roles": stored["roles"] or [],
    }


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
    scores = f"(AMI {ami(labels)})", f"(AMI {ami(regions)})"
    if labels - regions >= MARGIN:
        return (
            f"Inside a modality labels go with the site {scores[0]} more than the region of the "
            f"body does {scores[1]}: labels are sites in part, beyond what sites image."
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
