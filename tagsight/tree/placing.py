"""The leaf of any image: of its kind, that of the nearest medoid."""

import polars as pl

from tagsight.clustering import annotation
from tagsight.tree.encodings import Tree

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


def place(images: pl.DataFrame, leaves: pl.DataFrame, tree: Tree) -> pl.DataFrame:
    """Return the leaf of each image: the one whose medoid is nearest.

    images: `image`, `kind` and the encoded columns; leaves: all leaves, as in medoids.parquet.
    Returns the columns of PLACED in the order of the images, see `annotation.annotate`. An image of
    a kind without a medoid has that kind's leaf, and no distance; one of a kind that the leaves do
    not have has none.
    """
    parts = [pl.DataFrame(schema=PLACED)]
    for kind, medoids in _medoids(leaves).items():
        rows = images if tree.flat else images.filter(pl.col("kind") == kind)
        parts.append(_of_kind(rows, medoids, tree, kind))
    placed = pl.concat(parts)
    return images.select("image").join(placed, on="image", how="left", maintain_order="left")


def _medoids(leaves: pl.DataFrame) -> dict[str, pl.DataFrame]:
    if "kind" not in leaves.columns:
        return {"": leaves}
    return {str(kind): rows for (kind,), rows in leaves.group_by("kind", maintain_order=True)}


def _of_kind(images: pl.DataFrame, medoids: pl.DataFrame, tree: Tree, kind: str) -> pl.DataFrame:
    """The images of one kind in its leaves."""
    if medoids["image"].null_count():
        only = images.select("image", cluster=pl.lit(medoids["cluster"][0]))
        return pl.concat(
            [pl.DataFrame(schema=PLACED), only.cast({"cluster": pl.Int32})], how="diagonal"
        )
    if images.is_empty():
        return pl.DataFrame(schema=PLACED)
    placed = annotation.annotate(images, medoids, tree.of(kind))
    offset = int(medoids["cluster"][0]) - 1
    return placed.with_columns(pl.col("cluster", "second").cast(pl.Int32) + offset).cast(PLACED)
