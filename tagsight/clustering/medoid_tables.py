"""The medoids as a table, found on a sample or on all images, and the sample put to them."""

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight.clustering import annotation, cluster_tables, silhouettes
from tagsight.clustering.search.search import Outcome
from tagsight.gower import metric
from tagsight.gower.distinct_rows import DistinctRows, Weight, collapse
from tagsight.gower.features import Features
from tagsight.tags.encoding import Encoding, to_features

Array = NDArray[Any]

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
    found: pl.DataFrame, sample: pl.DataFrame, encoding: Encoding
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The medoids of a sample's clusters, and what there is to say of each K.

    found: `clusters.table` of the sample. Returns, as `of_all` does: a row a medoid: `k`, `cluster`
    (1 is the largest, by weight), `image`, `images` (its members), `loss` (sum of their distances),
    `medoid_silhouette` (mean), the encoded columns; and a row a K: `k`, `loss`, `distance` (mean),
    `medoid_silhouette` and `silhouette` (means), and of the search on all images `candidates`
    (rows tried), `share` (of a round over all), `swaps`: 0. Sums and means are weighted, as in
    `choice.summary`, which `silhouette` is of; `images` is a plain count.
    """
    rows, said = [pl.DataFrame(schema=MEDOIDS)], []
    for k, silhouette in cluster_tables.summary(found).select("k", "silhouette").iter_rows():
        part = found.filter((pl.col("cluster") > 0) & (pl.col("k") == k))
        labels, near, second, weight = (
            part[name].to_numpy() for name in ("cluster", "distance", "second_distance", "weight")
        )
        placed = _Placed(labels - 1, near, second, weight.astype(np.float64), np.ones(len(part)))
        rows.append(_medoids(part.filter("medoid").sort("cluster")["image"], placed))
        said.append((k, *_said(placed), silhouette, 0, 0.0, 0))
    return _encoded(pl.concat(rows), sample, encoding), pl.DataFrame(said, SEARCH, orient="row")


def of_all(
    outcome: Outcome, images: pl.DataFrame, distinct: DistinctRows, encoding: Encoding
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The medoids that a search among all images ended with, and what there is to say of each K.

    images: `image` and the encoded columns; distinct: their different rows, that were searched.
    A medoid goes by the first image of its row. `silhouette` is the mean of some images' among all.
    """
    times = np.bincount(distinct.row).astype(np.float64)
    rows, said = [pl.DataFrame(schema=MEDOIDS)], []
    for found, silhouette, swaps in zip(
        outcome.clusterings, outcome.silhouettes, outcome.swaps, strict=True
    ):
        placed = _Placed(found.labels, found.distance, found.second, distinct.weight, times)
        rows.append(_medoids(images["image"][distinct.first[found.medoids]], placed))
        ended = float(silhouette), outcome.tried, float(outcome.share), int(swaps)
        said.append((found.k, *_said(placed), *ended))
    return _encoded(pl.concat(rows), images, encoding), pl.DataFrame(said, SEARCH, orient="row")


def starts(found: pl.DataFrame, images: pl.Series, row: Array) -> dict[int, Array]:
    """For each K of a sample's clusters the rows of its medoids: int64 (k,).

    images: all images; row: int64 (n,), the row of each. K whose medoids share a row are left out.
    """
    places = pl.DataFrame({"image": images, "row": row})
    medoids = found.filter("medoid").join(places, on="image", how="left", maintain_order="left")
    rows = {int(k): part["row"].to_numpy() for (k,), part in sorted(medoids.group_by("k"))}
    return {k: np.sort(own) for k, own in rows.items() if len(np.unique(own)) == k}


def members(
    sample: pl.DataFrame, medoids: pl.DataFrame, encoding: Encoding, weight: Weight = "images"
) -> pl.DataFrame:
    """A sample's images in the clusters of their nearest medoids, as `clusters.table` has them.

    medoids: of `of_all`, no two of them equal; weight: as they were found under. A medoid that is
    in the sample is in its own cluster; a cluster may have no image of the sample.
    """
    features = to_features(sample, encoding)
    parts = [
        _placed(sample["image"], features, part, encoding)
        for _, part in sorted(medoids.group_by("k", maintain_order=True))
    ]
    few = collapse(features, weight)
    labels = [part["cluster"].to_numpy()[few.first] - 1 for part in parts]
    widths = silhouettes.widths(metric.matrix(few.features, encoding.distance), labels, few.weight)
    counts = few.row_weights().astype(np.float32)
    told = [
        part.with_columns(silhouette=width[few.row], weight=counts)
        for part, width in zip(parts, widths, strict=True)
    ]
    return pl.concat([pl.DataFrame(schema=cluster_tables.SCHEMA), *told])


def _placed(
    images: pl.Series, features: Features, medoids: pl.DataFrame, encoding: Encoding
) -> pl.DataFrame:
    """What `members` says of one K, but for silhouettes."""
    near = annotation.nearest_medoids(
        features, to_features(medoids, encoding), medoids["image"], encoding
    )
    known = pl.DataFrame({"image": images}).join(
        medoids.select("image", own="cluster"), on="image", how="left", maintain_order="left"
    )
    own = known["own"].fill_null(0).to_numpy()
    elsewhere = (own > 0) & (own != near.index + 1)  # beside its duplicate, which is nearest too
    return pl.DataFrame(
        {
            "image": images,
            "k": np.full(len(images), len(medoids), np.int32),
            "cluster": np.where(own > 0, own, near.index + 1).astype(np.int32),
            "medoid": own > 0,
            "distance": np.where(own > 0, np.float32(0), near.distance),
            "second_distance": np.where(elsewhere, near.distance, near.second),
        }
    )


class _Placed(NamedTuple):
    """Rows (n,) in k clusters: their labels from 0, their distances to the nearest medoid and to
    the second; what each counts in sums and means, and how many images it is."""

    labels: Array
    near: Array
    second: Array
    weight: Array
    times: Array

    def widths(self) -> Array:
        """Their medoid silhouettes: float64 (n,)."""
        farther = np.maximum(self.near, self.second).astype(np.float64)
        apart = self.second.astype(np.float64) - self.near
        return np.divide(apart, farther, out=np.zeros(len(farther)), where=farther > 0)


def _medoids(images: pl.Series, placed: _Placed) -> pl.DataFrame:
    """A row a cluster; images: their medoids."""
    k, weight = len(images), placed.weight
    count, total, loss, widths = (
        np.bincount(placed.labels, each, k)
        for each in (placed.times, weight, weight * placed.near, weight * placed.widths())
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


def _said(placed: _Placed) -> tuple[float, float, float]:
    """Loss, mean distance, mean medoid silhouette."""
    total, loss = placed.weight.sum(), (placed.weight * placed.near).sum()
    width = (placed.weight * placed.widths()).sum() / total
    return float(loss), float(loss / total), float(width)


def _encoded(medoids: pl.DataFrame, images: pl.DataFrame, encoding: Encoding) -> pl.DataFrame:
    columns = [column.name for column in encoding.columns]
    told = images.select("image", *columns)
    return medoids.join(told, on="image", how="left", maintain_order="left")
