"""Labellings that a trial compares: the clusters and their baselines, an entry for each.

Baselines are groups by modality, by modality and body part, or by manufacturer, and k-medoids on
the embeddings themselves, which is close to the best possible.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Labelling:
    """A labelling of a trial's images.

    key: in tables and evaluation.json.
    name: on the page and in the figure.
    columns: of the sample; images with equal values in all of them are a group. If empty,
    `trials.clusterings` makes the labels.
    """

    key: str
    name: str
    columns: tuple[str, ...] = ()


TAGS = Labelling("tags", "clusters from tags")  # the clusters that are tested
EMBEDDING = Labelling("embedding", "clusters from pixels")

# In the order in which they are tested and shown.
LABELLINGS = (
    TAGS,
    Labelling("modality", "modality alone", ("modality",)),
    Labelling("modality_body_part", "modality × body part", ("modality", "body_part")),
    Labelling("manufacturer", "manufacturer alone", ("manufacturer",)),
    EMBEDDING,
)
