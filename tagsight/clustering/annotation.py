"""Assignment of any image to its nearest medoid, and how well medoids fit other patients."""

from dataclasses import replace

import numpy as np
import polars as pl

from tagsight.clustering.cluster_tables import medoid_rows, summary
from tagsight.gower import contributions, metric
from tagsight.gower.distinct_rows import Weight, collapse
from tagsight.gower.features import Features
from tagsight.tags.encoding import Encoding, feature_keywords, to_features


def held_out(
    clusters: pl.DataFrame,
    tuning: pl.DataFrame,
    holdout: pl.DataFrame,
    encoding: Encoding,
    weight: Weight = "images",
) -> pl.DataFrame:
    """Return the grid of K with the ratio of distances in other patients to those in the sample.

    clusters: `cluster_tables.table` of the tuning sample.
    tuning, holdout: samples with the encoded columns.
    encoding, weight: those of the clusters.
    Returns columns k, silhouette, loss, distance, heldout_ratio (null without holdout images).
    """
    if holdout.is_empty():
        return summary(clusters).with_columns(heldout_ratio=pl.lit(None, pl.Float64))
    images = to_features(tuning, encoding)
    rows = collapse(images, weight)
    holdout_rows = collapse(to_features(holdout, encoding), weight)
    ratios = []
    for k in clusters["k"].unique().sort():
        medoids = images.take(medoid_rows(clusters.filter(k=k), tuning["image"]))
        heldout, in_sample = (
            np.average(
                metric.nearest(distinct.features, medoids, encoding.distance).distance,
                weights=distinct.weight,
            )
            for distinct in (holdout_rows, rows)
        )
        ratios.append(heldout / in_sample if in_sample > 0 else np.inf)
    return summary(clusters).with_columns(heldout_ratio=pl.Series(ratios, dtype=pl.Float64))


def annotate(images: pl.DataFrame, medoids: pl.DataFrame, encoding: Encoding) -> pl.DataFrame:
    """Return the cluster of each image: the one whose medoid is nearest.

    images: `image` and the encoded columns.
    medoids: `image` and the encoded columns of the medoids of cluster 1, 2, … at one K, in that
    order, as in medoids.parquet; encoding: theirs.
    Returns columns image, cluster, distance (to its medoid), margin (distance to the second medoid
    minus that), second (cluster of the second medoid, null where there is none), because (the tags
    that decided between the two, see `contributions.because`). For equally near medoids see
    `nearest_medoids`.
    """
    features, medoid_features = to_features(images, encoding), to_features(medoids, encoding)
    near = nearest_medoids(features, medoid_features, medoids["image"], encoding)
    keywords = feature_keywords(encoding)
    return pl.DataFrame(
        {
            "image": images["image"],
            "cluster": near.index + 1,
            "distance": near.distance,
            "margin": near.second - near.distance,
            "second": near.second_index + 1,
            "because": contributions.because(features, medoid_features, near, keywords),
        }
    ).with_columns(pl.col("second").replace(0, None))


def nearest_medoids(
    features: Features, medoids: Features, images: pl.Series, encoding: Encoding
) -> metric.Nearest:
    """Return the two nearest medoids of each row, as `metric.nearest`, as places in `medoids`.

    images: `image` of the medoids. Of equally near ones the lower image wins, as in the k-medoids
    of a sample, whose rows are in that order.
    """
    order = images.arg_sort().to_numpy().astype(np.int32)
    near = metric.nearest(features, medoids.take(order), encoding.distance)
    place = np.append(order, np.int32(-1))  # the last is for index -1
    return replace(near, index=place[near.index], second_index=place[near.second_index])
