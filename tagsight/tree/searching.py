"""Medoids among all images of the archive, kind by kind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tagsight.clustering import cluster_tables, medoid_tables, silhouettes
from tagsight.clustering.medoids import nearest
from tagsight.clustering.search.search import search
from tagsight.gower import metric
from tagsight.gower.distinct_rows import Weight, collapse
from tagsight.run.progress import LOG, Progress
from tagsight.tags.encoding import Encoding, to_features
from tagsight.tree import leaves
from tagsight.tree.clusters import SCHEMA, region_codes
from tagsight.tree.encodings import FLAT, Tree
from tagsight.tree.placing import place

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
        found, summary = _kind_search(images, starts, tree.of(kind), folder / f"{number}", how)
        medoids.append(found.select(pl.lit(kind).alias("kind"), "region", pl.exclude("region")))
        summaries.append(summary.select(pl.lit(kind).alias("kind"), pl.all()))
    schema = {"kind": pl.String, **medoid_tables.SEARCH}
    summary = pl.concat([pl.DataFrame(schema=schema), *summaries])
    return leaves.all_leaves(medoids, tree, numbers), summary


def _kind_search(
    images: pl.DataFrame,
    clusters: pl.DataFrame,
    encoding: Encoding,
    folder: Path,
    how: Mapping[str, Any],
) -> Tables:
    """The medoids of a kind, region by region; `region` is null of the rest of the kind.

    Clusters of a region are searched for among its images alone. A single cluster needs no search
    but for its medoid.
    """
    folder.mkdir(exist_ok=True)
    codes, names = region_codes(images, encoding)
    regions = clusters["region"].unique(maintain_order=True).to_list()
    taken = [names.index(region) for region in regions if region is not None]
    parts, summaries = [], []
    for number, region in enumerate(regions):
        code = None if region is None else names.index(region)
        inside = ~np.isin(codes, taken) if code is None else codes == code
        of_region = clusters.filter(pl.col("region").eq_missing(pl.lit(region, pl.String)))
        first = of_region.with_columns(
            pl.col("cluster").rank("dense").cast(pl.Int32),
            k=pl.lit(of_region["cluster"].n_unique(), pl.Int32),
        )
        of_these, checkpoint = images.filter(pl.Series(inside)), folder / f"{number}.npz"
        found, summary = _region_search(
            of_these, first.drop("region", "gain"), encoding, checkpoint=checkpoint, **how
        )
        parts.append(found.with_columns(region=pl.lit(region, pl.String)))
        summaries.append(summary)
    return _numbered(pl.concat(parts)), _summed(pl.concat(summaries), parts)


def _region_search(
    images: pl.DataFrame, clusters: pl.DataFrame, encoding: Encoding, **how: Any
) -> Tables:
    """The medoids of a region; each different row is one where there are no more of them."""
    distinct = collapse(to_features(images, encoding), how["weight"])
    if len(distinct.first) > clusters["k"][0]:
        return _search(images, clusters, encoding, **how)
    distances = metric.matrix(distinct.features, encoding.distance)
    every = nearest(distances, np.arange(len(distances)), distinct.weight)
    widths = silhouettes.widths(distances, [every.labels], distinct.weight)
    table = cluster_tables.table(images["image"], distances, [every], widths, distinct)
    return medoid_tables.of_sample(table, images, encoding)


def _numbered(medoids: pl.DataFrame) -> pl.DataFrame:
    """Medoids of all regions of a kind under one numbering, the largest cluster first."""
    ordered = medoids.sort(["images", "image"], descending=[True, False])
    k = pl.lit(len(ordered), pl.Int32)
    return ordered.with_columns(k=k, cluster=pl.int_range(1, pl.len() + 1, dtype=pl.Int32))


def _summed(summaries: pl.DataFrame, medoids: list[pl.DataFrame]) -> pl.DataFrame:
    """One row of a kind from those of its regions; means are weighted by images."""
    images = pl.Series([part["images"].sum() for part in medoids], dtype=pl.Float64)
    share = images / images.sum()
    means = ("distance", "medoid_silhouette", "silhouette")
    return summaries.select(
        pl.col("k").sum(),
        pl.col("loss").sum(),
        *((pl.col(mean) * share).sum() for mean in means),
        pl.col("candidates").sum(),
        (pl.col("share") * share).sum(),
        pl.col("swaps").sum(),
    ).cast(pl.Schema(medoid_tables.SEARCH))


def members(
    sample: pl.DataFrame, medoids: pl.DataFrame, tree: Tree, weight: Weight
) -> pl.DataFrame:
    """Return a sample's images in the clusters of their medoids.

    Returns the table of `medoid_tables.members`; in a tree with `kind` and `region`, and the
    numbers of leaves.
    """
    if tree.flat:
        return medoid_tables.members(sample, medoids, tree.of(FLAT), weight)
    own = medoids.select("image", "kind", "cluster", "region", "k")
    parts = [pl.DataFrame(schema=SCHEMA)]
    for kind, rows in tree.parts(sample):
        placed = place(rows, medoids, tree).join(
            own.drop("image").filter(pl.col("kind") == kind), on="cluster", maintain_order="left"
        )
        parts.append(_kind_members(rows, placed, own["image"], tree.of(kind), weight))
    return pl.concat(parts)


def _kind_members(
    rows: pl.DataFrame, placed: pl.DataFrame, medoids: pl.Series, encoding: Encoding, weight: Weight
) -> pl.DataFrame:
    """Images of a kind as `members`; placed: of `place`, with `kind`, `region` and `k`."""
    distinct = collapse(to_features(rows, encoding), weight)
    labels = placed["cluster"].rank("dense").to_numpy().astype(np.int64) - 1
    distances = metric.matrix(distinct.features, encoding.distance)
    (widths,) = silhouettes.widths(distances, [labels[distinct.first]], distinct.weight)
    return placed.with_columns(
        medoid=pl.col("image").is_in(medoids.implode()),
        second_distance=pl.col("distance") + pl.col("margin"),
        silhouette=pl.Series(widths[distinct.row]),
        weight=pl.Series(distinct.row_weights().astype(np.float32)),
        gain=pl.lit(0.0),
    ).select(list(SCHEMA))


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
