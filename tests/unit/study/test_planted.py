"""Planted groups: what they lack is by module, and in the control the same at random."""

import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from study import planted
from tagsight.tags.encoding import PRESENCE, to_features


def presence(sample):
    return sample.select(cs.ends_with("?"))


def told(sample):
    """How far the share of images with a tag differs between modalities, for the most telling."""
    by = sample.group_by("modality").agg(cs.ends_with("?").mean())
    return by.select(cs.ends_with("?").max() - cs.ends_with("?").min()).max_horizontal().item()


def test_a_modality_is_told_by_what_it_lacks_but_not_in_the_control():
    sample, _, truth = planted.images(1500, 3)
    assert told(sample) > 0.8
    control, _, same = planted.images(1500, 3, structural=False)
    assert told(control) < 0.3
    assert truth.to_list() == same.to_list()


def test_the_control_lacks_about_as_much():
    shares = [
        presence(planted.images(3000, 1, structural)[0]).to_numpy().mean()
        for structural in (True, False)
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.05)


def test_groups_are_modality_and_part_and_patients_are_of_one():
    sample, _, truth = planted.images(400, 5)
    pairs = sample.select("modality", "body_part").with_columns(truth)
    assert adjusted_mutual_info_score(
        pairs["truth"], pairs.select(pl.struct("modality", "body_part")).to_series().hash()
    ) == pytest.approx(1)
    assert (
        sample.with_columns(truth)
        .group_by("patient")
        .agg(pl.col("truth").n_unique())["truth"]
        .max()
        == 1
    )
    sizes = truth.value_counts(sort=True)["count"]
    assert sizes[0] > 2 * sizes[5]


def test_columns_are_as_the_encoding_says_and_the_same_for_a_seed():
    sample, columns, _ = planted.images(100, 7)
    features = to_features(sample, columns)
    assert np.nanmin(features.numeric) == 0
    assert np.nanmax(features.numeric) == 1
    for column in columns.columns:
        if column.parser == PRESENCE:
            there = sample[column.keyword].is_not_null().cast(pl.Int32)
            assert there.to_list() == sample[column.name].to_list()
    assert planted.images(100, 7)[0].equals(sample)
    assert not planted.images(100, 8)[0].equals(sample)
