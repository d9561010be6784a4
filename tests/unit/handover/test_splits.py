"""Splits share no patient, and have labels in the shares that were asked for, as can be."""

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.handover.splits import split, thinned

SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}
rows = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 4)), min_size=1, max_size=80)


def images(pairs):
    """A row for each pair of patient and label."""
    columns = {"person": [f"p{p}" for p, _ in pairs], "label": [label for _, label in pairs]}
    return pl.DataFrame(columns).with_row_index("image").cast({"image": pl.String})


def uneven(frame, splits):
    """Sum of squared differences between a split's part of a label and its share."""
    table = frame.with_columns(split=pl.Series(splits))
    total = 0.0
    for label, share_of in itertools.product(table["label"].unique(), SHARES.items()):
        of_label = table.filter(label=label)
        total += (len(of_label.filter(split=share_of[0])) / len(of_label) - share_of[1]) ** 2
    return total


@given(rows, st.integers(0, 9))
def test_no_patient_is_in_two_splits(pairs, seed):
    frame = images(pairs)
    found = frame.with_columns(split(frame, SHARES, seed))
    assert found["split"].null_count() == 0
    assert set(found["split"]) <= set(SHARES)
    assert (found.group_by("person").agg(pl.col("split").n_unique())["split"] == 1).all()


@given(rows, st.randoms())
def test_the_order_of_rows_says_nothing(pairs, random):
    frame = images(pairs)
    order = list(range(len(frame)))
    random.shuffle(order)
    other = frame[order]
    by_row = dict(zip(other["image"], split(other, SHARES, 3), strict=True))
    assert [by_row[image] for image in frame["image"]] == split(frame, SHARES, 3).to_list()


@given(rows, st.integers(0, 3))
def test_labels_are_more_even_than_by_chance(pairs, seed):
    """Than the mean of patients dealt by a die of these shares."""
    frame, rng = images(pairs), np.random.default_rng(seed)
    people = frame["person"].unique(maintain_order=True)
    by_chance = []
    for _ in range(50):
        thrown = rng.choice(list(SHARES), len(people), p=list(SHARES.values())).tolist()
        by_chance.append(uneven(frame, frame["person"].replace_strict(people, thrown)))
    assert uneven(frame, split(frame, SHARES, seed)) <= np.mean(by_chance) + 1e-9


def test_of_many_patients_each_label_has_its_shares():
    rng = np.random.default_rng(1)
    frame = images([(p, rng.integers(1, 5)) for p in range(400) for _ in range(rng.integers(1, 9))])
    found = frame.with_columns(split(frame, SHARES, 1)).group_by("label", "split").len()
    found = found.with_columns(part=pl.col("len") / pl.col("len").sum().over("label"))
    for name, part in found["split", "part"].iter_rows():
        assert part == pytest.approx(SHARES[name], abs=0.02)


def test_a_seed_is_one_draw_and_another_seed_another():
    frame = images([(p, 1) for p in range(50)])
    assert split(frame, SHARES, 1).equals(split(frame, SHARES, 1))
    assert not split(frame, SHARES, 1).equals(split(frame, SHARES, 2))


def test_a_split_of_no_share_has_nothing_and_units_do_not_matter():
    frame = images([(p, 1 + p % 3) for p in range(60)])
    two = split(frame, {"train": 3, "validation": 1, "test": 0}, 1)
    assert set(two) == {"train", "validation"}
    assert two.equals(split(frame, {"train": 0.75, "validation": 0.25, "test": 0}, 1))


@given(rows, st.integers(1, 5), st.integers(0, 9))
def test_so_many_of_a_label_are_of_as_many_patients_as_can_be(pairs, most, seed):
    frame = images(pairs)
    found = thinned(frame, most, seed)
    assert found["image"].is_sorted()
    for (label,), part in frame.group_by("label"):
        drawn = found.filter(label=label)
        assert len(drawn) == min(most, len(part))
        assert drawn["person"].n_unique() == min(most, part["person"].n_unique())
    assert thinned(frame, None, seed).equals(frame.sort("image"))
    shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
    assert thinned(shuffled, most, seed).equals(found)
