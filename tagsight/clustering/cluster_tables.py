"""Clusters of a sample over the grid of K, as tables.

Clusters are numbered from 1, the largest first; 0 is for images of a sample in no cluster.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from tagsight.arrays import Float32s, Int32s, Int64s
from tagsight.clustering.medoids import Clustering
from tagsight.errors import DataError
from tagsight.gower.distinct_rows import DistinctRows
from tagsight.run.progress import LOG

MOST_ABOVE = 1.2  # times the K chosen: more is another clustering
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
    distances: Float32s,
    grid: Sequence[Clustering],
    widths: Sequence[Float32s],
    distinct: DistinctRows,
) -> pl.DataFrame:
    """Return one row for each image at each K.

    images: String (n,); distances: float32 (m, m), of the distinct rows.
    grid: m labels each; widths: float32 (m,), the silhouettes of each clustering.
    distinct: the m rows that were clustered, of the n.
    Returns columns image, k, cluster (0 = in none), medoid (bool), distance (to the medoid of its
    cluster), second_distance (to the nearest other medoid), silhouette, weight (of the image in
    means). Images in no cluster have null distances, and silhouette 0.
    """
    weight, parts = distinct.row_weights().astype(np.float32), []
    for clustering, silhouette in zip(grid, widths, strict=True):
        to_medoids = distances[:, clustering.medoids]  # (m, k)
        places, inside = np.arange(len(distances)), pl.Series(clustering.labels[distinct.row] >= 0)
        distance = to_medoids[places, clustering.labels]
        to_medoids[places, clustering.labels] = np.inf
        second = to_medoids.min(axis=1)
        parts.append(
            pl.DataFrame(
                {
                    "image": images,
                    "k": np.full(len(images), clustering.k, np.int32),
                    "cluster": (clustering.labels + 1).astype(np.int32)[distinct.row],
                    "medoid": np.isin(np.arange(len(images)), distinct.first[clustering.medoids]),
                    "distance": distance[distinct.row],
                    "second_distance": second[distinct.row],
                    "silhouette": silhouette.astype(np.float32)[distinct.row],
                    "weight": weight,
                }
            ).with_columns(pl.when(inside).then(pl.col("distance", "second_distance")))
        )
    return pl.concat([pl.DataFrame(schema=SCHEMA), *parts])


def medoid_rows(clusters: pl.DataFrame, images: pl.Series) -> Int64s:
    """Return the row in `images` of the medoids of cluster 1, 2, …: int64 (k,).

    clusters: the rows of `table` at one K.
    """
    medoids = clusters.filter("medoid").sort("cluster").select("image")
    places = pl.DataFrame({"image": images}).with_row_index("row")
    return medoids.join(places, on="image", maintain_order="left")["row"].cast(pl.Int64).to_numpy()


def labellings(sample: pl.DataFrame, clusters: pl.DataFrame) -> dict[int, Int32s]:
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

    A small sample may have too few distinct images for the K chosen on another, and some algorithms
    choose numbers themselves.
    Raises DataError where the grid is empty.
    """
    numbers = clusters["k"].unique().sort().to_list()
    if not numbers:
        raise DataError(
            "samples: a sample has too few distinct images for any K of the grid; "
            "increase samples.*, use fewer trials, or lower cluster.k"
        )
    return int(min(numbers, key=lambda number: abs(number - k)))


def of_about(images: pl.Series, clusters: pl.DataFrame, k: int) -> tuple[pl.Series, int]:
    """Return the clusters of images at the K of a grid that is nearest to `k`, and that K.

    images: String (n,); clusters: `table` of the same images. K is 0, and no image in a cluster,
    where the grid is empty or its numbers are all far above `k`, which was chosen on a sample of
    fewer images: other clusters than those chosen would be tested.
    """
    number = 0 if clusters.is_empty() else nearest_number(clusters, k)
    if not number or number > MOST_ABOVE * k:
        return pl.Series("cluster", [None] * len(images), pl.Int32), 0
    if number < k:
        LOG.warning("K = %d instead of %d: the sample has too few distinct images", number, k)
    rows = images.to_frame("image").join(
        clusters.filter(k=number), on="image", how="left", maintain_order="left"
    )
    return rows["cluster"], number


def summary(clusters: pl.DataFrame) -> pl.DataFrame:
    """Return one row per K, rising: `k`, `silhouette` (mean), `loss` (sum), `distance` (mean).

    clusters: `k`, `distance`, `silhouette`, `weight`, as in `table`.
    Means and sums are weighted. Images in no cluster count with silhouette 0, since otherwise
    leaving images out would raise the mean, and not in distances. Sums are in float64 in the order
    of the rows, the same for any number of threads.
    """
    rows = []
    for (k,), part in sorted(clusters.group_by("k", maintain_order=True)):
        weight, silhouette, distance = (
            part[name].cast(pl.Float64).to_numpy() for name in ("weight", "silhouette", "distance")
        )
        inside = np.isfinite(distance)
        loss = (weight * distance)[inside].sum()
        mean = np.average(silhouette, weights=weight)
        rows.append((k, mean, loss, loss / weight[inside].sum()))
    schema = {"k": pl.Int64} | dict.fromkeys(("silhouette", "loss", "distance"), pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")
