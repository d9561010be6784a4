"""Whether the leaves of each kind come again: in other patients, and in bootstraps of patients.

A bootstrap draws from the patients that the leaves were made of, and flatters. Other patients, whom
no fit has seen, are clustered for themselves: a leaf that is real is among their clusters.

Source: Hennig, "Cluster-wise assessment of cluster stability" (2007); Tibshirani & Walther,
"Cluster validation by prediction strength" (2005), for the clusters of other patients.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from tagsight.arrays import Float64s, Int32s, Int64s
from tagsight.clustering.cluster_tables import labellings
from tagsight.gower.distinct_rows import Weight
from tagsight.interpretation.stability import ALIKE, Frames, bootstrap_counts, jaccards
from tagsight.run.tables import counted_person, person
from tagsight.tags.encoding import Encoding
from tagsight.tree import leaves as leaf_tables
from tagsight.tree import placing
from tagsight.tree.clusters import LEAST_REGION, region_codes, rows_of
from tagsight.tree.encodings import Tree
from tagsight.tree.growth import REST, Grown, grown

FOUND = 0.5  # Jaccard coefficient from which a leaf counts as found again
LEAST_HOLDOUT = 20  # images of a kind, to look for its leaves among them
LEAST_IMAGES = 5  # of a leaf in the holdout, to say whether it is found there
BOOTSTRAPS = {
    "bootstrap": pl.Int32,
    "kind": pl.String,
    "region": pl.String,
    "image": pl.String,
}


def tree_stability(
    samples: Frames,
    clusters: Frames,
    tree: Tree,
    numbers: Mapping[str, int],
    *,
    algorithm: str,
    weight: Weight,
    bootstraps: int,
    seed: int,
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return the content of stability.json of a tree, and the leaves of all bootstraps.

    samples, clusters: `tuning` and `holdout`, of different patients; clusters of
    `tree.clusters.tree_clusters`; tree: the encodings of the tuning sample; numbers: kind → K.
    The first has `bootstraps`, `people`, and `leaves`, for each: `cluster`, `kind`, `patients` (of
    the tuning sample), `stability` (mean Jaccard coefficient over bootstraps), `again` (the largest
    Jaccard coefficient of its images of the holdout with a cluster of the holdout's own) and
    `found` (`again` is FOUND at least). The last two are null where the holdout has fewer than
    LEAST_HOLDOUT images of the kind, or LEAST_IMAGES of the leaf, and no more were to be expected:
    nothing can be said then.
    The second has the columns of BOOTSTRAPS: a row for each leaf of each bootstrap of a kind, with
    the image that is its medoid, and the region that it is of (null: of the rest of the kind).
    """
    tuning = samples["tuning"]
    leaves, _ = leaf_tables.of_sample(
        leaf_tables.chosen(clusters["tuning"], numbers), tuning, tree, numbers
    )
    again = _again(samples["holdout"], clusters["holdout"], leaves, tree)
    rows, drawn = [], [pl.DataFrame(schema=BOOTSTRAPS)]
    for kind, sample in tree.parts(tuning):
        of_kind = clusters["tuning"].filter(kind=kind, k=numbers[kind]).drop("kind")
        labels = labellings(sample, of_kind)[numbers[kind]]
        patients, people = _codes(sample), sample.select(counted_person()).to_series()
        stable, medoids = _bootstrapped(
            sample,
            tree.of(kind),
            labels.astype(np.int64),
            patients,
            algorithm=algorithm,
            weight=weight,
            bootstraps=bootstraps,
            seed=seed,
        )
        drawn.append(medoids.with_columns(kind=pl.lit(kind)).select(list(BOOTSTRAPS)))
        first = leaf_tables.first_leaves(tree, numbers)[kind]
        for c in range(numbers[kind]):
            found = again.get(first + c + 1)
            rows.append(
                {
                    "cluster": first + c + 1,
                    "kind": kind,
                    "patients": people.filter(pl.Series(labels == c)).n_unique(),
                    "stability": _or_null(stable[c]),
                    "again": found,
                    "found": None if found is None else found >= FOUND,
                }
            )
    drawn_from = int(tuning.select(person().n_unique()).item()) if len(tuning) else 0
    content = {"bootstraps": bootstraps, "people": drawn_from, "leaves": rows}
    return content, pl.concat(drawn)


