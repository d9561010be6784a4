"""The medoids as a table, found on a sample or on all images, and the sample put to them."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight import clusters, gower, silhouettes
from tagsight.collapse import Collapsed
from tagsight.encoding import Encoding, to_features
from tagsight.search import Outcome

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
    (1 is the largest), `image`, `images` (its members), `loss` (sum of their distances),
    `medoid_silhouette` (mean), the encoded columns; and a row a K: `k`, `loss`, `distance` (mean),
    `medoid_silhouette` and `silhouette` (means), and of the search on all images `candidates`
    (rows tried), `share` (of a round over all), `swaps`: 0.
    """
    rows, said = [pl.DataFrame(schema=MEDOIDS)], []
    for (k,), part in sorted(
        found.filter(pl.col("cluster") > 0).group_by("k", maintain_order=True)
    ):
        labels, near, second = (
            part[name].to_numpy() for name in ("cluster", "distance", "second_distance")
        )
        images = part.filter("medoid").sort("cluster")["image"]
        rows.append(_medoids(int(k), images, labels - 1, near, second, np.ones(len(part))))
        said.append(_said(rows[-1], part["silhouette"].to_numpy().mean(dtype=np.float64), 0, 0, 0))
    return _encoded(pl.concat(rows), sample, encoding), pl.DataFrame(said, SEARCH, orient="row")


def of_all(
    outcome: Outcome, images: pl.DataFrame, distinct: Collapsed, encoding: Encoding
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The medoids that a search among all images ended with, and what there is to say of each K.

    images: `image` and the encoded columns; distinct: their different rows, that were searched.
    A medoid goes by the first image of its row. `silhouette` is the mean of some images' among all.
    """
    times = np.bincount(distinct.row).astype(np.float64)
    rows, said = [pl.DataFrame(schema=MEDOIDS)], []
    for found, silhouette, swaps in zip(
        outcome.found, outcome.silhouettes, outcome.swaps, strict=True
    ):
        names = images["image"][distinct.first[found.medoids]]
        measured = found.labels, found.distance, found.second
        rows.append(_medoids(found.k, names, *measured, times))
        said.append(_said(rows[-1], silhouette, outcome.tried, outcome.share, swaps))
    return _encoded(pl.concat(rows), images, encoding), pl.DataFrame(said, SEARCH, orient="row")


def starts(found: pl.DataFrame, images: pl.Series, row: Array) -> dict[int, Array]:
    """For each K of a sample's clusters the rows of its medoids: int64 (k,).

    images: all images; row: int64 (n,), the row of each. K whose medoids share a row are left out.
    """
    places = pl.DataFrame({"image": images, "row": row})
    medoids = found.filter("medoid").join(places, on="image", how="left", maintain_order="left")
    rows = {int(k): part["row"].to_numpy() for (k,), part in sorted(medoids.group_by("k"))}
    return {k: np.sort(own) for k, own in rows.items() if len(np.unique(own)) == k}


def members(sample: pl.DataFrame, medoids: pl.DataFrame, encoding: Encoding) -> pl.DataFrame:
    """A sample's images in the clusters of their nearest medoids, as `clusters.table` has them.

    medoids: of `of_all`. A medoid that is in the sample is in its own cluster; a cluster may have
    no image of the sample.
    """
    features = to_features(sample, encoding)
    parts = [
        _placed(sample["image"], features, part, encoding)
        for _, part in sorted(medoids.group_by("k", maintain_order=True))
    ]
    labels = [part["cluster"].to_numpy() - 1 for part in parts]
    widths = silhouettes.samples(gower.matrix(features, encoding.distance), labels)
    told = [
        part.with_columns(silhouette=s, weight=pl.lit(1, pl.Float32))
        for part, s in zip(parts, widths, strict=True)
    ]
    return pl.concat([pl.DataFrame(schema=clusters.SCHEMA), *told])


def _placed(
    images: pl.Series, features: gower.Features, medoids: pl.DataFrame, encoding: Encoding
) -> pl.DataFrame:
    """What `members` says of one K, but for silhouettes."""
    near = gower.nearest(features, to_features(medoids, encoding), encoding.distance)
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


def _medoids(
    k: int, images: pl.Series, labels: Array, near: Array, second: Array, times: Array
) -> pl.DataFrame:
    """A row a cluster. labels (n,) from 0; near, second: distances (n,); times: how often each is
    there (n,)."""
    farther = np.maximum(near, second).astype(np.float64)
    width = np.divide(second - near, farther, out=np.zeros(len(near)), where=farther > 0)
    count, loss, widths = (
        np.bincount(labels, times * each, len(images)) for each in (1.0, near, width)
    )
    return pl.DataFrame(
        {
            "k": np.full(len(images), k),
            "cluster": np.arange(1, len(images) + 1),
            "image": images,
            "images": count.round().astype(np.int64),
            "loss": loss,
            "medoid_silhouette": widths / count,
        },
        schema=MEDOIDS,
    )


def _said(
    medoids: pl.DataFrame, silhouette: float, candidates: int, share: float, swaps: int
) -> tuple[Any, ...]:
    images, loss = medoids["images"].to_numpy(), float(medoids["loss"].to_numpy().sum())
    width = float((medoids["medoid_silhouette"].to_numpy() * images).sum() / images.sum())
    k, mean = medoids["k"][0], loss / images.sum()
    return (k, loss, mean, width, float(silhouette), candidates, float(share), int(swaps))


def _encoded(medoids: pl.DataFrame, images: pl.DataFrame, encoding: Encoding) -> pl.DataFrame:
    columns = [column.name for column in encoding.columns]
    told = images.select("image", *columns)
    return medoids.join(told, on="image", how="left", maintain_order="left")
