"""Leaves: the clusters of all kinds under one numbering, and their medoids.

A kind has as many leaves as it was dealt; one that is no picture, or that no image of the sample is
of, has one leaf without a medoid. Leaves are numbered from 1: kinds in the order of their size in
the archive, and within a kind the largest first; then those of images whose region no leaf of their
kind has.
"""

from collections.abc import Mapping

import polars as pl

from tagsight.clustering import medoid_tables
from tagsight.tree.encodings import Tree


def chosen(clusters: pl.DataFrame, numbers: Mapping[str, int]) -> pl.DataFrame:
    """Return the clusters of a sample at each kind's number of clusters.

    clusters: of `clusters.tree_clusters`; numbers: kind → K.
    Of a K that the sample does not have the nearest counts, the smaller where equal.
    """
    parts = [clusters.clear()]
    for (kind,), rows in clusters.group_by("kind", maintain_order=True):
        wanted = numbers.get(str(kind), 1)
        k = min(sorted(rows["k"].unique()), key=lambda number: abs(number - wanted))
        parts.append(rows.filter(pl.col("k") == k))
    return pl.concat(parts)


def first_leaves(tree: Tree, numbers: Mapping[str, int]) -> dict[str, int]:
    """Return the number of the first leaf of each kind, minus 1.

    numbers: kind → K; a kind without one has one leaf.
    """
    offsets, total = {}, 0
    for kind in tree.branches:
        offsets[kind] = total
        total += numbers.get(kind, 1)
    return offsets


def renumbered(clusters: pl.DataFrame, offsets: Mapping[str, int]) -> pl.DataFrame:
    """Return clusters of each kind, from 1, under the numbers of leaves.

    clusters: `kind`, `cluster` and others; offsets: of `first_leaves`.
    """
    offset = pl.col("kind").replace_strict(dict(offsets), return_dtype=pl.Int32)
    return clusters.with_columns(pl.col("cluster").cast(pl.Int32) + offset)


def in_leaves(clusters: pl.DataFrame, tree: Tree, numbers: Mapping[str, int]) -> pl.DataFrame:
    """Return the clusters of a sample at each kind's number of clusters, as leaves.

    clusters: of `clusters.tree_clusters`; numbers: kind → K.
    """
    return renumbered(chosen(clusters, numbers), first_leaves(tree, numbers))


def of_sample(
    clusters: pl.DataFrame, sample: pl.DataFrame, tree: Tree, numbers: Mapping[str, int]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the leaves of a sample's clusters, and summary statistics for each kind.

    clusters: of `chosen`; sample: `image`, `kind` and the encoded columns.
    Returns tables as `medoid_tables.of_sample`, one K for each kind, with `kind` and `region` (null
    of the rest of a kind) before the other columns of the first, and `kind` of the second. All
    leaves of the archive are in the first; those without a medoid have no `image`.
    """
    medoids, summaries = [], []
    for kind, rows in tree.parts(sample):
        of_kind = clusters.filter(pl.col("kind") == kind).drop("kind", "gain")
        found, summary = medoid_tables.of_sample(of_kind, rows, tree.of(kind))
        regions = of_kind.select("cluster", "region").unique()
        joined = found.join(regions, on="cluster", how="left", maintain_order="left")
        medoids.append(joined.select(pl.lit(kind).alias("kind"), "region", pl.exclude("region")))
        summaries.append(summary.select(pl.lit(kind).alias("kind"), pl.all()))
    schema = {"kind": pl.String, **medoid_tables.SEARCH}
    return all_leaves(medoids, tree, numbers), pl.concat([pl.DataFrame(schema=schema), *summaries])


def all_leaves(medoids: list[pl.DataFrame], tree: Tree, numbers: Mapping[str, int]) -> pl.DataFrame:
    """Return the leaves of all kinds of the archive, from the medoids of those that have any.

    medoids: `kind`, `cluster` (from 1 in its kind), … for each kind.
    """
    lacking = [kind for kind in tree.branches if kind not in {m["kind"][0] for m in medoids}]
    schema = {"kind": pl.String, "region": pl.String, **medoid_tables.MEDOIDS}
    empty = pl.DataFrame([{"kind": kind, "k": 1, "cluster": 1} for kind in lacking], schema)
    leaves = renumbered(
        pl.concat([*medoids, empty], how="diagonal"), first_leaves(tree, numbers)
    ).sort("cluster")
    return pl.concat([leaves, _without_a_rest(leaves)], how="diagonal")


def _without_a_rest(leaves: pl.DataFrame) -> pl.DataFrame:
    """A leaf more for each kind all of whose leaves are of a region, for images of others.

    The sample has none of these, so the leaf has no medoid. Its number comes after all others.
    """
    of_regions = leaves.group_by("kind", maintain_order=True).agg(
        pl.col("region").is_not_null().all().alias("divided")
    )
    kinds = of_regions.filter("divided")["kind"].to_list()
    first = len(leaves) + 1
    rows = {"kind": kinds, "k": [1] * len(kinds), "cluster": list(range(first, first + len(kinds)))}
    return pl.DataFrame(rows, {"kind": pl.String, "k": pl.Int32, "cluster": pl.Int32})
