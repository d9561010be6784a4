"""Every algorithm on every data set: agreement with outside labels, and stability.

All use the same Gower distances, with and without presence columns, with and without the tags that
state the labels. A task is one algorithm on one variant of a data set, for the whole grid of K; its
seconds are of one core, without the distances.
"""

import multiprocessing
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from study.data import Data, synthetic
from tagsight.arrays import Float32s, Int64s, Integers
from tagsight.clustering import silhouettes
from tagsight.clustering.algorithms import ALGORITHMS, clusterings
from tagsight.clustering.medoids import Clustering
from tagsight.gower import metric
from tagsight.gower.features import Features
from tagsight.interpretation import stability
from tagsight.interpretation.agreement import MODALITY_AND_BODY_PART, agreement
from tagsight.run.tables import person
from tagsight.tags.encoding import PRESENCE, Encoding, to_features

KS = (5, 10, 15, 30, 60)
PRESENCES = (0.0, 1.0)
BOOTSTRAPS = 3
LABELS = ("truth", "modality", "body_part", "manufacturer")
SCHEMA = {
    "data": pl.String,
    "presence": pl.Float64,  # weight of the presence columns
    "told": pl.Boolean,  # with the tags that state the labels
    "algorithm": pl.String,
    "asked": pl.Int64,
    "k": pl.Int64,  # number of clusters, the nearest of the grid to `asked`
    "none": pl.Float64,  # share of images in no cluster
    "largest": pl.Float64,  # share of images in the largest cluster
    "silhouette": pl.Float64,
    "stability": pl.Float64,  # adjusted Rand index with bootstraps of patients
    "seconds": pl.Float64,  # for the whole grid
    **{f"ami_{label}": pl.Float64 for label in LABELS},
    "moved": pl.Float64,  # share of images whose annotation is not their cluster
    **{f"placed_{label}": pl.Float64 for label in LABELS},  # AMI of the annotations
}


@dataclass(frozen=True)
class Task:
    """One algorithm on one variant of a data set."""

    data: Data
    presence: float
    told: bool
    algorithm: str


def measured(data_sets: Sequence[Data], ks: Sequence[int] = KS, workers: int = 2) -> pl.DataFrame:
    """Return one row per data set, variant, algorithm and K of the grid (SCHEMA).

    Where a data set has no tags that state the labels, both variants have the same figures.
    """
    tasks = [
        Task(replace(data, embeddings=None), presence, told, algorithm)
        for data in data_sets
        for presence in PRESENCES
        for told in (True, False)
        if told
        or len(data.encoding.without(MODALITY_AND_BODY_PART).columns) < len(data.encoding.columns)
        for algorithm in ALGORITHMS
    ]
    jobs = [(task, ks) for task in tasks]
    if workers > 1:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_warm) as pool:
            parts = list(_counted(pool.map(_star, jobs), len(jobs)))
    else:
        parts = [_star(job) for job in jobs]
    rows = [row for part in parts for row in part]
    in_both = {row["data"] for row in rows if not row["told"]}
    rows += [{**row, "told": False} for row in rows if row["data"] not in in_both]
    names = pl.Enum([data.name for data in data_sets])
    return pl.DataFrame(rows, SCHEMA, orient="row").sort(
        pl.col("data").cast(names), maintain_order=True
    )


def _counted(parts: Iterable[Any], total: int) -> Iterator[Any]:
    """Yield the parts, and print progress at every tenth of them."""
    for number, part in enumerate(parts, start=1):
        if number % max(total // 10, 1) == 0:
            print(f"clusterings: {number} of {total}", file=sys.stderr, flush=True)
        yield part


def _warm() -> None:
    """Compile, so that no algorithm's seconds contain it."""
    data = synthetic(80, True)
    for algorithm in ALGORITHMS:
        _star((Task(data, 1.0, False, algorithm), (3,)))


def _star(job: tuple[Task, Sequence[int]]) -> list[dict[str, Any]]:
    return list(_rows(*job))


def _rows(task: Task, ks: Sequence[int]) -> Iterator[dict[str, Any]]:
    data, algorithm = task.data, task.algorithm
    columns = weighted(data.encoding, task.presence).without(
        () if task.told else MODALITY_AND_BODY_PART
    )
    features = to_features(data.sample, columns)
    distances = metric.matrix(features, columns.distance)
    start = time.perf_counter()
    grid = clusterings(features, distances, ks, algorithm)
    seconds = time.perf_counter() - start
    widths = silhouettes.widths(distances, [clustering.labels for clustering in grid])
    annotations = [_annotate(distances, clustering.medoids) for clustering in grid]
    is_main = task.told and task.presence == 1
    scores = _stability(task, features, distances, grid, ks) if is_main else [None] * len(grid)
    for asked in ks if grid else ():
        i = min(range(len(grid)), key=lambda i: abs(grid[i].k - asked))
        labels = grid[i].labels
        sizes = np.bincount(labels[labels >= 0])
        yield {
            "data": data.name,
            "presence": task.presence,
            "told": task.told,
            "algorithm": algorithm,
            "asked": asked,
            "k": grid[i].k,
            "none": float((labels < 0).mean()),
            "largest": float(sizes.max() / len(labels)),
            "silhouette": float(widths[i].mean(dtype=np.float64)),
            "stability": scores[i],
            "seconds": seconds,
            **_agreements("ami", data, labels),
            "moved": float((annotations[i] != labels).mean()),
            **_agreements("placed", data, annotations[i]),
        }


def _annotate(distances: Float32s, medoids: Int64s) -> Int64s:
    """Nearest medoid, of equally near ones the lower row, as `annotation.annotate`: (n,)."""
    order = np.argsort(medoids)
    return order[distances[:, medoids[order]].argmin(axis=1)]


def _agreements(kind: str, data: Data, labels: Integers) -> dict[str, float | None]:
    unknown = dict.fromkeys(f"{kind}_{label}" for label in LABELS)
    rows = agreement(labels, data.labels(), k=int(labels.max()) + 1)
    return unknown | {f"{kind}_{row['label']}": row["ami"] for row in rows}


def weighted(encoding: Encoding, presence: float) -> Encoding:
    """Return the encoding with this weight of its presence columns, without them where it is 0."""
    columns = (
        replace(column, weight=presence) if column.parser == PRESENCE else column
        for column in encoding.columns
    )
    return replace(encoding, columns=tuple(column for column in columns if column.weight))


def _stability(
    task: Task,
    features: Features,
    distances: Float32s,
    grid: Sequence[Clustering],
    ks: Sequence[int],
) -> list[float | None]:
    """Mean adjusted Rand index of each clustering with those of bootstraps nearest in number."""
    patients = task.data.sample.select(person().rank("dense") - 1).to_series().to_numpy()
    scores: list[list[float]] = [[] for _ in grid]
    for times in stability.bootstrap_counts(patients.astype(np.int64), BOOTSTRAPS, task.data.seed):
        rows = np.flatnonzero(times)
        part = np.ascontiguousarray(distances[np.ix_(rows, rows)])
        replicates = clusterings(features.take(rows), part, ks, task.algorithm)
        for one, score in zip(grid, scores, strict=True):
            if replicates:
                other = min(replicates, key=lambda replicate: abs(replicate.k - one.k))
                score.append(stability.adjusted_rand(one.labels[rows], other.labels))
    return [float(np.mean(score)) if score else None for score in scores]