def of_leaves(
    stability: Mapping[str, Any], members: pl.DataFrame, clusters: pl.DataFrame
) -> dict[str, Any]:
    """Return the content of stability.json for the leaves that images are put in.

    stability: of `tree_stability`; members: the tuning sample's images in their leaves; clusters:
    the same images in the leaves whose stability was measured, of `leaves.in_leaves`.
    The two differ where the medoids are of all images (`cluster.on: all`). A leaf then has the
    stability of the leaf with the largest Jaccard coefficient; where that is not above ALIKE it
    is left out, and nothing is known of it.
    """
    measured = {leaf["cluster"]: leaf for leaf in stability["leaves"]}
    rows = members.select("image", leaf="cluster").join(
        clusters.select("image", old="cluster"), on="image"
    )
    shared, old = pl.len(), pl.len().over("old")
    pairs = (
        rows.with_columns(either=pl.len().over("leaf") + old)
        .group_by("leaf", "old")
        .agg(alike=shared / (pl.col("either").first() - shared))
        .filter(pl.col("alike") > ALIKE)
        .sort("leaf")
    )
    leaves = [{**measured[old], "cluster": leaf} for leaf, old, _ in pairs.iter_rows()]
    return {**stability, "leaves": leaves}


def _bootstrapped(
    sample: pl.DataFrame,
    encoding: Encoding,
    labels: Int64s,
    patients: Int64s,
    *,
    algorithm: str,
    weight: Weight,
    bootstraps: int,
    seed: int,
) -> tuple[Float64s, pl.DataFrame]:
    """Mean Jaccard coefficients of a kind's clusters, NaN without a bootstrap; and its leaves."""
    k = int(labels.max()) + 1
    rows = rows_of(sample, encoding, algorithm=algorithm, weight=weight)
    total, leaves = np.zeros(k), list[pl.DataFrame]()
    for times in bootstrap_counts(patients, bootstraps, seed):
        images = np.flatnonzero(times)
        drawn = np.bincount(rows.row, weights=times, minlength=len(rows.kind.weights))
        part = np.flatnonzero(drawn)
        counted = weight == "images" and rows.weighted
        weights = drawn[part].astype(np.float64) if counted else np.ones(len(part))
        *_, last = grown(rows.kind.take(part, weights), k, LEAST_REGION)
        again = last.clustering.labels[np.searchsorted(part, rows.row[images])]
        total += jaccards(labels[images], again.astype(np.int64), k)
        medoids = rows.distinct.first[part[last.clustering.medoids]]
        leaves.append(_leaves(len(leaves) + 1, sample["image"][medoids], last, rows.names))
    schema = {name: of for name, of in BOOTSTRAPS.items() if name != "kind"}
    table = pl.concat([pl.DataFrame(schema=schema), *leaves])
    return (total / len(leaves) if leaves else total * np.nan), table


def _leaves(
    bootstrap: int, medoids: pl.Series, clusters: Grown, names: Sequence[str]
) -> pl.DataFrame:
    """The leaves of a bootstrap: the columns of BOOTSTRAPS but `kind`."""
    regions = [None if code == REST else names[code] for code in clusters.regions.tolist()]
    of_leaf = pl.DataFrame({"image": medoids, "region": pl.Series(regions, dtype=pl.String)})
    return of_leaf.select(pl.lit(bootstrap, pl.Int32).alias("bootstrap"), "region", "image")


def _again(
    holdout: pl.DataFrame,
    clusters: pl.DataFrame,
    leaves: pl.DataFrame,
    tree: Tree,
) -> dict[int, float]:
    """Leaf → the largest Jaccard coefficient of its images with a cluster of their own."""
    coefficients: dict[int, float] = {}
    for kind, rows in tree.parts(holdout):
        every = leaves.filter(pl.col("kind") == kind)
        of_kind = every.drop_nulls("image")
        if len(rows) < LEAST_HOLDOUT or of_kind.is_empty():
            continue
        first = int(of_kind["cluster"][0])
        where = placing.place(rows, every, tree)["cluster"].to_numpy() - first
        placed = np.where(where < len(of_kind), where, -1)  # those without a medoid come last
        best = np.zeros(len(of_kind))
        regions, _ = region_codes(rows, tree.of(kind))
        for own in _clusterings(rows, clusters.filter(pl.col("kind") == kind), regions):
            best = np.maximum(best, jaccards(placed.astype(np.int64), own, len(of_kind)))
        sizes = np.bincount(placed[placed >= 0], minlength=len(of_kind))
        expected = of_kind["images"].to_numpy() / of_kind["images"].sum() * len(rows)
        known = np.flatnonzero(np.maximum(sizes, expected) >= LEAST_IMAGES)
        coefficients |= {first + int(c): float(best[c]) for c in known}
    return coefficients


def _clusterings(rows: pl.DataFrame, clusters: pl.DataFrame, regions: Int32s) -> Iterator[Int64s]:
    """All clusterings of a sample: what one has at a K another may have at a larger one.

    The first is by region: a small sample may have too few clusters to take all regions out.
    """
    yield regions.astype(np.int64)
    for of_number in labellings(rows, clusters.drop("kind")).values():
        yield of_number.astype(np.int64)


def _codes(sample: pl.DataFrame) -> Int64s:
    return sample.select(person().rank("dense") - 1).to_series().to_numpy().astype(np.int64)


def _or_null(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
