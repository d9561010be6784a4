"""The study's sentences follow from its figures: other figures, other sentences."""

import polars as pl
import pytest

from study import verdict
from study.algorithms import SCHEMA

MODEL = {
    "presence": 1.0,
    "told": True,
    "asked": 15,
    "k": 15,
    "none": 0.0,
    "largest": 0.2,
    "silhouette": 0.3,
    "stability": 0.5,
    "seconds": 1.0,
    "moved": 0.0,
    "placed_modality": 0.4,
    "placed_body_part": 0.2,
}


def table(*changes):
    """Rows for all variants of each algorithm on each data set that is named."""
    rows = []
    for change in changes:
        for presence in (0.0, 1.0):
            for told in (True, False):
                row = {**MODEL, **change, "presence": presence, "told": told}
                if presence == 0:
                    row["placed_modality"] = change.get("bare", row["placed_modality"])
                rows.append({name: row.get(name) for name in SCHEMA})
    return pl.DataFrame(rows, SCHEMA, orient="row")


def on(data, algorithm, **figures):
    return {"data": data, "algorithm": algorithm, **figures}


def test_ranks_are_means_over_data_sets_without_the_control():
    found = verdict.ranks(
        table(
            on("demo", "fasterpam", placed_truth=0.8, stability=0.9),
            on("demo", "famd", placed_truth=0.6, stability=0.7),
            on("IDC", "fasterpam", placed_modality=0.1, stability=0.6),
            on("IDC", "famd", placed_modality=0.5, stability=0.4),
            on("control", "famd", placed_truth=1.0, stability=1.0, largest=0.9),
            on("control", "fasterpam", placed_truth=0.0, stability=0.0),
        )
    )
    assert found["algorithm"].to_list() == ["fasterpam", "famd"]
    assert found["agreement"].to_list() == [1.5, 1.5]
    assert found["stability"].to_list() == [1, 2]
    assert found["overall"].to_list() == [1.25, 1.75]
    assert found["ami"].to_list() == pytest.approx([(0.8 + 0.15) / 2, (0.6 + 0.35) / 2])
    assert found["largest"].max() == 0.2


def test_the_best_is_recommended_and_the_default_is_told_how_it_stands():
    said = verdict.recommendation(
        table(on("demo", "fasterpam", placed_truth=0.5), on("demo", "famd", placed_truth=0.8))
    )
    assert "**`famd`**" in said
    assert "number 2 of 2" in said
    assert "agrees better: mean AMI 0.800 against 0.500" in said
    assert "better on 1 of 1 (demo +0.300), worse on 0." in said
    other = verdict.recommendation(
        table(on("demo", "fasterpam", placed_truth=0.9), on("demo", "famd", placed_truth=0.8))
    )
    assert "**`fasterpam`**" in other
    assert "It is the default." in other


def test_it_is_said_whether_the_order_could_be_by_chance():
    names, ami = ("fasterpam", "famd", "average"), [(0.9, 0.5, 0.1), (0.1, 0.5, 0.9)]
    for turns, word in ((0, "differ:"), (1, "cannot be told apart")):
        rows = [
            on(f"set {i}", name, placed_truth=value)
            for i in range(6)
            for name, value in zip(names, ami[i % 2 * turns], strict=True)
        ]
        assert word in verdict.recommendation(table(*rows))
    hint = "no algorithm is shown to be better"
    for swapped in (False, True):  # the default is first, another is, by chance
        rows = [
            on(f"set {i}", name, placed_truth=value)
            for i in range(6)
            for name, value in zip(names, ami[(i < 2) ^ swapped], strict=True)
        ]
        assert (hint in verdict.recommendation(table(*rows))) is swapped
    few = table(*(on("demo", name) for name in names))
    assert "too few to test" in verdict.recommendation(few)


def test_one_that_puts_most_images_together_is_passed_over():
    rows = (
        on("demo", "average", placed_truth=0.9, stability=0.9),
        on("IDC", "average", placed_modality=0.9, stability=0.9, largest=0.51),
        on("demo", "fasterpam"),
        on("IDC", "fasterpam"),
    )
    said = verdict.recommendation(table(*rows))
    assert "**`fasterpam`**" in said
    assert "one cluster somewhere: `average`." in said
    assert "First in agreement alone is `average`" in said
    lumped = [{**row, "largest": 0.8} for row in rows]
    assert "Nothing is left" in verdict.recommendation(table(*lumped))


def test_one_that_finds_other_numbers_is_not_compared():
    said = verdict.recommendation(
        table(
            on("demo", "hdbscan", placed_truth=0.9, stability=1.0, k=4),
            on("demo", "dynmsc", placed_truth=0.9, stability=0.9, k=12),
            on("demo", "fasterpam"),
        )
    )
    assert "**`dynmsc`**" in said
    assert "another number of clusters somewhere: `hdbscan`." in said


def test_missingness_matters_where_presence_columns_help():
    helped = table(on("demo", "famd", bare=0.1), on("control", "famd", bare=0.6))
    said = verdict.missingness(helped)
    assert "lacks matters" in said
    assert "1 of 1 data sets (demo +0.150)" in said
    assert "changes by -0.100, so the gain is not of having more columns" in said
    hindered = verdict.missingness(table(on("demo", "famd", bare=0.6)))
    assert "was not seen to matter" in hindered
    assert "falls on 1 (demo -0.100)" in hindered
