"""Clusters of a sample inside each kind of images, for every number of clusters it can bear."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tagsight.arrays import Bools, Int32s, Int64s
from tagsight.clustering import algorithms, cluster_tables, silhouettes
from tagsight.gower import metric
from tagsight.gower.distinct_rows import DistinctRows, Weight
from tagsight.run.plain_text import counted
from tagsight.run.progress import LOG
from tagsight.tags.encoding import Encoding, to_features
from tagsight.tree.encodings import REGION, WORD, Tree
from tagsight.tree.growth import REST, Grown, Rows, grown

LEAST_KIND = 10  # images of a sample; with fewer a kind is one cluster
LEAST_CLUSTER = 5  # images of a sample to each cluster, on average
LEAST_REGION = 3  # images of a sample, for a region to be a cluster of its own


SCOUT = "SCOUT"  # in the place of a region
LOCALIZER, LOCALIZER_WORD = "localizer", "LOC"  # the facet, and its word for scouts
SCHEMA = {
    "kind": pl.String,
    **cluster_tables.SCHEMA,
    "region": pl.String,
    "gain": pl.Float64,
}


def most_clusters(images: int, count: int) -> int:
    """Return how many clusters a kind can bear.

    images: of the kind in the sample; count: clusters asked for in all kinds together.
    """
    return max(1, min(count, images // LEAST_CLUSTER)) if images >= LEAST_KIND else 1


def flat_clusters(
    sample: pl.DataFrame,
    encoding: Encoding,
    ks: Sequence[int],
    *,
    algorithm: str,
    weight: Weight,
) -> pl.DataFrame:
    """Return the clusters of a sample for the grid of K, as `cluster_tables.table`.

    sample: `image` and the columns of `encoding`.
    """
    features = to_features(sample, encoding)
    distinct = algorithms.rows_to_cluster(features, weight, algorithm)
    what = counted(len(features), "image")
    LOG.info("%s, %d of them different", what, len(distinct.first))
    LOG.info("%.2g of the pairs have no tag in common", metric.incomparable(features))
    distances = metric.matrix(distinct.features, encoding.distance)
    grid = algorithms.clusterings(distinct.features, distances, ks, algorithm, distinct.weight)
    if remark := algorithms.remark(ks, grid, algorithm):
        LOG.warning(remark)
    widths = silhouettes.widths(distances, [each.labels for each in grid], distinct.weight)
    return cluster_tables.table(sample["image"], distances, grid, widths, distinct)


def tree_clusters(
    sample: pl.DataFrame, tree: Tree, *, count: int, algorithm: str, weight: Weight
) -> pl.DataFrame:
    """Return the clusters of a sample in each kind, for 1, 2, … clusters (see `growth`).

    sample: `image`, `kind` and the encoded columns; tree: the encodings of the kinds.
    Returns the columns of `cluster_tables.table`, `kind` before them, and behind them `region`: the
    region that a cluster is of, null for those of the rest of a kind; and `gain` of the step that
    led to this K. Images of objects that are no pictures are not in it.
    """
    tables = [
        kind_clusters(
            rows,
            tree.of(kind),
            most_clusters(len(rows), count),
            algorithm=algorithm,
            weight=weight,
        ).select(pl.lit(kind).alias("kind"), pl.all())
        for kind, rows in tree.parts(sample)
    ]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *tables])


def kind_clusters(
    rows: pl.DataFrame, encoding: Encoding, most: int, *, algorithm: str, weight: Weight
) -> pl.DataFrame:
    """Return the clusters of images for 1, 2, … clusters, as `tree_clusters` without `kind`.

    rows: `image` and the columns of `encoding`; most: clusters at most.
    """
    of_kind = rows_of(rows, encoding, algorithm=algorithm, weight=weight)
    kind, distinct = of_kind.kind, of_kind.distinct
    steps = list(grown(kind, most, LEAST_REGION))
    grid = [step.clustering for step in steps]
    widths = silhouettes.widths(kind.distances, [each.labels for each in grid], kind.weights)
    table = cluster_tables.table(rows["image"], kind.distances, grid, widths, distinct)
    regions = [_regions(step, of_kind.names) for step in steps]
    return table.join(pl.concat(regions), on=["k", "cluster"], how="left", maintain_order="left")


@dataclass(frozen=True)
class KindRows:
    """The images of a kind as different rows, and the names of regions by their code."""

    kind: Rows
    distinct: DistinctRows
    names: tuple[str, ...]

    @property
    def row(self) -> Int64s:
        """The row of each image: int64 (n,)."""
        return self.distinct.row

    @property
    def weighted(self) -> bool:
        """Whether equal rows may be given to the algorithm once, with a weight."""
        return algorithms.ALGORITHMS[self.kind.algorithm].weighted


def rows_of(
    images: pl.DataFrame, encoding: Encoding, *, algorithm: str, weight: Weight
) -> KindRows:
    """Return the rows of a kind's images, with their distances."""
    features = to_features(images, encoding)
    distinct = algorithms.rows_to_cluster(features, weight, algorithm)
    distances = metric.matrix(distinct.features, encoding.distance)
    codes, names = region_codes(images, encoding)
    regions = codes[distinct.first]
    kind = Rows(distinct.features, distances, distinct.weight, regions, algorithm)
    return KindRows(kind, distinct, names)


