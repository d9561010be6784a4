"""Confounding: scanners that clusters follow are told, and anatomy that they follow."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from tagsight.confounding import MARGIN, confounding, sentence

RNG = np.random.default_rng(0)
N = 400
PART, MODEL = RNG.integers(0, 4, N), RNG.integers(0, 4, N)


def texts(codes):
    return pl.Series([f"value {code}" for code in codes])


OUTSIDE = {"body_part": texts(PART), "model": texts(MODEL), "manufacturer": texts(MODEL // 2)}


@pytest.mark.parametrize(
    ("labels", "verdict", "said"),
    [
        (MODEL, "scanner", "read them as scanners rather than anatomy"),
        (PART, "anatomy", "read them as anatomy rather than scanners"),
        (PART * 4 + MODEL, "both", "mixed"),
        (RNG.integers(0, 5, N), "neither", "neither"),
    ],
)
def test_planted_confounding_is_told(labels, verdict, said):
    found = confounding(labels, OUTSIDE)
    assert found["verdict"] == verdict
    assert said in sentence(found)
    assert found["label"] in ("model", "manufacturer")


def test_a_margin_decides_and_the_scores_are_of_images_that_state_both():
    known = np.arange(N) < 150
    part = OUTSIDE["body_part"].set(pl.Series(~known), None)
    found = confounding(MODEL, {"body_part": part, "model": OUTSIDE["model"]})
    assert found["rows"] == 150
    expected = adjusted_mutual_info_score(PART[:150], MODEL[:150])
    assert found["anatomy"] == pytest.approx(expected)
    assert found["scanner"] == 1
    assert found["scanner"] - found["anatomy"] > MARGIN


def test_sites_count_as_scanners_where_they_are_what_clusters_follow():
    site = texts(np.arange(N) % 3)
    found = confounding(np.arange(N) % 3, {**OUTSIDE, "site": site})
    assert (found["verdict"], found["label"]) == ("scanner", "site")
    assert "the site (AMI 1.00)" in sentence(found)


def test_what_is_not_stated_cannot_be_told():
    none = pl.Series([None] * N, dtype=pl.String)
    found = confounding(MODEL, {**OUTSIDE, "body_part": none})
    assert found == {"verdict": "unknown"}
    assert "cannot be told" in sentence(found)


def test_scores_are_written_as_articles_write_them():
    said = sentence({"verdict": "scanner", "label": "model", "scanner": 0.8, "anatomy": 0.412})
    assert "the scanner model (AMI .80) than with the body part (.41)" in said
