"""Tables of medoids, from a sample or from all images, and of a sample's images by medoid."""

from typing import NamedTuple

import numpy as np
import polars as pl

from tagsight.arrays import Float32s, Float64s, Int32s, Int64s
from tagsight.clustering import annotation, cluster_tables, silhouettes
from tagsight.clustering.search.search import Outcome
from tagsight.gower import metric
from tagsight.gower.distinct_rows import DistinctRows, Weight, collapse
from tagsight.gower.features import Features
from tagsight.tags.encoding import Encoding, to_features

MEDOIDS = {
    "k": pl.Int32,
    "cluster": pl.Int32,
    "image": pl.String,
    "images": pl.Int64,
    "loss": pl.Float64,
    "medoid_silhouette": pl.Float64,
}
SEARCH = {
    "k": pl.Int32,
    "loss": pl.Float64,
    "distance": pl.Float64,
    "medoid_silhouette": pl.Float64,
    "silhouette": pl.Float64,
    "candidates": pl.Int64,
    "share": pl.Float64,
    "swaps": pl.Int64,
}


def of_sample(
    clusters: pl.DataFrame, sample: pl.DataFrame, encoding: Encoding
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the medoids of a sample's clusters, and summary statistics for each K.

    clusters: `cluster_tables.table` of the sample.
    Returns, as `of_all` does, one row per medoid: `k`, `cluster` (1 is the largest, by weight),
    `image`, `images` (its members, a plain count), `loss` (sum of their distances),
    `medoid_silhouette` (mean), the encoded columns; and one row per K: `k`, `loss`, `distance`
    (mean), `medoid_silhouette` and `silhouette` (means), and for the search among all images
    `candidates` (rows tried), `share` (of a round over all), `swaps`: 0 here. Sums and means are
    weighted; `silhouette` is that of `cluster_tables.summary`.
    """
    medoids, rows = [pl.DataFrame(schema=MEDOIDS)], []
    for k, silhouette in cluster_tables.summary(clusters).select("k", "silhouette").iter_rows():
        part = clusters.filter((pl.col("cluster") > 0) & (pl.col("k") == k))
        labels, near, second, weight = (
            part[name].to_numpy() for name in ("cluster", "distance", "second_distance", "weight")
        )
        assigned = _Assigned(
            labels - 1, near, second, weight.astype(np.float64), np.ones(len(part))
        )
        medoids.append(_medoids(part.filter("medoid").sort("cluster")["image"], assigned))
        rows.append((k, *_means(assigned), silhouette, 0, 0.0, 0))
    summary = pl.DataFrame(rows, SEARCH, orient="row")
    return _with_columns(pl.concat(medoids), sample, encoding), summary


def of_all(
    outcome: Outcome, images: pl.DataFrame, distinct: DistinctRows, encoding: Encoding
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the medoids of a search among all images, and summary statistics for each K.

    images: `image` and the encoded columns; distinct: their distinct rows, which were searched.
    Returns tables as `of_sample` does. `image` is the first image of the medoid's row; `silhouette`
    is the mean over a sample of images, each among all.
    """
    times = np.bincount(distinct.row).astype(np.float64)
    medoids, rows = [pl.DataFrame(schema=MEDOIDS)], []
    for clustering, silhouette, swaps in zip(
        outcome.clusterings, outcome.silhouettes, outcome.swaps, strict=True
    ):
        assigned = _Assigned(
            clustering.labels, clustering.distance, clustering.second, distinct.weight, times
        )
        medoids.append(_medoids(images["image"][distinct.first[clustering.medoids]], assigned))
        progress = outcome.tried, float(outcome.share), int(swaps)
        rows.append((clustering.k, *_means(assigned), float(silhouette), *progress))
    summary = pl.DataFrame(rows, SEARCH, orient="row")
    return _with_columns(pl.concat(medoids), images, encoding), summary


def starts(clusters: pl.DataFrame, images: pl.Series, row: Int64s) -> dict[int, Int64s]:
    """Return the rows of the medoids of a sample's clusters at each K: int64 (k,).

    images: all images; row: int64 (n,), the distinct row of each.
    A K whose medoids share a row is left out.
    """
    places = pl.DataFrame({"image": images, "row": row})
    medoids = clusters.filter("medoid").join(places, on="image", how="left", maintain_order="left")
    by_k = {int(k): part["row"].to_numpy() for (k,), part in sorted(medoids.group_by("k"))}
    return {k: np.sort(rows) for k, rows in by_k.items() if len(np.unique(rows)) == k}


def members(
    sample: pl.DataFrame, medoids: pl.DataFrame, encoding: Encoding, weight: Weight = "images"
) -> pl.DataFrame:
    """Return a sample's images in the clusters of their nearest medoids, as `cluster_tables.table`.

    medoids: from `of_all`, no two of them equal; weight: that of the search.
    A medoid in the sample is in its own cluster; a cluster may have no image of the sample.
    """
    features = to_features(sample, encoding)
    parts = [
        _assign(sample["image"], features, part, encoding)
        for _, part in sorted(medoids.group_by("k", maintain_order=True))
    ]
    distinct = collapse(features, weight)
    labels = [part["cluster"].to_numpy()[distinct.first] - 1 for part in parts]
    distances = metric.matrix(distinct.features, encoding.distance)
    widths = silhouettes.widths(distances, labels, distinct.weight)
    weights = distinct.row_weights().astype(np.float32)
    tables = [
        part.with_columns(silhouette=width[distinct.row], weight=weights)
        for part, width in zip(parts, widths, strict=True)
    ]
    return pl.concat([pl.DataFrame(schema=cluster_tables.SCHEMA), *tables])


def _assign(
    images: pl.Series, features: Features, medoids: pl.DataFrame, encoding: Encoding
) -> pl.DataFrame:
    """The table of `members` at one K, without silhouettes and weights."""
    near = annotation.nearest_medoids(
        features, to_features(medoids, encoding), medoids["image"], encoding
    )
    joined = pl.DataFrame({"image": images}).join(
        medoids.select("image", "cluster"), on="image", how="left", maintain_order="left"
    )
    own = joined["cluster"].fill_null(0).to_numpy()  # the cluster of which it is the medoid, or 0
    is_medoid = own > 0
    elsewhere = is_medoid & (own != near.index + 1)  # an equal medoid has the lower image
    return pl.DataFrame(
        {
            "image": images,
            "k": np.full(len(images), len(medoids), np.int32),
            "cluster": np.where(is_medoid, own, near.index + 1).astype(np.int32),
            "medoid": is_medoid,
            "distance": np.where(is_medoid, np.float32(0), near.distance),
            "second_distance": np.where(elsewhere, near.distance, near.second),
        }
    )


class _Assigned(NamedTuple):
    """Rows (n,) assigned to k medoids."""

    labels: Int32s  # from 0
    near: Float32s  # distance to the nearest medoid
    second: Float32s  # distance to the second nearest
    weight: Float64s  # in sums and means
    times: Float64s  # number of images

    def widths(self) -> Float64s:
        """Return the medoid silhouettes: float64 (n,)."""
        farther = np.maximum(self.near, self.second).astype(np.float64)
        margin = self.second.astype(np.float64) - self.near
        compared = (farther > 0) & np.isfinite(farther)  # with one cluster nothing is second
        return np.divide(margin, farther, out=np.zeros(len(farther)), where=compared)


def _medoids(images: pl.Series, assigned: _Assigned) -> pl.DataFrame:
    """One row per cluster; images: their medoids."""
    k, weight = len(images), assigned.weight
    count, total, loss, widths = (
        np.bincount(assigned.labels, each, k)
        for each in (assigned.times, weight, weight * assigned.near, weight * assigned.widths())
    )
    return pl.DataFrame(
        {
            "k": np.full(k, k),
            "cluster": np.arange(1, k + 1),
            "image": images,
            "images": count.round().astype(np.int64),
            "loss": loss,
            "medoid_silhouette": widths / total,
        },
        schema=MEDOIDS,
    )


def _means(assigned: _Assigned) -> tuple[float, float, float]:
    """Loss, mean distance, mean medoid silhouette."""
    total, loss = assigned.weight.sum(), (assigned.weight * assigned.near).sum()
    width = (assigned.weight * assigned.widths()).sum() / total
    return float(loss), float(loss / total), float(width)


def _with_columns(medoids: pl.DataFrame, images: pl.DataFrame, encoding: Encoding) -> pl.DataFrame:
    """The table of medoids with the encoded columns."""
    encoded = images.select("image", *(column.name for column in encoding.columns))
    return medoids.join(encoded, on="image", how="left", maintain_order="left")
