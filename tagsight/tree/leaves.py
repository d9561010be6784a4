"""Leaves: the clusters of all kinds under one numbering, and their medoids.

A kind has as many leaves as it was dealt; one that is no picture, or that no image of the sample is
of, has one leaf without a medoid. Leaves are numbered from 1: kinds in the order of their size in
the archive, and within a kind the largest first. After them come leaves for what the sample lacks:
one for each larger region that no image of the kind has there, and one for a kind's other images
where all its leaves are of a region. These have no medoid.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from tagsight.clustering import medoid_tables
from tagsight.tree.clusters import LOCALIZER, LOCALIZER_WORD, lacking_regions
from tagsight.tree.encodings import Tree

NO_REGIONS = pl.DataFrame(schema={"kind": pl.String, "region": pl.String, "images": pl.UInt32})


def regions_of(content: pl.LazyFrame) -> pl.DataFrame:
    """Return how many images the archive has of each kind and region, localizers apart.

    content: `kind`, `region` and, where there is one, `localizer`.
    """
    if LOCALIZER in content.collect_schema():
        content = content.filter(pl.col(LOCALIZER).ne_missing(LOCALIZER_WORD))
    return content.group_by("kind", "region").agg(images=pl.len()).collect(engine="streaming")


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
    clusters: pl.DataFrame,
    sample: pl.DataFrame,
    tree: Tree,
    numbers: Mapping[str, int],
    regions: pl.DataFrame = NO_REGIONS,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the leaves of a sample's clusters, and summary statistics for each kind.

    clusters: of `chosen`; sample: `image`, `kind` and the encoded columns; regions: of the archive,
    see `regions_of`.
    Returns tables as `medoid_tables.of_sample`, one K for each kind, with `kind` and `region` (null
    of the rest of a kind) before the other columns of the first, and `kind` of the second. All
    leaves of the archive are in the first; those without a medoid have no `image`.
    """
    medoids, summaries, lacking = [], [], []
    for kind, rows in tree.parts(sample):
        of_kind = clusters.filter(pl.col("kind") == kind).drop("kind", "gain")
        found, summary = medoid_tables.of_sample(of_kind, rows, tree.of(kind))
        of_cluster = of_kind.select("cluster", "region").unique()
        joined = found.join(of_cluster, on="cluster", how="left", maintain_order="left")
        medoids.append(joined.select(pl.lit(kind).alias("kind"), "region", pl.exclude("region")))
        summaries.append(summary.select(pl.lit(kind).alias("kind"), pl.all()))
        images = dict(regions.filter(pl.col("kind") == kind).select("region", "images").iter_rows())
        lacking += [(kind, region) for region in lacking_regions(rows, tree.of(kind), images)]
    schema = {"kind": pl.String, **medoid_tables.SEARCH}
    summary = pl.concat([pl.DataFrame(schema=schema), *summaries])
    return all_leaves(medoids, tree, numbers, lacking), summary


def all_leaves(
    medoids: list[pl.DataFrame],
    tree: Tree,
    numbers: Mapping[str, int],
    lacking: Sequence[tuple[str, str]] = (),
) -> pl.DataFrame:
    """Return the leaves of all kinds of the archive, from the medoids of those that have any.

    medoids: `kind`, `cluster` (from 1 in its kind), … for each kind; lacking: kinds with a region
    that the archive has and none of these images.
    """
    unseen = [kind for kind in tree.branches if kind not in {m["kind"][0] for m in medoids}]
    schema = {"kind": pl.String, "region": pl.String, **medoid_tables.MEDOIDS}
    empty = pl.DataFrame([{"kind": kind, "k": 1, "cluster": 1} for kind in unseen], schema)
    leaves = renumbered(
        pl.concat([*medoids, empty], how="diagonal"), first_leaves(tree, numbers)
    ).sort("cluster")
    more = [*lacking, *((kind, None) for kind in _without_a_rest(leaves))]
    rows = pl.DataFrame(more, {"kind": pl.String, "region": pl.String}, orient="row")
    return pl.concat(
        [leaves, rows.with_columns(k=1, cluster=len(leaves) + 1 + pl.int_range(pl.len()))],
        how="diagonal_relaxed",
    ).cast(leaves.schema)


def _without_a_rest(leaves: pl.DataFrame) -> list[str]:
    """The kinds all of whose leaves are of a region."""
    of_regions = leaves.group_by("kind", maintain_order=True).agg(
        pl.col("region").is_not_null().all().alias("divided")
    )
    return of_regions.filter("divided")["kind"].to_list()
