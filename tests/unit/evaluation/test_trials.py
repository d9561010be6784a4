import numpy as np
import polars as pl
import pytest

from tagsight.evaluation import labellings, nulls
from tagsight.evaluation.labellings import Labelling
from tagsight.evaluation.nulls import Null
from tagsight.evaluation.trials import columns, trial, why_left_out

N = 120


def texts(values):
    return pl.Series(values, dtype=pl.String)


@pytest.fixture
def sample():
    """Looks and tags both follow four groups; two modalities, two groups in each."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 4, N)
    looks = rng.normal(size=(4, 8))[group] + 0.3 * rng.normal(size=(N, 8))
    planted = {
        "series": [f"s{i}" for i in range(N)],
        "patient": [f"p{i // 2}" for i in range(N)],
        "modality": np.where(group < 2, "CT", "MR").tolist(),
        "body_part": np.where(group % 2, "HEAD", "CHEST").tolist(),
    }
    at_random = {name: rng.choice(["A", "B"], N).tolist() for name in columns()}
    table = at_random | planted
    return {
        "name": "trial-01",
        "embeddings": looks.astype(np.float32),
        "clusters": group.astype(np.int32),
        "sample": pl.DataFrame(table, schema=dict.fromkeys(table, pl.String)),
        "k": 4,
        "permutations": 49,
        "seed": 1,
    }


def changed(given, **columns):
    """A trial's arguments with other columns of its sample."""
    return given | {"sample": given["sample"].with_columns(**columns)}


def slow_in_sample(rows, labels):
    total = 0.0
    for one in np.unique(labels):
        members = rows[labels == one].astype(float)
        centre = members.mean(0)
        norms = np.linalg.norm(members, axis=1) * np.linalg.norm(centre)
        total += (1 - members @ centre / norms).sum()
    return total / len(rows)


def test_distances_recompute(sample):
    found = (
        trial(**sample)
        .filter(labelling="tags", centre="in_sample", null="images")
        .row(0, named=True)
    )
    rows, labels, rng = sample["embeddings"], sample["clusters"], np.random.default_rng(5)
    assert found["distance"] == pytest.approx(slow_in_sample(rows, labels), abs=1e-6)
    random = [slow_in_sample(rows, rng.permutation(labels)) for _ in range(60)]
    assert found["null_distance"] == pytest.approx(np.mean(random), abs=4 * np.std(random) / 7)
    assert found["null_distance"] == pytest.approx(np.mean(found["draws"]))
    assert len(found["draws"]) == 49
    assert (found["trial"], found["k"], found["p"]) == ("trial-01", 4, 0.02)


def test_labellings_that_a_null_cannot_move_are_left_out(sample):
    rows = set(trial(**sample).select("labelling", "null").unique().rows())
    within = {"within_modality", "within_modality_body_part", "within_manufacturer"}
    nulls = {"images", "series"} | within
    left_out = {("modality", "within_modality"), ("manufacturer", "within_manufacturer")}
    left_out |= {
        (labelling, "within_modality_body_part")
        for labelling in ("tags", "modality", "modality_body_part", "embedding")
    }
    labellings = ("tags", "modality", "modality_body_part", "manufacturer", "embedding")
    assert rows == {(q, null) for q in labellings for null in nulls} - left_out


def test_baselines_are_ordered(sample):
    """Finer groups explain more; makers, who have no looks of their own here, nothing."""
    found = trial(**sample).filter(centre="left_out", null="images")
    explained = {
        row["labelling"]: 1 - row["distance"] / row["null_distance"]
        for row in found.iter_rows(named=True)
    }
    assert explained["tags"] == pytest.approx(explained["modality_body_part"])
    assert explained["embedding"] >= explained["tags"] - 0.02
    assert explained["tags"] > explained["modality"] > 0.05
    assert abs(explained["manufacturer"]) < 0.05


