"""Stability of clusters: bootstrap of patients, Jaccard coefficients, adjusted Rand indices.

Patients are drawn with replacement, not images, since images of a patient are not independent.

Source: Hennig, "Cluster-wise assessment of cluster stability", Comput. Stat. Data Anal. 52 (2007),
as in R's `fpc::clusterboot`; Hubert & Arabie, "Comparing partitions", J. Classif. 2 (1985).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from tagsight.arrays import Float32s, Float64s, Int64s, Integers
from tagsight.clustering.algorithms import ALGORITHMS, clusterings, rows_to_cluster
from tagsight.clustering.cluster_tables import labellings, medoid_rows
from tagsight.gower import metric
from tagsight.gower.distinct_rows import DistinctRows, Weight
from tagsight.gower.features import Features
from tagsight.run.tables import person
from tagsight.tags.encoding import Encoding, to_features

Frames = Mapping[str, pl.DataFrame]

ALIKE = 0.5  # Jaccard coefficient above which two clusters count as the same
NEAR = 0.2  # largest relative difference of K between clusterings that are compared


def jaccards(labels: Integers, again: Integers, k: int) -> Float64s:
    """Return the Jaccard coefficient of each of k clusters with its best match in another.

    labels, again: integers (m,), two clusterings of the same rows, from 0, -1 = in no cluster.
    Returns float64 (k,): the maximum over the clusters of `again` of shared rows over rows in
    either. A cluster without rows, whose patients were not drawn, has 0, as in R's fpc.
    """
    others = int(again.max(initial=-1)) + 1
    joint = np.zeros((k + 1, others + 1))  # the last row and column: in no cluster
    np.add.at(joint, (labels, again), 1)
    shared = joint[:k, :others]
    either = joint.sum(axis=1)[:k, None] + joint.sum(axis=0)[None, :others] - shared
    best: Float64s = (shared / np.maximum(either, 1)).max(axis=1, initial=0)
    return best


def bootstrap_counts(patients: Int64s, bootstraps: int, seed: int) -> Iterator[Int64s]:
    """Yield for each bootstrap of patients how often each row is drawn, int64 (n,).

    patients: int64 (n,), the patient of each row, from 0 without gaps.
    As many patients are drawn as there are; with only one there is no bootstrap.
    """
    count = int(patients.max(initial=-1)) + 1
    for bootstrap in range(bootstraps if count > 1 else 0):
        sample = np.random.default_rng([seed, bootstrap]).integers(0, count, count)
        yield np.bincount(sample, minlength=count)[patients]


def bootstrapped(
    distinct: DistinctRows,
    distances: Float32s,
    labellings: Mapping[int, Integers],
    patients: Int64s,
    *,
    ks: Sequence[int],
    algorithm: str,
    weight: Weight,
    bootstraps: int,
    seed: int,
) -> dict[int, Float64s]:
    """Return the mean Jaccard coefficient of each cluster at each K, over bootstraps of patients.

    distinct: m rows that represent n, from `algorithms.rows_to_cluster`.
    distances: float32 (m, m), between them.
    labellings: K -> integers (n,), from 0, -1 = in none, from `algorithm` and the grid `ks`.
    patients: int64 (n,), see `bootstrap_counts`.
    The rows drawn are clustered in the same way and on the same distances: each as often as drawn
    where the algorithm takes weights and weight is `images`, else once.
    Returns K -> float64 (K,), NaN where no bootstrap gave a clustering of about as many clusters.
    """
    totals = {k: np.zeros(k) for k in labellings}
    results = dict.fromkeys(labellings, 0)
    for times in bootstrap_counts(patients, bootstraps, seed):
        images = np.flatnonzero(times)
        counts = np.bincount(distinct.row, weights=times, minlength=len(distinct.first))
        part = np.flatnonzero(counts)
        weights = (
            counts[part].astype(np.float64)
            if weight == "images" and ALGORITHMS[algorithm].weighted
            else None
        )
        within = distances[np.ix_(part, part)]
        again = clusterings(distinct.features.take(part), within, ks, algorithm, weights)
        place = np.searchsorted(part, distinct.row[images])
        replicates = {clustering.k: clustering.labels[place] for clustering in again}
        for k, labels in labellings.items():
            other = _of_about(replicates, k)
            if other is not None:
                totals[k] += jaccards(labels[images], other, k)
                results[k] += 1
    return {k: total / results[k] if results[k] else total * np.nan for k, total in totals.items()}


def adjusted_rand(one: Integers, other: Integers) -> float:
    """Return the adjusted Rand index of two labellings, over the rows in a cluster of both.

    one, other: integers (n,), -1 = in no cluster. NaN with fewer than two rows.
    """
    from sklearn.metrics import adjusted_rand_score  # a second to load

    both = (one >= 0) & (other >= 0)
    return float(adjusted_rand_score(one[both], other[both])) if both.sum() > 1 else np.nan


def stability(
    samples: Frames,
    clusters: Frames,
    encoding: Encoding,
    *,
    ks: Sequence[int],
    algorithm: str,
    weight: Weight,
    bootstraps: int,
    seed: int,
) -> dict[str, Any]:
    """Return the content of stability.json: the stability of the tuning sample's clusters.

    samples, clusters: `tuning`, `holdout` and each trial, as in results/samples and
    results/clusters; encoding: of the tuning sample; ks: the grid of the config.
    Returns `bootstraps`, `people` (number of patients), and `grid` by K: `clusters` (Jaccard
    coefficients of cluster 1, 2, …, see `bootstrapped`), `patients` (of each cluster), `stability`
    (the mean coefficient), `stability_heldout` (the adjusted Rand index of the holdout's clusters
    and its images by nearest medoid of the tuning sample), `stability_trials` (the mean index of
    pairs of trials whose medoids label the holdout). Null where there is nothing to compare.
    """
    tuning, tuning_labels = samples["tuning"], labellings(samples["tuning"], clusters["tuning"])
    patients = tuning.select(person().rank("dense") - 1).to_series().to_numpy().astype(np.int64)
    distinct = rows_to_cluster(to_features(tuning, encoding), weight, algorithm)
    again = bootstrapped(
        distinct,
        metric.matrix(distinct.features, encoding.distance),
        tuning_labels,
        patients,
        ks=ks,
        algorithm=algorithm,
        weight=weight,
        bootstraps=bootstraps,
        seed=seed,
    )
    heldout = labellings(samples["holdout"], clusters["holdout"])
    by_sample = _holdout_labels(samples, clusters, encoding)
    trials = [labels for name, labels in by_sample.items() if name != "tuning"]
    grid = {
        k: {
            "clusters": [_or_null(each) for each in again[k]],
            "patients": [len(np.unique(patients[labels == c])) for c in range(k)],
            "stability": _or_null(again[k].mean()),
            "stability_heldout": _mean_adjusted_rand(
                [_of_about(heldout, k), by_sample["tuning"][k]]
            ),
            "stability_trials": _mean_adjusted_rand([_of_about(labels, k) for labels in trials]),
        }
        for k, labels in tuning_labels.items()
    }
    return {"bootstraps": bootstraps, "people": int(patients.max() + 1), "grid": grid}


def means(stored: Mapping[str, Any]) -> pl.DataFrame:
    """Return one row per K of stability.json: `k`, and the three means."""
    names = ("stability", "stability_heldout", "stability_trials")
    rows = [(int(k), *(row[name] for name in names)) for k, row in stored["grid"].items()]
    schema = {"k": pl.Int64} | dict.fromkeys(names, pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def stability_verdict(jaccard: float | None, patients: int = 2) -> str:
    """Return the verdict on a mean Jaccard coefficient of a cluster, after Hennig (see R's fpc).

    For a cluster of one patient it only reflects how often that patient is drawn.
    """
    if jaccard is None:
        return "unknown"
    if patients < 2:
        return "of one patient"
    for limit, words in ((0.85, "highly stable"), (0.75, "stable"), (0.6, "a pattern")):
        if jaccard >= limit:
            return words
    return "not to be trusted"


def with_stability(
    cards: Sequence[Mapping[str, Any]],
    members: pl.DataFrame,
    tuning: pl.DataFrame,
    stable: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return the cards with `stability` and its `reading`.

    members: `image` and `cluster` of the clusters that the cards describe.
    tuning: the same columns of the clustering whose stability is measured.
    stable: stability.json at its K.
    The two differ where the cards' clusters are of all images. A card then has the stability of the
    cluster with the largest Jaccard coefficient; null where that is not above ALIKE.
    """
    pairs = members.select("image", card="cluster").join(tuning, on="image", how="inner")
    labels, others = pairs["card"].to_numpy() - 1, pairs["cluster"].to_numpy() - 1
    out = []
    for card in cards:
        inside = np.where(labels == card["cluster"] - 1, 0, -1)
        coefficients = jaccards(others, inside, len(stable["clusters"]))
        best = int(coefficients.argmax())
        coefficient = stable["clusters"][best] if coefficients[best] > ALIKE else None
        verdict = stability_verdict(coefficient, stable["patients"][best])
        out.append({**card, "stability": coefficient, "reading": verdict})
    return out


def _holdout_labels(
    samples: Frames, clusters: Frames, encoding: Encoding
) -> dict[str, dict[int, Int64s]]:
    """For each sample but the holdout: K -> the holdout's labels by that sample's medoids."""
    holdout = to_features(samples["holdout"], encoding)
    return {
        name: _by_medoids(holdout, samples[name], clusters[name], encoding)
        for name in samples
        if name != "holdout"
    }


def _by_medoids(
    holdout: Features, sample: pl.DataFrame, clusters: pl.DataFrame, encoding: Encoding
) -> dict[int, Int64s]:
    """K -> the holdout's labels by a sample's medoids; distances to a medoid are computed once."""
    ks = clusters["k"].unique().sort().to_list()
    if not ks:  # too few distinct images
        return {}
    medoids = {k: np.sort(medoid_rows(clusters.filter(k=k), sample["image"])) for k in ks}
    used = np.unique(np.concatenate(list(medoids.values())))
    distances = metric.cross(holdout, to_features(sample, encoding).take(used), encoding.distance)
    return {k: distances[:, np.searchsorted(used, medoids[k])].argmin(axis=1) for k in ks}


def _of_about(labellings: Mapping[int, Integers], k: int) -> Integers | None:
    """The labelling of K clusters, else of the nearest number, for algorithms that choose it."""
    if not labellings:
        return None
    nearest = min(labellings, key=lambda number: abs(number - k))
    return labellings[nearest] if abs(nearest - k) <= NEAR * k else None


def _mean_adjusted_rand(labellings: Sequence[Integers | None]) -> float | None:
    """Mean adjusted Rand index of all pairs; None where there is no pair."""
    present = [labels for labels in labellings if labels is not None]
    indices = [adjusted_rand(one, other) for one, other in combinations(present, 2)]
    return _or_null(float(np.mean(indices))) if indices else None


def _or_null(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
