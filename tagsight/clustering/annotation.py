"""Any image into the cluster of its nearest medoid, and how well medoids fit other patients."""

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight.clustering.cluster_tables import medoid_rows, summary
from tagsight.gower import contributions, metric
from tagsight.gower.distinct_rows import Weight, collapse
from tagsight.gower.features import Features
from tagsight.tags.encoding import Encoding, feature_keywords, to_features

Floats = NDArray[np.float32]


def held_out(
    clusters: pl.DataFrame,
    tuning: pl.DataFrame,
    holdout: pl.DataFrame,
    encoding: Encoding,
    weight: Weight = "images",
) -> pl.DataFrame:
    """Return the grid of K with how much worse its medoids fit other patients.

    clusters: `table` of the tuning sample; tuning, holdout: samples with the encoded columns;
    encoding, weight: as the clusters were found under. Columns: k, silhouette, loss, distance,
    heldout_ratio.
    """
    images = to_features(tuning, encoding)
    own = collapse(images, weight)
    others = collapse(to_features(holdout, encoding), weight)
    ratios = []
    for k in clusters["k"].unique().sort():
        medoids = images.take(medoid_rows(clusters.filter(k=k), tuning["image"]))
        heldout, in_sample = (
            np.average(
                metric.nearest(few.features, medoids, encoding.distance).distance,
                weights=few.weight,
            )
            for few in (others, own)
        )
        ratios.append(heldout / in_sample if in_sample > 0 else np.inf)
    return summary(clusters).with_columns(heldout_ratio=pl.Series(ratios, dtype=pl.Float64))


def annotate(images: pl.DataFrame, medoids: pl.DataFrame, encoding: Encoding) -> pl.DataFrame:
    """Return the cluster of each image: the one whose medoid is nearest.

    images: `image` and the encoded columns; medoids: those of cluster 1, 2, … at one K, in that
    order, with `image` and the encoded columns (medoids.parquet), found under `encoding`. Columns:
    image, cluster, distance (to that medoid), margin (how much farther the second is), second (the
    cluster of that one, null where there is none), because (the tags that decided between the two,
    see `why`). For equally near medoids see `nearest_medoids`.
    """
    known, features = to_features(medoids, encoding), to_features(images, encoding)
    near = nearest_medoids(features, known, medoids["image"], encoding)
    return pl.DataFrame(
        {
            "image": images["image"],
            "cluster": near.index + 1,
            "distance": near.distance,
            "margin": near.second - near.distance,
            "second": near.second_index + 1,
            "because": contributions.because(features, known, near, feature_keywords(encoding)),
        }
    ).with_columns(pl.col("second").replace(0, None))


def nearest_medoids(
    features: Features, medoids: Features, images: pl.Series, encoding: Encoding
) -> metric.Nearest:
    """For each row its two nearest medoids, as `gower.nearest`; places are those in `medoids`.

    images: `image` of the medoids. Of equally near ones the lower wins, as in the k-medoids of a
    sample, whose rows are in that order.
    """
    order = images.arg_sort().to_numpy().astype(np.int32)
    near = metric.nearest(features, medoids.take(order), encoding.distance)
    place = np.append(order, np.int32(-1))  # the last is for index -1
    return replace(near, index=place[near.index], second_index=place[near.second_index])
