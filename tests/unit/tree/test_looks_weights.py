from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from forest import THICKNESS, images, tree

from tagsight.tree.encodings import Branch, Tree
from tagsight.tree.looks_weights import with_learned_weights


def looks(by):
    """Embeddings that depend on one column alone."""
    angle = by.cast(pl.Float64).fill_null(0).to_numpy()
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def weights(learned, kind):
    return {column.name: column.weight for column in learned.of(kind).columns}


def test_the_column_that_looks_depend_on_has_the_weight():
    sample = images(1)
    by_region = with_learned_weights(tree(), sample, looks(sample["word.region"]), 1)
    assert weights(by_region, "CT")["word.region"] == pytest.approx(1, abs=1e-6)
    by_view = with_learned_weights(tree(), sample, looks(sample["ViewPosition"]), 1)
    assert weights(by_view, "DX")["ViewPosition"] == pytest.approx(1, abs=1e-6)


def test_weights_add_up_to_one_and_none_is_negative():
    sample, rng = images(1), np.random.default_rng(0)
    noise = rng.normal(size=(len(sample), 5)).astype(np.float32)
    for kind in ("CT", "DX"):
        learned = weights(with_learned_weights(tree(), sample, noise, 1), kind)
        assert sum(learned.values()) == pytest.approx(1)
        assert min(learned.values()) >= 0


def test_a_kind_of_few_pairs_keeps_its_weights():
    sample = images(1, ct=15)
    learned = with_learned_weights(tree(), sample, looks(sample["word.region"]), 1)
    assert learned.of("CT") == tree().of("CT")


def test_images_that_could_not_be_drawn_take_no_part():
    sample = images(1)
    vectors = looks(sample["word.region"])
    vectors[::3] = np.nan
    kept = sample.filter(pl.Series(np.isfinite(vectors).all(axis=1)))
    with_gaps = with_learned_weights(tree(), sample, vectors, 1)
    without = with_learned_weights(tree(), kept, vectors[np.isfinite(vectors).all(axis=1)], 1)
    assert with_gaps == without


def test_pairs_of_one_patient_do_not_count():
    sample = images(1).with_columns(patient=pl.lit("one"))
    vectors = looks(sample["word.region"])
    assert with_learned_weights(tree(), sample, vectors, 1) == tree()


def test_missing_values_are_not_compared():
    """Where a number is known of one half alone, pairs across the halves say nothing of it."""
    flat = Tree({"CT": Branch(60, True, replace(tree().of("CT"), columns=(THICKNESS,)))})
    sample = images(1, dx=0)
    half = pl.Series(np.arange(60) < 30)
    known = sample.with_columns(SliceThickness=pl.when(half).then("SliceThickness"))
    vectors = looks(known["SliceThickness"])
    assert weights(with_learned_weights(flat, known, vectors, 1), "CT")["SliceThickness"] == 1.0
