"""Labellings that a trial compares: clusters, and the baselines beside them. One entry each.

Baselines are the groups that modality, modality and body part, or manufacturer alone make, and
k-medoids on the embeddings themselves, about the best to be had.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Labelling:
    """A labelling of a trial's images.

    key: in tables and evaluation.json.
    name: on the page and in the figure.
    columns: of the sample; images with equal values in all of them are a group. Without columns
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
