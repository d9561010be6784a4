"""Agreement of the clusters of a flat run with outside labels, with and without tags left out."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from tagsight.clustering import algorithms, cluster_tables
from tagsight.gower import metric
from tagsight.gower.distinct_rows import Weight
from tagsight.interpretation.agreement import LEFT_OUT, agreement
from tagsight.interpretation.confounding import confounding
from tagsight.tags.encoding import Encoding, to_features
from tagsight.tags.labels import LABELS


def flat_agreement(
    sample: pl.DataFrame,
    members: pl.DataFrame,
    encoding: Encoding,
    *,
    k: int,
    ks: Sequence[int],
    algorithm: str,
    weight: Weight,
) -> dict[str, Any]:
    """Return the content of agreement.json of a flat run.

    sample: the tuning sample, with the outside LABELS; members: its images in their clusters at
    each K; encoding: theirs; k: the K that was chosen; ks: the grid.
    """
    outside = {name: sample[name] for name in LABELS}
    labels = cluster_tables.labellings(sample, members)
    rows = [row for number, of_k in labels.items() for row in agreement(of_k, outside, k=number)]
    for left_out in LEFT_OUT[1:]:  # those of all tags are read above
        kept = encoding.without(left_out)
        distinct = algorithms.rows_to_cluster(to_features(sample, kept), weight, algorithm)
        distances = metric.matrix(distinct.features, kept.distance)
        for clustering in algorithms.clusterings(
            distinct.features, distances, ks, algorithm, distinct.weight
        ):
            in_images = clustering.labels[distinct.row]
            rows += agreement(in_images, outside, k=clustering.k, left_out=left_out)
    return {"k": k, "agreement": rows, "confounding": confounding(labels[k], outside)}
