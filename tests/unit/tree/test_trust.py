import numba
import numpy as np
import polars as pl
import pytest
from forest import images, tree
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.interpretation.tree_stability import BOOTSTRAPS, tree_stability
from tagsight.tree import leaves
from tagsight.tree import trust as module
from tagsight.tree.clusters import tree_clusters
from tagsight.tree.placing import place
from tagsight.tree.trust import trust

NUMBERS = {"CT": 5, "DX": 3}
HOW = {"algorithm": "fasterpam", "weight": "images"}
EACH = {leaf: leaf for leaf in range(1, 12)}  # a label for each leaf


def noisy(seed, **counts):
    """Images of `forest` with numbers and regions at random, some of them missing."""
    rng = np.random.default_rng(seed)
    frame = images(seed, **counts)
    thickness = pl.Series(rng.random(len(frame)) * 10, dtype=pl.Float32)
    region = pl.Series(rng.choice([0, 1, -1], len(frame), p=[0.5, 0.2, 0.3]), dtype=pl.Int32)
    return frame.with_columns(
        pl.when(pl.col("kind") == "CT").then(thickness).alias("SliceThickness"),
        region.replace(-1, None).alias("word.region"),
    )


def run(tuning, bootstraps=6, asked=NUMBERS):
    """The leaves of a sample, its images in them, and the leaves of its bootstraps."""
    clusters = tree_clusters(tuning, tree(), count=10, **HOW)
    most = dict(clusters.group_by("kind").agg(pl.col("k").max()).iter_rows())
    numbers = {kind: min(k, most[kind]) for kind, k in asked.items() if kind in most}
    chosen = leaves.chosen(clusters, numbers)
    medoids, _ = leaves.of_sample(chosen, tuning, tree(), numbers)
    members = leaves.in_leaves(clusters, tree(), numbers)
    samples = {"tuning": tuning, "holdout": tuning.clear()}
    tables = {"tuning": clusters, "holdout": clusters.clear()}
    how = {**HOW, "bootstraps": bootstraps, "seed": 3}
    _, again = tree_stability(samples, tables, tree(), numbers, **how)
    return medoids, members, again


def trusted(rows, tuning, labels=EACH, bootstraps=6, asked=NUMBERS):
    medoids, members, again = run(tuning, bootstraps, asked)
    nearest = place(rows, medoids, tree())
    return nearest, trust(rows, nearest, tuning, members, again, tree(), labels)


