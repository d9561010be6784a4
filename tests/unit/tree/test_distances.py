"""Distances of a sample: within kinds, by each kind's own columns."""

import forest
import numpy as np
import polars as pl

from tagsight.gower import metric
from tagsight.tags.encoding import to_features
from tagsight.tree.distances import matrix
from tagsight.tree.encodings import FLAT, Branch, Tree


def test_images_are_compared_within_their_kind_alone():
    sample = forest.images(1, ct=7, dx=5, sr=2).sample(fraction=1.0, shuffle=True, seed=3)
    found = matrix(sample, forest.tree())
    rows = sample.to_dicts()
    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            if a["kind"] != b["kind"] or a["kind"] == "SR":
                assert np.isnan(found[i, j])
                continue
            region = float(a["word.region"] != b["word.region"])
            if a["kind"] == "CT":
                other = abs(a["SliceThickness"] - b["SliceThickness"]) / 10
            else:
                other = float(a["ViewPosition"] != b["ViewPosition"])
            np.testing.assert_allclose(found[i, j], (region + other) / 2, atol=1e-6)


def test_in_a_flat_run_all_are_compared():
    sample, encoding = forest.images(2, dx=0).drop("kind"), forest.tree().of("CT")
    flat = Tree({FLAT: Branch(0, True, encoding)})
    assert np.array_equal(matrix(sample, flat), metric.matrix(to_features(sample, encoding)))
    assert matrix(pl.DataFrame(schema=sample.schema), flat).shape == (0, 0)
