"""Clusters as tables: of a sample over the grid of K, and of any image by its nearest medoid.

Clusters are numbered from 1, the largest first; 0 is for images of a sample that are in none and
need a look.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight.clustering import choice
from tagsight.errors import DataError
from tagsight.gower import contributions, metric
from tagsight.gower.distinct_rows import DistinctRows, Weight, collapse
from tagsight.tags.encoding import Encoding, feature_keywords, to_features

if TYPE_CHECKING:  # it brings scikit-learn, which takes longer to load than a shard to annotate
    from tagsight.clustering.k_medoids import Clustering

Floats = NDArray[np.float32]


SCHEMA = {
    "image": pl.String,
    "k": pl.Int32,
    "cluster": pl.Int32,
    "medoid": pl.Boolean,
    "distance": pl.Float32,
    "second_distance": pl.Float32,
    "silhouette": pl.Float32,
    "weight": pl.Float32,
}


def table(
    images: pl.Series,
    distances: Floats,
    grid: Sequence["Clustering"],
    widths: Sequence[Floats],
    few: DistinctRows,
) -> pl.DataFrame:
    """Return a row for each image at each K, in cluster 0 where it is in none.

    images (n,) String; few: the m rows that were clustered, of these n; distances (m, m); widths:
    the silhouettes (m,) of each clustering of `grid`. Columns: image, k, cluster, medoid (bool),
    distance (to the own medoid), second_distance (to the nearest other medoid), silhouette, weight
    (what the image counts in means). Images in no cluster have neither distance, and silhouette 0.
    Without a clustering there are no rows.
    """
    weight, parts = few.of_each().astype(np.float32), []
    for found, silhouette in zip(grid, widths, strict=True):
        to_medoids = distances[:, found.medoids]  # (m, k)
        places, inside = np.arange(len(distances)), pl.Series(found.labels[few.row] >= 0)
        own = to_medoids[places, found.labels]
        to_medoids[places, found.labels] = np.inf
        second = to_medoids.min(axis=1)
        parts.append(
            pl.DataFrame(
                {
                    "image": images,
                    "k": np.full(len(images), found.k, np.int32),
                    "cluster": (found.labels + 1).astype(np.int32)[few.row],
                    "medoid": np.isin(np.arange(len(images)), few.first[found.medoids]),
                    "distance": own[few.row],
                    "second_distance": second[few.row],
                    "silhouette": silhouette.astype(np.float32)[few.row],
                    "weight": weight,
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


def labellings(sample: pl.DataFrame, clusters: pl.DataFrame) -> dict[int, NDArray[np.int32]]:
    """Return K -> labels (n,) in the order of the sample, from 0; -1 = in no cluster.

    sample: `image`; clusters: `table` of the same images.
    """
    return {
        k: sample.select("image")
        .join(clusters.filter(k=k), on="image", how="left", maintain_order="left")["cluster"]
        .to_numpy()
        - 1
        for k in clusters["k"].unique().sort().to_list()
    }


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
    return choice.summary(clusters).with_columns(heldout_ratio=pl.Series(ratios, dtype=pl.Float64))


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
    features: metric.Features, medoids: metric.Features, images: pl.Series, encoding: Encoding
) -> metric.Nearest:
    """For each row its two nearest medoids, as `gower.nearest`; places are those in `medoids`.

    images: `image` of the medoids. Of equally near ones the lower wins, as in the k-medoids of a
    sample, whose rows are in that order.
    """
    order = images.arg_sort().to_numpy().astype(np.int32)
    near = metric.nearest(features, medoids.take(order), encoding.distance)
    place = np.append(order, np.int32(-1))  # the last is for index -1
    return replace(near, index=place[near.index], second_index=place[near.second_index])
