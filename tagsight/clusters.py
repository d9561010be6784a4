"""Clusters as tables: of a sample over the grid of K, and of any image by its nearest medoid.

Clusters are numbered from 1, the largest first; 0 is for images of a sample that are in none and
need a look.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight import choice, gower
from tagsight.encoding import Encoding, to_features
from tagsight.errors import DataError
from tagsight.medoids import Clustering

Floats = NDArray[np.float32]


SCHEMA = {
    "image": pl.String,
    "k": pl.Int32,
    "cluster": pl.Int32,
    "medoid": pl.Boolean,
    "distance": pl.Float32,
    "second_distance": pl.Float32,
    "silhouette": pl.Float32,
}


def table(
    images: pl.Series, distances: Floats, grid: Sequence[Clustering], widths: Sequence[Floats]
) -> pl.DataFrame:
    """Return a row for each image at each K, in cluster 0 where it is in none.

    images (n,) String; distances (n, n); widths: the silhouettes (n,) of each clustering of `grid`.
    Columns: image, k, cluster, medoid (bool), distance (to the own medoid), second_distance (to
    the nearest other medoid), silhouette. Images in no cluster have neither distance, and
    silhouette 0. Without a clustering there are no rows.
    """
    parts = []
    for found, silhouette in zip(grid, widths, strict=True):
        to_medoids = distances[:, found.medoids]  # (n, k)
        rows, inside = np.arange(len(images)), pl.Series(found.labels >= 0)
        own = to_medoids[rows, found.labels]
        to_medoids[rows, found.labels] = np.inf
        parts.append(
            pl.DataFrame(
                {
                    "image": images,
                    "k": np.full(len(images), found.k, np.int32),
                    "cluster": (found.labels + 1).astype(np.int32),
                    "medoid": np.isin(rows, found.medoids),
                    "distance": own,
                    "second_distance": to_medoids.min(axis=1),
                    "silhouette": silhouette.astype(np.float32),
                }
            ).with_columns(pl.when(inside).then(pl.col("distance", "second_distance")))
        )
    return pl.concat([pl.DataFrame(schema=SCHEMA), *parts])


def medoid_rows(clusters: pl.DataFrame, images: pl.Series) -> NDArray[np.int64]:
    """Return the row in `images` of the medoid of cluster 1, 2, …: int64 (k,).

    clusters: the rows of `table` at one K.
    """
    medoids = clusters.filter("medoid").sort("cluster").select("image")
    places = pl.DataFrame({"image": images}).with_row_index("row")
    return medoids.join(places, on="image", maintain_order="left")["row"].cast(pl.Int64).to_numpy()


def nearest_number(clusters: pl.DataFrame, k: int) -> int:
    """Return the K of a grid that is nearest to `k`, the smaller where equal.

    A small sample may have too few distinct images for the K that another one chose, and some
    algorithms find numbers of their own. DataError where the grid is empty.
    """
    numbers = clusters["k"].unique().sort().to_list()
    if not numbers:
        raise DataError(
            "samples: a sample has too few distinct images for any K of the grid; "
            "ask for larger or fewer samples, or give cluster.k smaller values"
        )
    return int(min(numbers, key=lambda number: abs(number - k)))


def held_out(
    clusters: pl.DataFrame, tuning: pl.DataFrame, holdout: pl.DataFrame, encoding: Encoding
) -> pl.DataFrame:
    """Return the grid of K with how much worse its medoids fit other patients.

    clusters: `table` of the tuning sample; tuning, holdout: samples with the encoded columns;
    encoding: as the clusters were found under. Columns: k, silhouette, loss, distance,
    heldout_ratio.
    """
    own, others = to_features(tuning, encoding), to_features(holdout, encoding)
    ratios = []
    for k in clusters["k"].unique().sort():
        medoids = own.take(medoid_rows(clusters.filter(k=k), tuning["image"]))
        heldout = gower.nearest(others, medoids, encoding.distance).distance
        in_sample = gower.nearest(own, medoids, encoding.distance).distance
        ratios.append(choice.heldout_ratio(heldout, in_sample))
    return choice.summary(clusters).with_columns(heldout_ratio=pl.Series(ratios))


def annotate(
    images: pl.DataFrame, sample: pl.DataFrame, clusters: pl.DataFrame, encoding: Encoding
) -> pl.DataFrame:
    """Return the cluster of each image: the one whose medoid is nearest.

    images: `image` and the encoded columns, in the sample or not; sample, clusters: the sample
    that the medoids are of and its clusters at one K, found under `encoding`. Columns: image,
    cluster, distance (to that medoid), margin (how much farther the second is). The first of
    equally near medoids wins.
    """
    medoids = to_features(sample, encoding).take(medoid_rows(clusters, sample["image"]))
    near = gower.nearest(to_features(images, encoding), medoids, encoding.distance)
    return pl.DataFrame(
        {
            "image": images["image"],
            "cluster": near.index + 1,
            "distance": near.distance,
            "margin": near.second - near.distance,
        }
    )
