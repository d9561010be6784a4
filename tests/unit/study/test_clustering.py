"""The study as its command runs it, on little data."""

import re

import polars as pl
import pytest

from study import clustering
from study.algorithms import SCHEMA
from study.tables import markdown
from tagsight.clustering.algorithms import ALGORITHMS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("docs")
    clustering.main(["--quick", "--folder", str(made)])
    return made


def test_the_page_shows_every_algorithm_and_its_figures_are_there(folder):
    page = (folder / "clustering.md").read_text(encoding="utf-8")
    assert all(page.count(f"| {name} |") >= 3 for name in ALGORITHMS)
    for path in re.findall(r"\]\((\S+)\)", page):
        assert (folder / path).stat().st_size > 1000
    assert (folder / "clustering-sizes.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_the_table_has_every_variant_once(folder):
    table = pl.read_csv(folder / "clustering.csv")
    assert table.columns == list(SCHEMA)
    variants = table.select("data", "presence", "told", "algorithm", "asked")
    assert len(variants.unique()) == len(variants) == 2 * 2 * 2 * len(ALGORITHMS) * 2
    assert table["ami_truth"].is_between(-0.1, 1).all()
    assert table.filter("told", presence=1)["stability"].null_count() == 0


def test_what_was_planted_is_found_with_the_columns_that_tell_it(folder):
    table = pl.read_csv(folder / "clustering.csv").filter(data="planted", algorithm="fasterpam")
    by_weight = table.group_by("presence").agg(pl.col("ami_truth").mean()).sort("presence")
    without, with_presence = by_weight["ami_truth"]
    assert with_presence > without + 0.2


def test_k_medoids_are_annotated_as_they_were_clustered(folder):
    table = pl.read_csv(folder / "clustering.csv")
    k_medoids = pl.col("algorithm").is_in(["fasterpam", "pam", "alternate"])
    assert (table.filter(k_medoids)["moved"] == 0).all()


def test_fractions_of_a_column_have_equally_many_digits():
    frame = pl.DataFrame({"name": ["a", None], "share": [0.5, 0.125], "n": [1, None]})
    assert markdown(frame).splitlines() == [
        "| name | share | n |",
        "| --- | --: | --: |",
        "| a | 0.500 | 1 |",
        "|  | 0.125 |  |",
    ]
