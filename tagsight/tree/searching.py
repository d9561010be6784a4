"""Medoids among all images of the archive, kind by kind."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from tagsight.clustering import medoid_tables
from tagsight.clustering.search.search import search
from tagsight.gower.distinct_rows import Weight, collapse
from tagsight.run.progress import LOG, Progress
from tagsight.tags.encoding import Encoding, to_features
from tagsight.tree import leaves
from tagsight.tree.encodings import FLAT, Tree

Tables = tuple[pl.DataFrame, pl.DataFrame]


def of_all(
    features: pl.LazyFrame,
    clusters: pl.DataFrame,
    tree: Tree,
    numbers: Mapping[str, int],
    *,
    weight: Weight,
    candidates: int,
    seed: int,
    folder: Path,
) -> Tables:
    """Return the medoids of a search among all images, and summary statistics.

    features: of all shards; clusters: the sample's, from which each search starts: in a tree at
    `numbers`; folder: where searches commit their state.
    Returns tables as `medoid_tables.of_all`, in a tree with `kind` and all leaves as
    `leaves.of_sample`. One kind is in memory at a time.
    """
    how = {"weight": weight, "candidates": candidates, "seed": seed}
    if tree.flat:
        images = features.collect().sort("image")
        return _search(images, clusters, tree.of(FLAT), checkpoint=folder / "search.npz", **how)  # type: ignore[arg-type]
    medoids, summaries = [], []
    for number, kind in enumerate(tree.pictures):
        starts = clusters.filter(pl.col("kind") == kind).drop("kind")
        if starts.is_empty():
            continue
        LOG.info("%s", kind)
        images = features.filter(pl.col("kind") == kind).collect().sort("image")
        path = folder / f"search-{number}.npz"
        found, summary = _search(images, starts, tree.of(kind), checkpoint=path, **how)  # type: ignore[arg-type]
        medoids.append(found.select(pl.lit(kind).alias("kind"), pl.all()))
        summaries.append(summary.select(pl.lit(kind).alias("kind"), pl.all()))
    schema = {"kind": pl.String, **medoid_tables.SEARCH}
    summary = pl.concat([pl.DataFrame(schema=schema), *summaries])
    return leaves.all_leaves(medoids, tree, numbers), summary


def members(
    sample: pl.DataFrame, medoids: pl.DataFrame, tree: Tree, weight: Weight
) -> pl.DataFrame:
    """Return a sample's images in the clusters of their nearest medoids.

    Returns the table of `medoid_tables.members`; in a tree with `kind`, and the numbers of leaves.
    """
    if tree.flat:
        return medoid_tables.members(sample, medoids, tree.of(FLAT), weight)
    parts = []
    for kind, rows in tree.parts(sample):
        of_kind = medoids.filter(pl.col("kind") == kind)
        first = int(of_kind["cluster"][0])
        local = of_kind.with_columns(pl.col("cluster") - (first - 1))
        placed = medoid_tables.members(rows, local, tree.of(kind), weight)
        parts.append(
            placed.select(pl.lit(kind).alias("kind"), pl.all()).with_columns(
                pl.col("cluster") + (first - 1)
            )
        )
    return pl.concat(parts)


def _search(
    images: pl.DataFrame,
    clusters: pl.DataFrame,
    encoding: Encoding,
    *,
    weight: Weight,
    candidates: int,
    seed: int,
    checkpoint: Path,
) -> Tables:
    distinct = collapse(to_features(images, encoding), weight)
    ks = clusters["k"].unique().to_list()
    outcome = search(
        distinct.features,
        distinct.weight,
        ks,
        distance=encoding.distance,
        seed=seed,
        candidates=candidates,
        starts=medoid_tables.starts(clusters, images["image"], distinct.row),
        checkpoint=checkpoint,
        progress=Progress(candidates, "candidates"),
    )
    return medoid_tables.of_all(outcome, images, distinct, encoding)
