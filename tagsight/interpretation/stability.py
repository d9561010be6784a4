"""Which clusters to trust: those that are found again when other patients are drawn.

Sources: Hennig, "Cluster-wise assessment of cluster stability", Comput. Stat. Data Anal. 52 (2007),
as R's `fpc::clusterboot` has it; Hubert & Arabie, "Comparing partitions", J. Classif. 2 (1985).
Drawn with replacement are patients rather than images: images of a patient are no independent
witnesses of a cluster.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from tagsight.clustering.algorithms import ALGORITHMS, clusterings, rows
from tagsight.clustering.cluster_tables import labellings, medoid_rows
from tagsight.gower import metric
from tagsight.gower.distinct_rows import DistinctRows, Weight
from tagsight.gower.features import Features
from tagsight.run.tables import person
from tagsight.tags.encoding import Encoding, to_features

Array = NDArray[Any]
Frames = Mapping[str, pl.DataFrame]

ALIKE = 0.5  # Jaccard coefficient above which two clusters are taken for one
LIKE = 0.2  # how far numbers of clusters may be apart that are compared, as a share


def jaccards(labels: Array, again: Array, k: int) -> Array:
    """For each of k clusters, how well the other clustering's best match has it: float64 (k,).

    labels, again: two clusterings of the same rows, integers (m,) from 0, -1 = in no cluster. Rows
    shared with a cluster of `again` over rows in either of the two, at its largest. A cluster
    without any row, whose patients were not drawn, has 0, as in R's fpc: it was not found again.
    """
    others = int(again.max(initial=-1)) + 1
    joint = np.zeros((k + 1, others + 1))  # the last of each is for rows in no cluster
    np.add.at(joint, (labels, again), 1)
    shared = joint[:k, :others]
    either = joint.sum(axis=1)[:k, None] + joint.sum(axis=0)[None, :others] - shared
    best: Array = (shared / np.maximum(either, 1)).max(axis=1, initial=0)
    return best


def drawn(people: Array, bootstraps: int, seed: int) -> Iterator[Array]:
    """Yield for each bootstrap how often each row is drawn, int64 (n,): as often as its patient.

    people: (n,), who each row is of, integers from 0 without gaps. As many are drawn as there are;
    of one alone there is nothing to draw.
    """
    several = int(people.max(initial=-1)) + 1
    for bootstrap in range(bootstraps if several > 1 else 0):
        chosen = np.random.default_rng([seed, bootstrap]).integers(0, several, several)
        yield np.bincount(chosen, minlength=several)[people]


def bootstrapped(
    few: DistinctRows,
    distances: Array,
    labellings: Mapping[int, Array],
    people: Array,
    *,
    ks: Sequence[int],
    algorithm: str,
    weight: Weight,
    bootstraps: int,
    seed: int,
) -> dict[int, Array]:
    """The mean Jaccard coefficient of each cluster at each K, over bootstraps of patients.

    few: m different rows that stand for n, of `families.rows`; distances: float32 (m, m), theirs;
    labellings: K -> labels (n,), from 0, -1 = in none, as `algorithm` found them for the grid `ks`;
    people: see `drawn`. The rows drawn are clustered in the same way and on the same distances: a
    row as often as it was drawn where the algorithm takes weights and weight is `images`, else
    once. Returns K -> float64 (K,), NaN where no draw gave a clustering of about as many clusters.
    """
    totals = {k: np.zeros(k) for k in labellings}
    counts = dict.fromkeys(labellings, 0)
    for times in drawn(people, bootstraps, seed):
        images = np.flatnonzero(times)
        often = np.bincount(few.row, weights=times, minlength=len(few.first))
        part = np.flatnonzero(often)
        counted = (
            often[part].astype(np.float64)
            if weight == "images" and ALGORITHMS[algorithm].weighted
            else None
        )
        within = distances[np.ix_(part, part)]
        again = clusterings(few.features.take(part), within, ks, algorithm, counted)
        place = np.searchsorted(part, few.row[images])
        found = {clustering.k: clustering.labels[place] for clustering in again}
        for k, labels in labellings.items():
            like = _like(found, k)
            if like is not None:
                totals[k] += jaccards(labels[images], like, k)
                counts[k] += 1
    return {k: total / counts[k] if counts[k] else total * np.nan for k, total in totals.items()}


def same(one: Array, other: Array) -> float:
    """The adjusted Rand index of two labellings, of the rows that both have in a cluster."""
    both = (one >= 0) & (other >= 0)
    return float(adjusted_rand_score(one[both], other[both]))


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
    """What stability.json holds of the clusters of the tuning sample.

    samples, clusters: `tuning`, `holdout` and each trial, as in results/samples and
    results/clusters; encoding: that of the tuning sample; ks: the grid asked for. Returns
    `bootstraps`, `people` (drawn from), and `grid` by K: `clusters`, the Jaccard coefficient of
    cluster 1, 2, … (see `bootstrapped`), and its `patients`; `stability`, the mean coefficient;
    `stability_heldout`, the adjusted Rand index of the holdout's own clusters and its images by
    nearest medoid of the tuning sample; `stability_trials`, the mean one of any two trials whose
    medoids label the holdout. Null where there is nothing to compare.
    """
    tuning, found = samples["tuning"], labellings(samples["tuning"], clusters["tuning"])
    people = tuning.select(person().rank("dense") - 1).to_series().to_numpy().astype(np.int64)
    few = rows(to_features(tuning, encoding), weight, algorithm)
    again = bootstrapped(
        few,
        metric.matrix(few.features, encoding.distance),
        found,
        people,
        ks=ks,
        algorithm=algorithm,
        weight=weight,
        bootstraps=bootstraps,
        seed=seed,
    )
    own = labellings(samples["holdout"], clusters["holdout"])
    carried = _carried(samples, clusters, encoding)
    trials = [labels for name, labels in carried.items() if name != "tuning"]
    grid = {
        k: {
            "clusters": [_or_null(each) for each in again[k]],
            "patients": [len(np.unique(people[labels == c])) for c in range(k)],
            "stability": _or_null(again[k].mean()),
            "stability_heldout": _mean_same([_like(own, k), carried["tuning"][k]]),
            "stability_trials": _mean_same([_like(labels, k) for labels in trials]),
        }
        for k, labels in found.items()
    }
    return {"bootstraps": bootstraps, "people": int(people.max() + 1), "grid": grid}


def means(stored: Mapping[str, Any]) -> pl.DataFrame:
    """A row a K of stability.json: `k`, and the three means."""
    names = ("stability", "stability_heldout", "stability_trials")
    rows = [(int(k), *(row[name] for name in names)) for k, row in stored["grid"].items()]
    schema = {"k": pl.Int64} | dict.fromkeys(names, pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def reading(jaccard: float | None, patients: int = 2) -> str:
    """What a mean Jaccard coefficient says of a cluster, after Hennig (see R's fpc).

    Of one patient's cluster it says how often that patient was drawn, and nothing else.
    """
    if jaccard is None:
        return "unknown"
    if patients < 2:
        return "of one patient"
    for limit, words in ((0.85, "highly stable"), (0.75, "stable"), (0.6, "a pattern")):
        if jaccard >= limit:
            return words
    return "not to be trusted"


def trusted(
    cards: Sequence[Mapping[str, Any]],
    members: pl.DataFrame,
    tuning: pl.DataFrame,
    found: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The cards with `stability` and its `reading`.

    members: `image`, `cluster` that the cards are of; tuning: the same columns of the clustering
    that was `found` so stable (stability.json at its K). Where the two differ, since the former was
    found on all images, a card has the stability of the cluster most like it, by Jaccard, and none
    where none is more like it than not (ALIKE).
    """
    pairs = members.select("image", card="cluster").join(tuning, on="image", how="inner")
    labels, others = pairs["card"].to_numpy() - 1, pairs["cluster"].to_numpy() - 1
    told = []
    for card in cards:
        own = np.where(labels == card["cluster"] - 1, 0, -1)
        likeness = jaccards(others, own, len(found["clusters"]))
        like = int(likeness.argmax())
        coefficient = found["clusters"][like] if likeness[like] > ALIKE else None
        read = reading(coefficient, found["patients"][like])
        told.append({**card, "stability": coefficient, "reading": read})
    return told


def _carried(samples: Frames, clusters: Frames, encoding: Encoding) -> dict[str, dict[int, Array]]:
    """For each sample but the holdout K -> the holdout's labels by that sample's medoids."""
    holdout = to_features(samples["holdout"], encoding)
    return {
        name: _by_medoids(holdout, samples[name], clusters[name], encoding)
        for name in samples
        if name != "holdout"
    }


def _by_medoids(
    holdout: Features, sample: pl.DataFrame, clusters: pl.DataFrame, encoding: Encoding
) -> dict[int, Array]:
    """All K in one go: many share medoids, so that the distances to each are made once."""
    ks = clusters["k"].unique().sort().to_list()
    if not ks:  # too few distinct images
        return {}
    medoids = {k: np.sort(medoid_rows(clusters.filter(k=k), sample["image"])) for k in ks}
    used = np.unique(np.concatenate(list(medoids.values())))
    distances = metric.cross(holdout, to_features(sample, encoding).take(used), encoding.distance)
    return {k: distances[:, np.searchsorted(used, medoids[k])].argmin(axis=1) for k in ks}


def _like(labellings: Mapping[int, Array], k: int) -> Array | None:
    """The one of K clusters; else of the number nearest to it, as some methods choose their own."""
    if not labellings:
        return None
    nearest = min(labellings, key=lambda number: abs(number - k))
    return labellings[nearest] if abs(nearest - k) <= LIKE * k else None


def _mean_same(labellings: Sequence[Array | None]) -> float | None:
    """The mean adjusted Rand index of all pairs; None where there is none."""
    known = [labels for labels in labellings if labels is not None]
    pairs = [same(one, other) for one, other in combinations(known, 2)]
    return float(np.mean(pairs)) if pairs else None


def _or_null(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
