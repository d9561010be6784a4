"""Stability: against sets and loops, R's definition, and groups that are or are not there."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import adjusted_rand_score

from tagsight.clustering import cluster_tables, k_medoids, silhouettes
from tagsight.clustering.algorithms import clusterings, rows_to_cluster
from tagsight.gower import metric
from tagsight.gower.distinct_rows import all_rows
from tagsight.interpretation.stability import (
    adjusted_rand,
    bootstrap_counts,
    bootstrapped,
    jaccards,
    means,
    stability,
    stability_verdict,
    with_stability,
)
from tagsight.tags.encoding import Column, Encoding, to_features

labellings = st.integers(0, 30).flatmap(
    lambda n: st.tuples(*[arrays(np.int64, n, elements=st.integers(-1, 3))] * 2)
)


def by_sets(labels, again, k):
    """Hennig's coefficient, as in R's fpc: clujaccard(..., zerobyzero = 0), its largest."""
    best = []
    for c in range(k):
        own = set(np.flatnonzero(labels == c))
        others = [set(np.flatnonzero(again == d)) for d in set(again) if d >= 0]
        found = [len(own & other) / len(own | other) for other in others]
        best.append(max(found, default=0))
    return best


@given(labellings)
def test_jaccards_are_those_of_sets(pair):
    labels, again = pair
    assert jaccards(labels, again, 4) == pytest.approx(by_sets(labels, again, 4))


def test_a_cluster_none_of_whose_patients_was_drawn_was_not_found_again():
    assert jaccards(np.array([0, 0]), np.array([0, 0]), 2).tolist() == [1, 0]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(0, 9))
def test_patients_are_drawn_whole_and_as_many_as_there_are(people, seed):
    people = np.unique(people, return_inverse=True)[1]
    draws = list(bootstrap_counts(people, 3, seed))
    assert len(draws) == (3 if people.max() else 0)
    for times in draws:
        of_each = {p: set(times[people == p]) for p in people}
        assert all(len(each) == 1 for each in of_each.values())
        assert sum(each.pop() for each in of_each.values()) == people.max() + 1
    again = list(bootstrap_counts(people, 3, seed))
    assert all((one == other).all() for one, other in zip(draws, again, strict=True))


def groups(seed, spread, n=60, middles=(0.1, 0.5, 0.9)):
    """Two numbers an image, around the middles; two images a patient."""
    rng = np.random.default_rng(seed)
    middle = np.array(middles)[np.arange(n) // 2 % len(middles)]
    x, y = np.clip(middle + spread * rng.normal(size=(2, n)), 0, 1)
    ids = [f"{seed}-{i:03d}" for i in range(n)]
    patients = [f"{seed}-{i // 2:03d}" for i in range(n)]
    given_ = {"image": ids, "series": ids, "study": ids, "patient": patients}
    return pl.DataFrame({**given_, "x": x, "y": y}).with_columns(pl.col("x", "y").cast(pl.Float32))


ENCODING = Encoding(
    "linear",
    tuple(Column(c, "KVP", "numeric", "number", minimum=0.0, maximum=1.0) for c in "xy"),
)


def clustered(sample, ks):
    distances = metric.matrix(to_features(sample, ENCODING))
    grid = k_medoids.grid(distances, ks)
    widths = silhouettes.widths(distances, [found.labels for found in grid])
    return cluster_tables.table(
        sample["image"], distances, grid, widths, all_rows(to_features(sample, ENCODING))
    )


def told(spread, trials=2, ks=(3, 5)):
    seeds = {"tuning": 0, "holdout": 1} | {f"trial-{i:02d}": i + 2 for i in range(trials)}
    samples = {name: groups(seed, spread) for name, seed in seeds.items()}
    found = {name: clustered(sample, ks) for name, sample in samples.items()}
    options = {"ks": ks, "algorithm": "fasterpam", "weight": "images", "bootstraps": 5, "seed": 3}
    return samples, found, stability(samples, found, ENCODING, **options)


def test_planted_groups_are_found_again_and_what_cuts_them_is_not():
    _, _, result = told(0.02)
    three, five = result["grid"][3], result["grid"][5]
    assert three["clusters"] == pytest.approx([1, 1, 1])
    assert [three[name] for name in ("stability", "stability_heldout", "stability_trials")] == [
        1.0
    ] * 3
    assert five["stability"] < 0.9
    assert five["stability_trials"] < 0.9
    assert result["people"] == 30
    assert sorted(three["patients"]) == [10, 10, 10]
    assert means(result)["stability"].to_list() == [three["stability"], five["stability"]]


@pytest.mark.parametrize(
    ("algorithm", "weight"), [("fasterpam", "images"), ("fasterpam", "rows"), ("average", "images")]
)
def test_bootstraps_are_clusterings_of_the_rows_drawn(algorithm, weight):
    sample = groups(4, 0.2).with_columns(pl.col("x", "y").round(1))
    few = rows_to_cluster(to_features(sample, ENCODING), weight, algorithm)
    assert (len(few.first) < 60) == (algorithm == "fasterpam")
    distances = metric.matrix(few.features)
    people = np.arange(60) // 2
    given_ = {"ks": [3, 4], "algorithm": algorithm}
    grid = clusterings(few.features, distances, **given_, weights=few.weight)
    labels = {found.k: found.labels[few.row] for found in grid}
    options = {**given_, "weight": weight, "bootstraps": 4, "seed": 8}
    result = bootstrapped(few, distances, labels, people, **options)
    expected = {3: [], 4: []}
    for times in bootstrap_counts(people, 4, 8):
        images = np.flatnonzero(times)
        repeated = {
            "fasterpam images": np.repeat(images, times[images]),
            "fasterpam rows": few.first[np.unique(few.row[images])],
            "average images": images,
        }[f"{algorithm} {weight}"]
        features = to_features(sample, ENCODING).take(repeated)
        for found in clusterings(features, metric.matrix(features), **given_):
            by_row = dict(zip(few.row[repeated], found.labels, strict=True))
            again = (
                found.labels
                if algorithm == "average"
                else np.array([by_row[row] for row in few.row[images]])
            )
            expected[found.k].append(by_sets(labels[found.k][images], again, found.k))
    for k in (3, 4):
        assert result[k] == pytest.approx(np.mean(expected[k], axis=0))
    assert 0 < result[3].mean() < 1


def test_held_out_patients_and_trials_are_compared_by_medoid():
    samples, found, result = told(0.25, trials=3)
    holdout = to_features(samples["holdout"], ENCODING)

    def carried(name, k):
        own = found[name].filter(k=k)
        rows = np.sort(cluster_tables.medoid_rows(own, samples[name]["image"]))
        of_medoids = to_features(samples[name], ENCODING).take(rows)
        return metric.nearest(holdout, of_medoids).index

    for k in (3, 5):
        own = samples["holdout"].join(
            found["holdout"].filter(k=k), on="image", maintain_order="left"
        )
        expected = adjusted_rand_score(own["cluster"], carried("tuning", k))
        assert result["grid"][k]["stability_heldout"] == pytest.approx(expected)
        labels = [carried(f"trial-{i:02d}", k) for i in range(3)]
        pairs = [adjusted_rand_score(labels[a], labels[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
        assert result["grid"][k]["stability_trials"] == pytest.approx(np.mean(pairs))


def test_a_single_trial_and_a_single_patient_leave_nothing_to_compare():
    samples, found, result = told(0.1, trials=1)
    assert result["grid"][3]["stability_trials"] is None
    alone = samples | {"tuning": samples["tuning"].with_columns(patient=pl.lit("p"))}
    options = {"ks": [3], "algorithm": "fasterpam", "weight": "images", "bootstraps": 2, "seed": 1}
    grid = stability(alone, found, ENCODING, **options)["grid"]
    assert grid[3]["stability"] is None
    assert grid[3]["clusters"] == [None] * 3


@settings(max_examples=30)
@given(labellings)
def test_the_rand_index_is_of_what_both_have_in_a_cluster(pair):
    one, other = pair
    both = [(a, b) for a, b in zip(*pair, strict=True) if a >= 0 and b >= 0]
    expected = adjusted_rand_score([a for a, _ in both], [b for _, b in both])
    expected = expected if len(both) > 1 else np.nan
    assert adjusted_rand(one, other) == pytest.approx(expected, nan_ok=True)


def test_hennigs_reading():
    said = [stability_verdict(x) for x in (1.0, 0.85, 0.84, 0.75, 0.74, 0.6, 0.59, None)]
    stable, pattern = ["highly stable"] * 2 + ["stable"] * 2, ["a pattern"] * 2
    assert said == [*stable, *pattern, "not to be trusted", "unknown"]
    assert stability_verdict(0.63, patients=1) == "of one patient"


def test_a_card_of_other_clusters_has_the_stability_of_the_one_most_like_it():
    images = [f"i{n}" for n in range(6)]
    members = pl.DataFrame({"image": images, "cluster": [1, 1, 1, 2, 2, 2]})
    tuning = pl.DataFrame({"image": images, "cluster": [2, 2, 1, 1, 1, 1]})
    cards = [{"cluster": 1}, {"cluster": 2}]
    found = with_stability(cards, members, tuning, {"clusters": [0.9, 0.3], "patients": [4, 2]})
    assert [card["stability"] for card in found] == [0.3, 0.9]
    assert [card["reading"] for card in found] == ["not to be trusted", "highly stable"]


def test_a_sample_without_clusters_has_nothing_to_compare():
    seeds = {"tuning": 0, "holdout": 1, "trial-01": 2}
    samples = {name: groups(seed, 0.02) for name, seed in seeds.items()}
    found = {name: clustered(sample, (3,)) for name, sample in samples.items()}
    options = {"ks": (3,), "algorithm": "fasterpam", "weight": "images", "bootstraps": 2, "seed": 3}
    without = {name: table.head(0) for name, table in found.items()}
    assert stability(samples, without, ENCODING, **options)["grid"] == {}
    one = found | {"trial-01": without["trial-01"]}
    assert stability(samples, one, ENCODING, **options)["grid"][3]["stability_trials"] is None


def test_empty_samples_leave_what_needs_them_unknown():
    seeds = {"tuning": 0, "holdout": 1, "trial-01": 2}
    samples = {name: groups(seed, 0.02) for name, seed in seeds.items()}
    found = {name: clustered(sample, (3,)) for name, sample in samples.items()}
    options = {"ks": (3,), "algorithm": "fasterpam", "weight": "images", "bootstraps": 2, "seed": 3}
    whole = stability(samples, found, ENCODING, **options)["grid"][3]
    for name in ("holdout", "trial-01"):
        empty = {name: samples[name].clear()}, {name: found[name].clear()}
        grid = stability(samples | empty[0], found | empty[1], ENCODING, **options)["grid"]
        assert grid[3]["clusters"] == whole["clusters"]
        assert grid[3]["stability_trials"] is None
        assert (grid[3]["stability_heldout"] is None) == (name == "holdout")
