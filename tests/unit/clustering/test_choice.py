"""The choice of K, by both rules."""

import json
import math

import polars as pl
import pytest

from tagsight.clustering import choice, cluster_tables
from tagsight.errors import DataError

# The paper's own grid (§3).
PAPER = pl.DataFrame(
    {
        "k": [5, 10, 15, 20, 100, 200, 300],
        "silhouette": [0.29, 0.32, 0.37, 0.34, 0.31, 0.25, 0.21],
        "heldout_ratio": [1.0, 1.01, 1.02, 1.03, 1.2, 1.3, 1.4],
    }
)


def test_the_papers_choice():
    found = choice.choose(PAPER, "silhouette")
    assert (found["k"], found["reading"], found["at_edge"]) == (15, "weak structure", False)
    assert found["rule"] == "silhouette"
    assert list(found["grid"]) == ["5", "10", "15", "20", "100", "200", "300"]
    assert found["grid"]["15"] == {"silhouette": 0.37, "heldout_ratio": 1.02}


def test_heldout_passes_over_k_that_fit_only_their_own():
    grid = PAPER.with_columns(silhouette=pl.Series([0.2, 0.3, 0.35, 0.34, 0.6, 0.7, 0.8]))
    assert choice.choose(grid, "silhouette")["k"] == 300
    assert choice.choose(grid, "silhouette")["at_edge"]
    assert choice.choose(grid, "heldout", 1.05)["k"] == 15
    assert choice.choose(grid, "heldout", 1.25)["k"] == 100


def test_where_no_k_fits_others_the_one_that_fits_best():
    grid = PAPER.with_columns(heldout_ratio=pl.Series([1.5, 1.4, 1.3, 1.2, 1.3, 1.4, 1.5]))
    assert choice.choose(grid, "heldout", 1.05)["k"] == 20


def test_ties_go_to_the_smaller_k_whatever_the_order():
    grid = pl.DataFrame({"k": [30, 10, 20], "silhouette": [0.4, 0.1, 0.4]})
    assert choice.choose(grid, "silhouette")["k"] == 20


def test_a_single_k_is_no_edge():
    grid = pl.DataFrame({"k": [7], "silhouette": [0.4]})
    assert not choice.choose(grid, "silhouette")["at_edge"]


def test_json_holds_no_nan():
    grid = pl.DataFrame(
        {"k": [2, 3], "silhouette": [0.4, 0.3], "heldout_ratio": [math.inf, math.nan]}
    )
    found = json.dumps(choice.choose(grid, "silhouette"), allow_nan=False)
    assert '"heldout_ratio": null' in found


def test_without_other_patients_the_silhouette_alone_decides():
    grid = pl.DataFrame({"k": [2, 3, 4], "silhouette": [0.2, 0.4, 0.3]})
    grid = grid.with_columns(heldout_ratio=pl.lit(None, pl.Float64))
    chosen = choice.choose(grid, "heldout")
    assert chosen["k"] == choice.choose(grid, "silhouette")["k"] == 3
    assert chosen["grid"]["3"]["heldout_ratio"] is None


def test_an_empty_grid_names_the_key():
    with pytest.raises(DataError, match=r"cluster\.k"):
        choice.choose(PAPER.clear(), "silhouette")


@pytest.mark.parametrize(
    ("silhouette", "words"),
    [
        (-1, "no substantial"),
        (0.25, "no substantial"),
        (0.26, "weak"),
        (0.5, "weak"),
        (0.51, "reasonable"),
        (0.7, "reasonable"),
        (0.71, "strong"),
        (1, "strong"),
    ],
)
def test_readings(silhouette, words):
    assert choice.silhouette_verdict(silhouette) == f"{words} structure"


def test_the_summary_of_each_k_is_weighted():
    clusters = pl.DataFrame(
        {
            "k": [3, 2, 3, 2],
            "distance": [0.1, 0.2, 0.3, 0.6],
            "silhouette": [0.5, 0.1, 0.7, 0.3],
            "weight": [1.0, 1.0, 1.0, 0.25],
        },
        schema_overrides=dict.fromkeys(("distance", "silhouette", "weight"), pl.Float32),
    )
    found = cluster_tables.summary(clusters)
    assert found["k"].to_list() == [2, 3]
    assert found["silhouette"].to_list() == pytest.approx([(0.1 + 0.25 * 0.3) / 1.25, 0.6])
    assert found["loss"].to_list() == pytest.approx([0.35, 0.4])
    assert found["distance"].to_list() == pytest.approx([0.28, 0.2])
