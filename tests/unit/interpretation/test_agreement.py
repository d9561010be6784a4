"""Agreement scores against what they must be where the answer is known."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from tagsight.interpretation.agreement import MODALITY_AND_BODY_PART, SCANNER, agreement
from tagsight.run.package_data import rows_of


def test_perfect_finer_and_independent_labels():
    labels = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    rows = agreement(
        labels,
        {
            "same": pl.Series(list("aabbccdd")),
            "coarser": pl.Series(list("aaaabbbb")),
            "crossed": pl.Series(list("abababab")),
        },
        k=4,
        left_out=MODALITY_AND_BODY_PART,
    )
    same, coarser, crossed = rows
    assert (same["ami"], same["homogeneity"], same["completeness"]) == pytest.approx((1, 1, 1))
    assert coarser["homogeneity"] == pytest.approx(1)
    assert coarser["completeness"] == pytest.approx(0.5)
    assert crossed["homogeneity"] == pytest.approx(0, abs=1e-9)
    assert crossed["ami"] < 0.01
    assert all(row["k"] == 4 and row["left_out"] == list(MODALITY_AND_BODY_PART) for row in rows)


def test_missing_labels_are_left_out_and_counted():
    labels, known = np.array([0, 0, 1, 1, 1]), ["a", None, "b", "a", None]
    (row,) = agreement(labels, {"modality": pl.Series(known)}, k=2)
    assert (row["label"], row["rows"], row["missing"]) == ("modality", 3, 2)
    assert row["ami"] == pytest.approx(adjusted_mutual_info_score(["a", "b", "a"], [0, 1, 1]))


@pytest.mark.parametrize("known", [[None, None, None], ["a", "a", None]])
def test_nothing_to_agree_with_is_null(known):
    (row,) = agreement(np.array([0, 1, 1]), {"x": pl.Series(known, dtype=pl.String)}, k=2)
    assert row["ami"] is row["homogeneity"] is row["completeness"] is None


def test_tags_that_state_the_scanner_are_those_of_the_standards_module():
    module = {
        row["keyword"] for row in rows_of("modules.csv") if row["module"] == "General Equipment"
    }
    assert module - set(SCANNER) == {"SpatialResolution", "PixelPaddingValue"}
    assert set(SCANNER) <= module


def test_levels_are_counted():
    (row,) = agreement(np.array([0, 1, 1]), {"model": pl.Series(["a", "b", None])}, k=2)
    assert row["levels"] == 2
