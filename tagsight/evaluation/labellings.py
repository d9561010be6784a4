"""Labellings that the pair statistic compares, and strata inside which it does: an entry for each.

Beside the labels there are baselines: groups by modality, by modality and region, by these and the
plane, by manufacturer, by scanner model, and groups of the pictures themselves, which is about the
best there is to be had.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TypeVar


@dataclass(frozen=True)
class Labelling:
    """A labelling of the trials' images.

    key: in evaluation.json.
    name: on the page and in the figure.
    columns: images with equal values in all of them are a group; if empty, `picture_groups`
    makes the labels.
    stated: those of the columns without which an image has no label; elsewhere missing is a value.
    inside: keys of the strata in which it is compared; None: in all.
    """

    key: str
    name: str
    columns: tuple[str, ...] = ()
    stated: tuple[str, ...] = ()
    inside: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Stratum:
    """What images have in common that are compared.

    key: in evaluation.json. name: heading on the page and in the figure; question: text under it.
    columns: of the sample; images are compared where all of them are equal.
    stated: those of the columns without which an image is in no stratum; elsewhere missing is a
    value. of: keys of the labellings that are compared in it; None: all.
    """

    key: str
    name: str
    question: str
    columns: tuple[str, ...] = ()
    stated: tuple[str, ...] = ()
    of: tuple[str, ...] | None = None


LABELS = Labelling("labels", "these labels", ("label",))  # those of the annotations
EMBEDDING = Labelling("embedding", "groups of the pictures")
MANUFACTURER = Labelling("manufacturer", "maker", ("manufacturer",), stated=("manufacturer",))
MODEL = Labelling("model", "scanner model", ("model",), stated=("model",), inside=("modality",))
# In the order in which they are shown.
LABELLINGS = (
    LABELS,
    Labelling("modality", "modality", ("modality",)),
    Labelling("modality_region", "modality × region", ("modality", "region")),
    Labelling(
        "modality_region_plane", "modality × region × plane", ("modality", "region", "plane")
    ),
    MANUFACTURER,
    MODEL,
    EMBEDDING,
)
ALL = Stratum("none", "Among all images", "Knowing CT from X-ray is enough to explain much.")
MODALITY = Stratum(
    "modality",
    "Inside a modality",
    "Is an image nearer to others of its label than to others of its modality? The test to go by.",
    ("modality",),
)
BY_MAKER = Stratum(
    "modality_manufacturer",
    "Inside a modality of one maker",
    "What is left if images of one maker alone are compared: what labels know beyond machines.",
    ("modality", "manufacturer"),
    stated=("manufacturer",),
)
BY_MODEL = Stratum(
    "modality_model",
    "Inside a modality of one scanner model",
    "The same of one model: a maker has many.",
    ("modality", "model"),
    stated=("model",),
    of=("labels",),
)
BY_REGION = Stratum(
    "modality_region",
    "Inside a modality and region",
    "What labels know beyond both: technique and view.",
    ("modality", "region"),
    stated=("region",),
)
# The one to go by first.
STRATA = (
    MODALITY,
    BY_REGION,
    BY_MAKER,
    BY_MODEL,
    ALL,
)
# What stands for a column that the samples of a flat run lack.
IN_PLACE = {"region": "body_part"}
Entry = TypeVar("Entry", Labelling, Stratum)


def in_columns(entries: Collection[Entry], known: Collection[str]) -> list[Entry]:
    """Return the entries in terms of the known columns; those that lack one are left out.

    known: columns of the samples. In a flat run the body part stands for the region, and there is
    no plane.
    """

    def named(columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(c if c in known else IN_PLACE.get(c, c) for c in columns)

    found = [
        replace(entry, columns=named(entry.columns), stated=named(entry.stated))
        for entry in entries
    ]
    return [entry for entry in found if set(entry.columns) <= set(known)]


def is_compared(labelling: Labelling, stratum: Stratum) -> bool:
    """Return whether a labelling is compared inside a stratum."""
    return (labelling.inside is None or stratum.key in labelling.inside) and (
        stratum.of is None or labelling.key in stratum.of
    )