def test_images_that_could_not_be_drawn_are_left_out(sample):
    gone = np.arange(N) % 10 == 0
    holed = sample["embeddings"].copy()
    holed[gone] = np.nan
    keep = pl.Series(~gone)
    less = {"embeddings": holed[~gone], "clusters": sample["clusters"][~gone]}
    less = sample | less | {"sample": sample["sample"].filter(keep)}
    assert trial(**sample | {"embeddings": holed}).equals(trial(**less))


def test_missing_labels_are_a_group_and_missing_ids_stand_alone(sample):
    named = pl.col("modality").replace("MR", "~missing")
    missing = pl.col("modality").replace("MR", None)
    frames = [trial(**changed(sample, modality=each)) for each in (named, missing)]
    assert (
        frames[0]
        .drop("draws", "null_distance", "p")
        .equals(frames[1].drop("draws", "null_distance", "p"))
    )
    empty = texts([None] * N)
    alone = trial(**changed(sample, series=empty, patient=empty))
    own = trial(**changed(sample, patient=pl.col("series")))
    assert alone["distance"].to_list() == pytest.approx(own["distance"].to_list(), abs=1e-12)


def test_same_seed_same_frame_and_trials_differ(sample):
    assert trial(**sample).equals(trial(**sample))
    other = trial(**sample | {"name": "trial-02"})
    assert not np.allclose(other["null_distance"], trial(**sample)["null_distance"])


def test_more_clusters_than_images_leaves_the_embedding_out(sample):
    found = trial(**sample | {"k": N + 1})
    assert "embedding" not in found["labelling"]


def test_nothing_to_compare_is_an_empty_frame(sample):
    labels = dict.fromkeys(("modality", "body_part", "manufacturer"), pl.lit("x"))
    one = {"clusters": np.zeros(N, int), "k": N}
    found = trial(**changed(sample, **labels) | one)
    assert found.height == 0
    assert {"trial", "k", "labelling", "centre", "null", "draws"} <= set(found.columns)


def test_every_null_and_labelling_of_the_registries_is_tested(sample):
    """In this sample each null can move some labelling, and each labelling is moved by some."""
    found = trial(**sample)
    assert set(found["null"]) == {null.key for null in nulls.NULLS}
    assert set(found["labelling"]) == {each.key for each in labellings.LABELLINGS}


def test_each_null_has_its_own_key_and_random_numbers():
    for values in zip(*[(null.key, null.stream, null.name) for null in nulls.NULLS], strict=True):
        assert len(set(values)) == len(nulls.NULLS)


def test_a_new_null_or_labelling_is_one_entry(sample, monkeypatch):
    before = trial(**sample)
    site = Null("within_site", 99, "Beyond site", "Of one site.", strata=("site",))
    sites = Labelling("site", "site alone", ("site",))
    monkeypatch.setattr(nulls, "NULLS", (site, *nulls.NULLS))
    monkeypatch.setattr(labellings, "LABELLINGS", (*labellings.LABELLINGS, sites))
    assert columns() == [
        *("series", "patient", "site", "modality", "body_part", "manufacturer"),
    ]
    found = trial(**changed(sample, site=texts([f"{i % 3}" for i in range(N)])))
    rows = set(found.select("labelling", "null").rows())
    assert {("tags", "within_site"), ("site", "series")} <= rows
    assert ("site", "within_site") not in rows
    known = (pl.col("null") != "within_site") & (pl.col("labelling") != "site")
    assert found.filter(known).equals(before)


def test_a_trial_that_cannot_be_made_says_why(sample):
    looks, images = sample["embeddings"], sample["sample"]
    assert why_left_out(looks, images, 4) is None
    assert "too alike" in why_left_out(looks, images, 1)
    assert "as many clusters" in why_left_out(looks, images, 0)
    assert "too few patients" in why_left_out(looks[:0], images.clear(), 0)
    assert "description" in why_left_out(np.full_like(looks, np.nan), images, 4)
    two_of_one = looks.copy()
    two_of_one[2:] = np.nan
    assert "one patient" in why_left_out(two_of_one, images, 4)