def region_codes(rows: pl.DataFrame, encoding: Encoding) -> tuple[Int32s, tuple[str, ...]]:
    """Return what a kind is divided by first: int32 (n,), REST = none, and its names.

    It is the region of each image; of localizers, which are a picture of another sort whatever they
    show, it is SCOUT. Of a kind whose images are all of one region there is no other.
    """
    names = _categories(f"{WORD}.{REGION}", encoding)
    codes = np.full(len(rows), REST, np.int32)
    if names:
        stored = rows[f"{WORD}.{REGION}"].fill_null(REST).to_numpy()
        codes = np.where(stored < len(names), stored, REST).astype(np.int32)
    scouts = _scouts(rows, encoding)
    return np.where(scouts, np.int32(len(names)), codes), (*names, SCOUT)


def leaf_codes(regions: pl.Series, names: Sequence[str]) -> Int32s:
    """Return the code of each leaf's region, int32 (n,); REST where it is none of the names.

    regions: String (n,); names: of `region_codes`.
    """
    known = {name: code for code, name in enumerate(names)}
    codes = regions.replace_strict(known, default=REST, return_dtype=pl.Int32)
    return codes.fill_null(REST).to_numpy()


def lacking_regions(rows: pl.DataFrame, encoding: Encoding, images: Mapping[str, int]) -> list[str]:
    """Return the regions of a kind that are large enough for a cluster, but not in a sample.

    rows: the sample's of the kind, the columns of `encoding`; images: region -> images of the kind
    in the archive. Large enough are those that stand for `LEAST_REGION` images of the sample.
    """
    codes, names = region_codes(rows, encoding)
    present = set(codes.tolist())
    least = LEAST_REGION * sum(images.values()) / max(len(rows), 1)
    return [
        name
        for code, name in enumerate(names)
        if name != SCOUT and code not in present and images.get(name, 0) >= max(least, 1)
    ]


def _scouts(rows: pl.DataFrame, encoding: Encoding) -> Bools:
    """Whether images are localizers: bool (n,)."""
    name = f"{WORD}.{LOCALIZER}"
    stored = {column.name for column in encoding.columns}
    if name in stored:
        kinds = _categories(name, encoding)
        codes = [i for i, word in enumerate(kinds) if word == LOCALIZER_WORD]
        return rows[name].is_in(codes).fill_null(value=False).to_numpy()
    if f"{name}?" in stored:  # of a facet with one word
        return (rows[f"{name}?"] == 1).fill_null(value=False).to_numpy()
    return np.zeros(len(rows), bool)


def _categories(name: str, encoding: Encoding) -> tuple[str, ...]:
    column = next((c for c in encoding.columns if c.name == name), None)
    return () if column is None else column.categories or ()


def _regions(step: Grown, names: Sequence[str]) -> pl.DataFrame:
    """The region of each cluster of a clustering: `k`, `cluster`, `region`, `gain`."""
    regions = [None if code == REST else names[code] for code in step.regions.tolist()]
    k = step.clustering.k
    clusters = list(range(1, k + 1))
    return pl.DataFrame(
        {"k": [k] * k, "cluster": clusters, "region": regions, "gain": [step.gain] * k},
        {"k": pl.Int32, "cluster": pl.Int32, "region": pl.String, "gain": pl.Float64},
    )