def by_hand(rows, tuning, labels):
    """The same by `place` and by sets, one bootstrap and one leaf at a time."""
    medoids, members, again = run(tuning)
    nearest = place(rows, medoids, tree())
    cores = {leaf: set(of["image"]) for (leaf,), of in members.group_by("cluster")}
    staying = np.zeros(len(rows))
    for (_,), drawn in again.group_by("bootstrap"):
        own = (
            drawn.join(tuning.drop("kind", "patient", "study", "series"), on="image")
            .with_row_index("cluster", 1)
            .with_columns(
                pl.col("cluster").cast(pl.Int32),
                region=pl.when(pl.len().over("kind") > 1).then("region"),
            )
        )
        where, of_sample = place(rows, own, tree()), place(tuning, own, tree())
        stands_for = {}
        for (leaf,), inside in of_sample.drop_nulls("distance").group_by("cluster"):
            found = set(inside["image"])
            alike = {c: len(core & found) / len(core | found) for c, core in sorted(cores.items())}
            stands_for[leaf] = max(alike, key=alike.get)
        for i, (leaf, distance) in enumerate(where.select("cluster", "distance").iter_rows()):
            label = labels.get(nearest["cluster"][i])
            core = labels.get(stands_for.get(leaf)) if distance is not None else None
            staying[i] += label is not None and core == label
    count = again["bootstrap"].n_unique()
    return [
        share / count if distance is not None else None
        for share, distance in zip(staying, nearest["distance"], strict=True)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_trust_is_that_of_placing_images_in_each_bootstrap(seed, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 37)
    monkeypatch.setattr(module, "PIECE", 5)
    tuning, rows = noisy(seed), noisy(seed + 10, ct=90, dx=30, sr=3)
    merged = {**EACH, 2: 1, 7: 6}
    _, found = trusted(rows, tuning, merged)
    assert found.dtype == pl.Float32
    assert found.to_list() == pytest.approx(by_hand(rows, tuning, merged))
    assert 0 < found.mean() < 1


def test_an_image_between_two_labels_is_trusted_less_than_those_of_the_core():
    rng = np.random.default_rng(0)
    sides = pl.Series(np.repeat([2.0, 8.0], 60) + rng.normal(size=120), dtype=pl.Float32)
    tuning = images(1, ct=120, dx=0).with_columns(
        pl.lit(0, pl.Int32).alias("word.region"), SliceThickness=sides
    )
    at = pl.Series([2.0, 5.0, 8.0], dtype=pl.Float32)
    rows = images(2, ct=3, dx=0).with_columns(
        pl.lit(0, pl.Int32).alias("word.region"), SliceThickness=at
    )
    _, found = trusted(rows, tuning, bootstraps=20, asked={"CT": 2})
    low, between, high = found
    assert low == high == 1
    assert 0 < between < 0.9


@given(st.integers(0, 50), st.lists(st.integers(1, 3), min_size=11, max_size=11))
@settings(max_examples=8, deadline=None)
def test_fewer_labels_are_never_trusted_less(seed, merged):
    tuning, rows = noisy(seed), noisy(seed + 100)
    _, each = trusted(rows, tuning, EACH)
    _, fewer = trusted(rows, tuning, dict(zip(EACH, merged, strict=True)))
    assert each.drop_nulls().is_between(0, 1).all()
    assert (fewer.drop_nulls() >= each.drop_nulls()).all()


def test_a_kind_of_one_leaf_is_trusted_wholly():
    """Also where a bootstrap has images of one region alone."""
    two = images(1, ct=4, dx=0)
    regions = pl.Series([0, 0, 1, 1], dtype=pl.Int32)
    tuning, rows = two.with_columns(regions.alias("word.region")), images(2, dx=0)
    _, _, again = run(tuning, asked={"CT": 1})
    assert {"CHEST", "HEAD"} & set(again["region"])
    _, found = trusted(rows, tuning, asked={"CT": 1})
    assert found.to_list() == [1.0] * len(rows)


def test_nothing_is_said_of_what_has_no_medoid():
    """No picture, a region that the sample lacks, and a label of other leaves than its images'."""
    no_heads = images(1).with_columns(pl.lit(0, pl.Int32).alias("word.region"))
    rows = images(2, sr=4)
    nearest, found = trusted(rows, no_heads)
    assert found.is_null().equals(nearest["distance"].is_null())
    assert found.filter(rows["kind"] == "SR").null_count() == 4
    assert found.filter(rows["kind"] == "DX").null_count() == 0
    unlabelled = {leaf: label for leaf, label in EACH.items() if leaf > 5}
    _, found = trusted(rows, no_heads, unlabelled)
    assert found.filter(rows["kind"] == "CT").null_count() == 60


def test_nothing_is_said_without_a_label_in_the_sample():
    """Medoids of all images may be of none that the sample has (`cluster.on: all`)."""
    tuning, rows = images(1), images(2)
    medoids, members, again = run(tuning)
    nearest = place(rows, medoids, tree())
    gone = members.filter(pl.col("cluster") != nearest["cluster"][0])
    found = trust(rows, nearest, tuning, gone, again, tree(), EACH)
    assert found.is_null().equals(nearest["cluster"] == nearest["cluster"][0])


def test_of_one_patient_there_is_no_bootstrap():
    tuning = images(1).with_columns(
        patient=pl.when(pl.col("kind") == "DX").then(pl.lit("one")).otherwise("patient")
    )
    _, _, again = run(tuning)
    assert again.schema == BOOTSTRAPS
    assert again["kind"].unique().to_list() == ["CT"]
    rows = images(2)
    _, found = trusted(rows, tuning)
    assert found.is_null().equals(rows["kind"] == "DX")
    _, found = trusted(rows, tuning, bootstraps=0)
    assert found.null_count() == len(rows)


def test_threads_do_not_change_it():
    tuning, rows = noisy(1), noisy(2, ct=700)
    before = numba.get_num_threads()
    try:
        results = []
        for threads in (1, numba.config.NUMBA_NUM_THREADS):
            numba.set_num_threads(threads)
            results.append(trusted(rows, tuning)[1])
    finally:
        numba.set_num_threads(before)
    assert results[0].equals(results[1])
