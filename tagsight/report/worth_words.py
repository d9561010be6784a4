"""What labels are worth, in words and as the rows of a table; see worth/worth.py."""

from collections.abc import Mapping
from typing import Any

from tagsight.report import wording

BASELINE = "modality"  # what labels have to be better than
# What a network learned, in the order of the table.
LEARNED = {
    "labels": "these {unit}s",
    "flat": "as many flat clusters, as the paper makes them",
    "modality": "modality",
    "nothing": "nothing: random weights",
}


def sentence(worth: Mapping[str, Any], unit: str) -> str:
    """Return in one sentence whether a network learns more from labels than from modality.

    worth: worth.json; unit: what a group of images is called. The words follow from the interval.
    """
    if worth["reason"]:
        return f"What {unit}s are worth could not be told: {worth['reason']}."
    low, high = worth["more"][BASELINE]["ci95"]
    if low > 0:
        return f"A network learns more from these {unit}s than from modality."
    if high < 0:
        return f"A network learns less from these {unit}s than from modality."
    return f"A network may learn as much from modality as from these {unit}s."


def told(worth: Mapping[str, Any], unit: str) -> str:
    """Return what was to be told of images, and whether labels were made from it."""
    if worth["target"] is None:
        return "labels of your own (worth.labels)"
    made = "are made from it too" if worth["read"] else "are not made from it"
    return f"{worth['target']} ({unit}s {made})"


def rows(worth: Mapping[str, Any], unit: str) -> list[dict[str, Any]]:
    """Return a row for each labelling: `name`, `classes`, `own`, `right` and `more`, as texts."""
    figures = worth["labellings"]
    return [
        {
            "name": name.format(unit=unit),
            "own": key == "labels",
            "classes": figures[key]["classes"],
            "right": _with_interval(figures[key]),
            "more": _points(worth["more"][key]) if key in worth["more"] else "",
        }
        for key, name in LEARNED.items()
        if key in figures
    ]


def _with_interval(figures: Mapping[str, Any]) -> str:
    return f"{wording.percent(figures['accuracy'])} ({wording.interval(figures['ci95'])})"


def _points(more: Mapping[str, Any]) -> str:
    """Hundredths by which labels tell more right, with their interval."""
    value, low, high = (
        f"{100 * each:.1f}".replace("-", wording.MINUS)
        for each in (more["accuracy"], *more["ci95"])
    )
    return f"{value} ({low} to {high})"
