import numpy as np
import polars as pl
import pytest

from tagsight.evaluation.trials import SCHEMA, trial, why_left_out

N = 120


@pytest.fixture
def of_four():
    """Arguments of a trial whose looks and labels both follow four groups."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 4, N)
    looks = rng.normal(size=(4, 8))[group] + 0.3 * rng.normal(size=(N, 8))
    arrays = {"embeddings": looks.astype(np.float32), "labels": group.astype(np.int32)}
    return {"name": "trial-01", **arrays, "k": 4, "permutations": 49, "seed": 1}


def slow(rows, labels):
    total = 0.0
    for one in np.unique(labels):
        members = rows[labels == one].astype(float)
        centre = members.mean(0)
        norms = np.linalg.norm(members, axis=1) * np.linalg.norm(centre)
        total += (1 - members @ centre / norms).sum()
    return total / len(rows)


def test_distances_recompute(of_four):
    (found,) = trial(**of_four).to_dicts()
    rows, labels, rng = of_four["embeddings"], of_four["labels"], np.random.default_rng(5)
    assert found["distance"] == pytest.approx(slow(rows, labels), abs=1e-6)
    random = [slow(rows, rng.permutation(labels)) for _ in range(60)]
    assert found["null_distance"] == pytest.approx(np.mean(random), abs=4 * np.std(random) / 7)
    assert (found["trial"], found["k"]) == ("trial-01", 4)
    assert [found[name] for name in ("labelling", "centre", "null")] == [
        "tags",
        "in_sample",
        "images",
    ]


def test_images_that_could_not_be_drawn_are_left_out(of_four):
    gone = np.arange(N) % 10 == 0
    holed = of_four["embeddings"].copy()
    holed[gone] = np.nan
    less = {"embeddings": holed[~gone], "labels": of_four["labels"][~gone]}
    assert trial(**of_four | {"embeddings": holed}).equals(trial(**of_four | less))


def test_same_seed_same_row_and_trials_differ(of_four):
    assert trial(**of_four).equals(trial(**of_four))
    assert trial(**of_four).schema == SCHEMA
    other = trial(**of_four | {"name": "trial-02"})
    assert other["null_distance"][0] != trial(**of_four)["null_distance"][0]


def test_a_trial_that_cannot_be_made_says_why(of_four):
    looks = of_four["embeddings"]
    images = pl.DataFrame(
        {"image": map(str, range(N)), "series": None, "patient": [f"p{i // 2}" for i in range(N)]}
    )
    assert why_left_out(looks, images, 4) is None
    assert "too alike" in why_left_out(looks, images, 1)
    assert "as many clusters" in why_left_out(looks, images, 0)
    assert "too few patients" in why_left_out(looks[:0], images.clear(), 0)
    assert "description" in why_left_out(np.full_like(looks, np.nan), images, 4)
    two_of_one = looks.copy()
    two_of_one[2:] = np.nan
    assert "one patient" in why_left_out(two_of_one, images, 4)
    unknown = images.with_columns(patient=pl.lit(None, pl.String))
    assert why_left_out(two_of_one, unknown, 4) is None  # each image stands for itself
