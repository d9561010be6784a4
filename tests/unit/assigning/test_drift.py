"""Drift: profiles of patients, false alarms, what is caught, what is said."""

import numpy as np
import polars as pl
import pytest

from tagsight.assigning import drift
from tagsight.assigning.drift import Profile, compare, warning
from tagsight.assigning.novelty import beyond, unseen, values_of
from tagsight.tags.encoding import Column, Encoding
from tagsight.tree.encodings import FLAT, Branch, Tree

ENCODING = Encoding(
    "linear",
    (
        Column("Modality", "Modality", "categorical", "text", categories=("CT", "MR", "US")),
        Column("KVP", "KVP", "numeric", "number", minimum=0.0, maximum=140.0),
        Column("KVP?", "KVP", "categorical", "presence", categories=("absent", "present")),
        Column("SliceThickness", "SliceThickness", "numeric", "number", minimum=0, maximum=9),
    ),
)
TREE = Tree({FLAT: Branch(0, True, ENCODING)})
NAMES = ["CT", "MR", "US"]


def images(seed, patients, *, mix=(0.5, 0.3, 0.2), filled=0.8, new=0.0, far=0.0, thick=0.0):
    """Patients with some series of one kind each, all images of a series alike but for distance."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(patients):
        kind = rng.choice(3, p=mix)
        has_kvp = rng.random() < filled
        thickness = thick + rng.random()
        person = f"{rng.integers(2**62):016x}"
        for s in range(rng.integers(1, 4)):
            code = 3 if rng.random() < new else kind
            count = rng.integers(1, 6)
            rows += [
                {
                    "person": person,
                    "series": f"{person}-{s}",
                    "label": kind + 1,
                    "distance": far + d,
                    "Modality": code,
                    "KVP": 120.0 if has_kvp else None,
                    "KVP?": int(has_kvp),
                    "SliceThickness": thickness,
                }
                for d in rng.random(count) * 0.1
            ]
    schema = {"label": pl.Int32, "Modality": pl.Int32, "KVP": pl.Float64}
    return pl.DataFrame(rows, schema_overrides=schema)


ALL = (-np.inf, np.inf)
EVERYWHERE = {"KVP": ALL, "SliceThickness": ALL}


def profile_of(sole, ends):
    return Profile(ENCODING.columns, [1, 2, 3], unseen(ENCODING, sole), beyond(ENCODING, ends))


def persons(frame, sole=None, ends=None):
    profile = profile_of(sole or {}, ends or EVERYWHERE)
    profile.add(frame)
    return profile.persons


def test_a_profile_is_the_mean_over_images_of_a_series_then_the_sum_over_series():
    frame = images(1, 20)
    found = persons(frame, {"Modality": [2]}, EVERYWHERE | {"SliceThickness": (0.2, 0.7)})
    assert sorted(found["person"]) == sorted(frame["person"].unique())
    for row in found.iter_rows(named=True):
        own = frame.filter(person=row["person"])
        series = [part for _, part in own.group_by("series")]
        assert row["series"] == len(series)
        assert row["distance"] == pytest.approx(sum(part["distance"].mean() for part in series))
        for c in (1, 2, 3):
            share = sum((part["label"] == c).mean() for part in series)
            assert row[f"label {c}"] == pytest.approx(share)
        assert row["present KVP"] == pytest.approx(
            sum(part["KVP"].is_not_null().mean() for part in series)
        )
        assert row["unseen Modality"] == pytest.approx(
            sum((part["Modality"] >= 2).mean() for part in series)
        )
        assert row["present SliceThickness"] == len(series)
        outside = [not 0.2 <= part["SliceThickness"][0] <= 0.7 for part in series]
        assert row["beyond SliceThickness"] == sum(outside)
        assert row["beyond KVP"] == 0
    assert "unseen KVP" not in found.columns


def test_images_without_distance_or_label_count_in_all_but_the_distance():
    """As objects that are no pictures have no distance, and those of a new kind no label either."""
    frame = images(3, 30)
    one = pl.col("series").str.ends_with("-0")
    lacking = frame.with_columns(
        label=pl.when(~one).then("label"), distance=pl.when(~one).then("distance")
    )
    found = persons(lacking)
    for row in found.iter_rows(named=True):
        others = frame.filter(~one, person=row["person"])
        distances = others.group_by("series").agg(pl.col("distance").mean())["distance"]
        assert row["placed"] == len(distances) == row["series"] - 1
        assert row["distance"] == pytest.approx(distances.sum())
        assert row["label none of them"] == 1
        assert sum(row[f"label {c}"] for c in (1, 2, 3)) == row["placed"]
    told = compare(found, persons(frame), NAMES, 1)
    of_some = found.filter(pl.col("placed") > 0)
    mean = (of_some["distance"] / of_some["placed"]).mean()
    assert told["distance"]["largest"][0]["delivery"] == pytest.approx(mean)
    assert told["clusters"]["largest"][0]["name"] == drift.NO_LABEL
    assert told["clusters"]["drifted"]
    assert not told["distance"]["drifted"]


def test_parts_add_up_in_any_order_and_the_same_persons_are_kept(monkeypatch):
    frame = images(2, 40)
    whole = persons(frame)
    parts = [part for _, part in frame.group_by("series", maintain_order=True)]
    for most in (drift.MOST_PATIENTS, 12):
        monkeypatch.setattr(drift, "MOST_PATIENTS", most)
        for order in (parts, parts[::-1]):
            profile = profile_of({}, EVERYWHERE)
            for part in order:
                profile.add(part)
            expected = whole.head(most)
            assert profile.persons["person"].to_list() == expected["person"].to_list()
            difference = profile.persons.drop("person") - expected.drop("person")
            assert np.abs(difference.to_numpy()).max() < 1e-12


def test_a_split_of_the_runs_own_patients_gives_no_warning():
    """120 splits into a run and a smaller delivery: at most 5 % may be wrong."""
    alarms = 0
    for seed in range(120):
        frame = images(seed, 60, new=0.1)
        shuffled = np.random.default_rng(seed).permutation(frame["person"].unique().sort())
        delivered = pl.Series(shuffled[:15]).implode()
        run = frame.filter(~pl.col("person").is_in(delivered))
        has = values_of([run], TREE)[FLAT]
        delivery = persons(frame.filter(pl.col("person").is_in(delivered)), ends=has.ends)
        profile = persons(run, has.one_person_codes, has.inner_ends)
        alarms += compare(delivery, profile, NAMES, seed)["drifted"]
    assert alarms <= 0.05 * 120


@pytest.mark.parametrize(
    ("change", "aspect"),
    [
        ({"mix": (0.1, 0.1, 0.8)}, "clusters"),
        ({"far": 0.06}, "distance"),
        ({"filled": 0.2}, "presence"),
        ({"new": 0.5}, "unseen"),
        ({"thick": 0.5}, "beyond"),
    ],
)
def test_a_shifted_delivery_is_caught_and_it_is_said_what_moved(change, aspect):
    caught = 0
    for seed in range(10):
        run = images(seed + 100, 120)
        has = values_of([run], TREE)[FLAT]
        delivery = persons(images(seed, 40, **change), ends=has.ends)
        told = compare(delivery, persons(run, has.one_person_codes, has.inner_ends), NAMES, seed)
        caught += told[aspect]["drifted"]
        others = [a for a in drift.ASPECTS if a != aspect and told[a]["drifted"]]
        assert len(others) <= 1, others
        if told["drifted"]:
            words = {"clusters": "their clusters"} | drift.WORDS
            assert words[aspect] in warning(told, "clusters")
    assert caught >= 9


def test_what_moved_is_told_with_its_shares():
    told = compare(
        persons(images(1, 60, filled=0.0)), persons(images(2, 120, filled=1.0)), NAMES, 1
    )
    row = told["presence"]["largest"][0]
    assert row["name"] == "KVP"
    assert row["run"] == pytest.approx(1.0)
    assert row["delivery"] == pytest.approx(0.0)
    assert row["pvalue"] <= drift.LEVEL
    assert warning(told, "clusters") == (
        "the new images as a whole differ from the run's: which tags are filled (KVP 100%, now 0%)"
    )


def test_a_trifle_is_no_drift_however_sure_it_is():
    delivery = persons(images(1, 800, filled=0.02))
    told = compare(delivery, persons(images(2, 800, filled=0.0)), NAMES, 1)
    assert told["presence"]["pvalue"] <= 5 * drift.LEVEL
    assert told["presence"]["moved"] < drift.LEAST_MOVED
    assert not told["drifted"]
    assert warning(told, "clusters") is None


def test_of_few_patients_nothing_is_told():
    told = compare(persons(images(1, 4)), persons(images(2, 40)), NAMES, 1)
    assert told == {"drifted": None, "patients": 4, "run_patients": 40}
    assert warning(told, "clusters") is None


def test_a_seed_gives_the_same_figures_again():
    a, b = persons(images(1, 20)), persons(images(2, 50))
    assert compare(a, b, NAMES, 3) == compare(a, b, NAMES, 3)
