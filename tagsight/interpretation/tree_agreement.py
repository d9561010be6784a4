"""Agreement of the labels of a tree with outside labels, over all and inside each modality."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from tagsight.arrays import Int64s
from tagsight.gower.distinct_rows import Weight
from tagsight.interpretation.agreement import MODALITY_AND_BODY_PART, agreement, inside
from tagsight.interpretation.confounding import confounding
from tagsight.tags.labels import LABELS
from tagsight.tree.clusters import kind_clusters
from tagsight.tree.encodings import Tree

# What states the body part: labels made from it agree with it by construction.
STATED = ("region", *MODALITY_AND_BODY_PART)


def tree_agreement(
    sample: pl.DataFrame,
    labels: pl.DataFrame,
    tree: Tree,
    numbers: Mapping[str, int],
    *,
    algorithm: str,
    weight: Weight,
) -> dict[str, Any]:
    """Return the content of agreement.json of a tree.

    sample: the tuning sample, with the outside LABELS; labels: `image`, and its label as `cluster`;
    tree: the encodings; numbers: kind → K.
    Returns `k` (number of labels), `agreement`: rows as of `agreement.agreement`, with
    `inside_modality` (mean AMI inside modalities), once for the labels, and once for clusters made
    of the same numbers without the tags and the word that state the body part (`left_out`); and
    `confounding` of the labels.
    """
    joined = sample.join(labels.select("image", "cluster"), on="image", maintain_order="left")
    outside = {name: joined[name] for name in LABELS}
    codes = joined["cluster"].to_numpy().astype(np.int64)
    k = len(np.unique(codes))
    unstated = _codes(joined, tree.without(list(STATED)), numbers, algorithm, weight)
    return {
        "k": k,
        "agreement": [*_rows(codes, outside, k, ()), *_rows(unstated, outside, k, STATED)],
        "confounding": confounding(codes, outside),
    }


def _rows(
    codes: Int64s, outside: Mapping[str, pl.Series], k: int, left_out: tuple[str, ...]
) -> list[dict[str, Any]]:
    within = inside(codes, outside, outside["modality"])
    return [
        {**row, "inside_modality": within[row["label"]]}
        for row in agreement(codes, outside, k=k, left_out=left_out)
    ]


def _codes(
    sample: pl.DataFrame, tree: Tree, numbers: Mapping[str, int], algorithm: str, weight: Weight
) -> Int64s:
    """Clusters of the sample under other encodings, int64 (n,): kinds have different numbers."""
    parts = [pl.DataFrame(schema={"image": pl.String, "code": pl.Int64})]
    for number, (kind, rows) in enumerate(tree.parts(sample)):
        clusters = kind_clusters(
            rows, tree.of(kind), numbers[kind], algorithm=algorithm, weight=weight
        )
        most = clusters.filter(pl.col("k") == clusters["k"].max())
        parts.append(most.select("image", code=pl.col("cluster").cast(pl.Int64) + number * 10**6))
    joined = sample.select("image").join(pl.concat(parts), on="image", maintain_order="left")
    codes: Int64s = joined["code"].to_numpy()
    return codes
