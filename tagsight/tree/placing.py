"""The leaf of any image: of those of its kind and region, the one whose medoid is nearest."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tagsight.arrays import Bools, Float32s, Int32s
from tagsight.clustering import annotation
from tagsight.gower import contributions, metric
from tagsight.gower.features import Features
from tagsight.gower.metric import Nearest
from tagsight.tags.encoding import Encoding, feature_keywords, to_features
from tagsight.tree.clusters import leaf_codes, region_codes
from tagsight.tree.encodings import FLAT, REGION, Tree
from tagsight.tree.growth import REST

PLACED = pl.Schema(
    {
        "image": pl.String(),
        "cluster": pl.Int32(),
        "distance": pl.Float32(),
        "margin": pl.Float32(),
        "second": pl.Int32(),
        "because": pl.String(),
    }
)
CHUNK = 20_000  # images whose distances to all medoids are held at a time


def place(images: pl.DataFrame, leaves: pl.DataFrame, tree: Tree) -> pl.DataFrame:
    """Return the leaf of each image: of those it may be in, the one whose medoid is nearest.

    images: `image`, `kind` and the encoded columns; leaves: all leaves, as in medoids.parquet.
    An image may be in the leaves of its kind and region, else in those of the rest of its kind; of
    a region that the sample lacks, in the leaf without a medoid that stands for it.
    Returns the columns of PLACED in the order of the images, see `annotation.annotate`. `second` is
    the nearest of all other leaves of the kind, so that a margin may be negative: by its technique
    the image would rather be of another region. Where all these leaves have no medoid, or the kind
    no column to compare by, the image is in the first of them and has no distance; an image of a
    kind that the leaves do not have has none.
    """
    parts = [pl.DataFrame(schema=PLACED)]
    for kind, of_kind in _by_kind(leaves).items():
        if tree.flat:
            parts.append(annotation.annotate(images, of_kind, tree.of(FLAT)).cast(PLACED))
            continue
        rows = images.filter(pl.col("kind") == kind)
        parts.extend(_placed(chunk, of_kind, tree.of(kind)) for chunk in rows.iter_slices(CHUNK))
    placed = pl.concat(parts)
    return images.select("image").join(placed, on="image", how="left", maintain_order="left")


def _by_kind(leaves: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
    if "kind" not in leaves.columns:
        return {FLAT: leaves}
    return {str(kind): rows for (kind,), rows in leaves.group_by("kind", maintain_order=True)}


def _placed(images: pl.DataFrame, leaves: pl.DataFrame, encoding: Encoding) -> pl.DataFrame:
    """Images of one kind in its leaves, those without a leaf to compare with last."""
    medoids = leaves.drop_nulls("image").sort("image")
    own, (of_leaf, of_medoid) = _regions(images, (leaves, medoids), encoding)
    allowed: Bools = own[:, None] == of_medoid[None, :]
    comparable = allowed.any(axis=1) & bool(encoding.columns)
    unlike = leaves["image"].is_null().to_numpy()
    # The leaf of its region without a medoid, else of the rest, else the first.
    order = np.lexsort((leaves["cluster"].to_numpy(), ~unlike))
    fitting = own[~comparable][:, None] == of_leaf[order][None, :]
    alone = images.filter(pl.Series(~comparable)).select(
        "image", cluster=pl.Series(leaves["cluster"].to_numpy()[order][fitting.argmax(axis=1)])
    )
    if not comparable.any():
        return pl.concat([pl.DataFrame(schema=PLACED), alone], how="diagonal")
    near = _compared(images.filter(pl.Series(comparable)), medoids, allowed[comparable], encoding)
    return pl.concat([near, alone], how="diagonal")


def _compared(
    images: pl.DataFrame, leaves: pl.DataFrame, allowed: Bools, encoding: Encoding
) -> pl.DataFrame:
    """Images of one kind in the nearest leaf allowed; of equally near ones the lower `image`.

    leaves: those with a medoid, in order of `image`; allowed: bool (n, k), one in each row.
    """
    features, medoids = to_features(images, encoding), to_features(leaves, encoding)
    near = _nearest(features, medoids, allowed, encoding)
    clusters = np.append(leaves["cluster"].to_numpy(), np.int32(0))  # the last is for index -1
    because = contributions.because(features, medoids, near, feature_keywords(encoding))
    table = pl.DataFrame(
        {
            "image": images["image"],
            "cluster": clusters[near.index],
            "distance": near.distance,
            "margin": near.second - near.distance,
            "second": clusters[near.second_index],
            "because": because,
        }
    )
    # The nearest medoid of all is of another region: that alone decided.
    decided = pl.when(pl.col("margin") < 0).then(pl.lit(REGION)).otherwise("because")
    return table.with_columns(pl.col("second").replace(0, None), because=decided).cast(PLACED)


def _regions(
    images: pl.DataFrame, tables: Sequence[pl.DataFrame], encoding: Encoding
) -> tuple[Int32s, list[Int32s]]:
    """The region whose leaves each image may be in, int32 (n,), and that of the leaves in tables.

    The first of the tables has all leaves of the kind. REST: of none of their regions.
    """
    codes, names = region_codes(images, encoding)
    of_leaves = [leaf_codes(leaves["region"], names) for leaves in tables]
    own: Int32s = np.where(np.isin(codes, of_leaves[0]), codes, REST).astype(np.int32)
    return own, of_leaves


def _nearest(features: Features, medoids: Features, allowed: Bools, encoding: Encoding) -> Nearest:
    """The nearest of the medoids that are allowed, and the nearest of all others."""
    distances = metric.cross(features, medoids, encoding.distance)
    rows = np.arange(len(distances))
    index = np.where(allowed, distances, np.inf).argmin(axis=1)
    distance: Float32s = distances[rows, index]
    if len(medoids) == 1:
        alone = np.full(len(rows), -1, np.int32)
        return Nearest(index.astype(np.int32), distance, np.ones(len(rows), np.float32), alone)
    others = distances.copy()
    others[rows, index] = np.inf
    second = others.argmin(axis=1)
    return Nearest(
        index.astype(np.int32), distance, distances[rows, second], second.astype(np.int32)
    )
