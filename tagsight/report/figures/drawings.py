"""All figures of a run by file name: those from tags, and those from pixels."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tagsight.arrays import UInt8s
from tagsight.report.figures import (
    choice,
    explained,
    flow,
    nesting,
    pictures,
    silhouettes,
    training,
)

Documents = Mapping[str, Any]


def from_tags(
    documents: Documents, clusters: pl.DataFrame, epochs: int | None, tolerance: float
) -> dict[str, str]:
    """Return the figures that every run has, as SVG by file name.

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


def from_pixels(
    documents: Documents,
    epochs: pl.DataFrame,
    images: UInt8s,
    shown: Sequence[pictures.GalleryRow],
    reconstructed: UInt8s,
) -> dict[str, str | bytes]:
    """Return the figures that need pixels, as SVG or PNG by file name.

    documents: cards and evaluation; epochs: training.parquet; images: uint8 (n, 128, 128).
    reconstructed: the network's output for `pictures.examples(shown)`, none without a network.
    """
    originals = images[pictures.examples(shown)][: len(reconstructed)]
    return {
        "training.svg": training.training(epochs),
        "explained.svg": explained.explained(documents["evaluation"]),
        "gallery.png": pictures.gallery(images, shown, cluster_names(documents)),
        "reconstructions.png": pictures.reconstructions(originals, reconstructed),
    }


def cluster_names(documents: Documents) -> list[str]:
    """Return the names of cluster 1, 2, …."""
    return [card["name"] for card in documents["cards"]]
