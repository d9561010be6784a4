"""All figures of a run by file name: those from tags, and those from pixels."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tagsight.arrays import UInt8s
from tagsight.report.figures import (
    choice,
    dealing,
    explained,
    flow,
    label_silhouettes,
    nesting,
    pictures,
    silhouettes,
    training,
    tree,
)
from tagsight.report.label_tree import Kind

Documents = Mapping[str, Any]


def from_tags(
    documents: Documents, clusters: pl.DataFrame, epochs: int | None, tolerance: float
) -> dict[str, str]:
    """Return the figures from tags of a flat run, as SVG by file name.

    documents: counts, choice, cards and nesting, as their JSON files hold them.
    clusters: of a sample at the chosen K, see `silhouettes.silhouettes`.
    epochs, tolerance: see `flow.flow` and `choice.choice`.
    """
    chosen = documents["choice"]
    names = cluster_names(documents)
    return {
        "flow.svg": flow.flow(documents["counts"], chosen, epochs),
        "silhouettes.svg": silhouettes.silhouettes(clusters, names),
        "choice.svg": choice.choice(chosen, tolerance),
        "nesting.svg": nesting.nesting(documents["nesting"], chosen["k"], names),
    }


def of_labels(
    documents: Documents, kinds: Sequence[Kind], members: pl.DataFrame, epochs: int | None
) -> dict[str, str]:
    """Return the figures from tags of a tree, as SVG by file name.

    documents: counts, choice and cards; kinds, members: of `label_tree.label_tree` and
    `label_members`; epochs: see `flow.flow`.
    """
    counts, chosen = documents["counts"], documents["choice"]
    labels = sum(len(kind.labels) for kind in kinds if kind.picture)
    return {
        "flow.svg": flow.flow(counts, chosen, epochs, labels),
        "silhouettes.svg": label_silhouettes.label_silhouettes(members, cluster_names(documents)),
        "choice.svg": dealing.dealing(chosen, {kind.kind: kind.name for kind in kinds}),
        "tree.svg": tree.tree(kinds, counts["images"]),
    }


def from_pixels(
    documents: Documents,
    epochs: pl.DataFrame,
    images: UInt8s,
    shown: Sequence[pictures.GalleryRow],
    reconstructed: UInt8s,
) -> dict[str, str | bytes]:
    """Return the figures that need pixels, as SVG or PNG by file name.

    documents: choice, cards and evaluation; epochs: training.parquet; images: uint8 (n, 128, 128).
    reconstructed: the network's output for `pictures.examples(shown)`, none without a network.
    """
    originals = images[pictures.examples(shown)][: len(reconstructed)]
    return {
        "training.svg": training.training(epochs),
        "explained.svg": explained.explained(
            documents["evaluation"], "cluster" if "k" in documents["choice"] else "label"
        ),
        "gallery.png": pictures.gallery(images, shown, cluster_names(documents)),
        "reconstructions.png": pictures.reconstructions(originals, reconstructed),
    }


def cluster_names(documents: Documents) -> list[str]:
    """Return the names of cluster, or in a tree of label, 1, 2, …."""
    return [card["name"] for card in documents["cards"]]
