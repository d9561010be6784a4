import numpy as np
import polars as pl
import pytest
from forest import images, tree

from tagsight.interpretation.tree_stability import BOOTSTRAPS, of_leaves, tree_stability
from tagsight.tree.clusters import tree_clusters

NUMBERS = {"CT": 2, "DX": 3}
HOW = {"algorithm": "fasterpam", "weight": "images"}


def stable(tuning, holdout, bootstraps=5):
    samples = {"tuning": tuning, "holdout": holdout}
    clusters = {name: tree_clusters(s, tree(), count=10, **HOW) for name, s in samples.items()}
    how = {**HOW, "bootstraps": bootstraps, "seed": 1}
    content, _ = tree_stability(samples, clusters, tree(), NUMBERS, **how)
    return content


def test_groups_that_all_patients_share_are_found_again():
    result = stable(images(1), images(2))
    assert [leaf["cluster"] for leaf in result["leaves"]] == [1, 2, 3, 4, 5]
    assert [leaf["kind"] for leaf in result["leaves"]] == ["CT"] * 2 + ["DX"] * 3
    for leaf in result["leaves"]:
        assert leaf["found"] is True
        assert leaf["again"] == pytest.approx(1)
        assert leaf["stability"] > 0.9
    assert result["people"] == 50


def test_a_group_that_other_patients_do_not_have_is_not_found_again():
    halves = images(2).with_columns(ViewPosition=pl.col("ViewPosition").replace(2, 1))
    again = {leaf["cluster"]: leaf for leaf in stable(images(1), halves)["leaves"]}
    found = [again[cluster]["found"] for cluster in (3, 4, 5)]
    assert found.count(False) == 1
    assert again[3 + found.index(False)]["again"] == 0


def test_clusters_of_noise_overlap_less_with_those_of_other_patients():
    rng = np.random.default_rng(0)
    noisy = [
        images(seed, ct=120, dx=0).with_columns(
            pl.Series("SliceThickness", rng.random(120) * 10, pl.Float32),
            pl.Series("word.region", rng.integers(0, 2, 120), pl.Int32),
        )
        for seed in (1, 2)
    ]
    samples = dict(zip(("tuning", "holdout"), noisy, strict=True))
    clusters = {name: tree_clusters(s, tree(), count=24, **HOW) for name, s in samples.items()}
    how = {**HOW, "bootstraps": 0, "seed": 1}
    result, _ = tree_stability(samples, clusters, tree(), {"CT": 20}, **how)
    assert np.mean([leaf["again"] for leaf in result["leaves"] if leaf["again"]]) < 0.9


def test_without_enough_other_patients_of_a_kind_nothing_is_said():
    result = stable(images(1), images(2, dx=19))
    by_kind = {leaf["kind"]: leaf["found"] for leaf in result["leaves"]}
    assert by_kind == {"CT": True, "DX": None}


def test_no_bootstrap_is_no_stability():
    leaves = stable(images(1), images(2), bootstraps=0)["leaves"]
    assert {leaf["stability"] for leaf in leaves if leaf["kind"] == "CT"} == {None}


def test_bootstraps_have_as_many_leaves_each_with_a_medoid_of_the_sample():
    tuning = images(1)
    samples = {"tuning": tuning, "holdout": images(2)}
    clusters = {name: tree_clusters(s, tree(), count=10, **HOW) for name, s in samples.items()}
    how = {**HOW, "bootstraps": 4, "seed": 1}
    _, drawn = tree_stability(samples, clusters, tree(), NUMBERS, **how)
    assert drawn.schema == BOOTSTRAPS
    counts = drawn.group_by("bootstrap", "kind").len().rows()
    assert sorted(counts) == [(b, kind, NUMBERS[kind]) for b in range(1, 5) for kind in NUMBERS]
    rows = drawn.join(tuning, on="image", validate="m:1")
    assert len(rows) == len(drawn)
    assert (rows["kind"] == rows["kind_right"]).all()
    ct = rows.filter(kind="CT")  # its two leaves are its two regions
    assert ct["region"].to_list() == [("CHEST", "HEAD")[code] for code in ct["word.region"]]


def test_leaves_have_the_stability_of_those_with_the_same_images_under_any_number():
    images = [f"i{i}" for i in range(9)]
    measured = pl.DataFrame({"image": images, "cluster": [1, 1, 1, 1, 2, 2, 2, 3, 3]})
    members = pl.DataFrame({"image": images, "cluster": [2, 2, 2, 1, 1, 1, 1, 3, 4]})
    leaves = [{"cluster": c, "found": c == 1, "stability": c / 10} for c in (1, 2, 3)]
    result = of_leaves({"bootstraps": 5, "leaves": leaves}, members, measured)
    found = {leaf["cluster"]: (leaf["found"], leaf["stability"]) for leaf in result["leaves"]}
    assert found == {2: (True, 0.1), 1: (False, 0.2)}
    assert result["bootstraps"] == 5
    assert of_leaves({"leaves": leaves}, measured, measured)["leaves"] == leaves
