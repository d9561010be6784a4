"""Medoids of a flat run found among all images: every file that tells of clusters tells of theirs.

For those of a tree see tests/unit/tree/test_searching.py.
"""

import shutil

import polars as pl
import pytest
from running import overlay, run

from tagsight.clustering.cluster_tables import labellings
from tagsight.interpretation.agreement import agreement
from tagsight.run.atomic import read_json
from tagsight.tags.labels import LABELS

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def searched(finished, tmp_path_factory):
    """A flat run, gone on with among all its images, and where it went on from."""
    flat, everywhere = (tmp_path_factory.mktemp(name) for name in ("flat", "all"))
    of_sample = overlay(flat, labels__tree=False)
    of_all = overlay(everywhere, labels__tree=False, cluster__on="all", cluster__candidates=400)
    gone_on = everywhere / "run"
    shutil.copytree(finished, gone_on, symlinks=True)
    targets = ["results/annotations.csv", "results/cards.json", "results/agreement.json"]
    run(gone_on, of_sample, targets=targets)
    results = gone_on / "results"
    before = {
        "medoids": pl.read_parquet(results / "medoids.parquet"),
        "annotations": pl.read_csv(results / "annotations.csv"),
        "choice": (results / "choice.json").read_bytes(),
        "members": pl.read_parquet(results / "members.parquet"),
        "clusters": pl.read_parquet(results / "clusters/tuning.parquet"),
    }
    run(gone_on, of_all, targets=targets)
    return results, before


def test_all_images_are_searched_and_annotated_by_what_was_found(searched):
    results, before = searched
    assert before["members"].equals(before["clusters"])
    assert (results / "choice.json").read_bytes() == before["choice"]
    k = read_json(results / "choice.json")["k"]
    medoids = pl.read_parquet(results / "medoids.parquet")
    annotations = pl.read_csv(results / "annotations.csv")
    assert medoids["k"].unique().sort().equals(before["medoids"]["k"].unique().sort())
    assert medoids.group_by("k").agg(pl.sum("images"))["images"].to_list() == [len(annotations)] * 4
    chosen = medoids.filter(k=k)
    loss = annotations["distance"].sum()
    assert loss == pytest.approx(chosen["loss"].sum(), rel=1e-4)
    assert loss <= before["annotations"]["distance"].sum() + 1e-4
    search = pl.read_parquet(results / "search.parquet")
    assert (search["candidates"] > 0).all()
    assert search.filter(k=k)["loss"].item() == pytest.approx(loss, rel=1e-4)
    cards = read_json(results / "cards.json")
    assert [card["medoid"] for card in cards] == chosen.sort("cluster")["image"].to_list()
    assert {card["cluster"]: card["name"] for card in cards}.items() >= set(
        annotations.select("cluster", "name").unique().iter_rows()
    )
    members = pl.read_parquet(results / "members.parquet").filter(k=k)
    assert sum(card["size"] for card in cards) == len(members)
    assert members["image"].equals(before["members"].filter(k=k)["image"])
    assert "rows tried as medoids" in (results.parent / "logs/medoids.log").read_text(
        encoding="utf-8"
    )


def test_agreement_is_of_the_clusters_that_annotations_go_by(searched):
    results, before = searched
    sample = pl.read_parquet(results / "samples/tuning.parquet")
    outside = {name: sample[name] for name in LABELS}
    known = read_json(results / "agreement.json")["agreement"]
    told = [row for row in known if not row["left_out"]]

    def of(members):
        found = labellings(sample, members)
        return [row for k, labels in found.items() for row in agreement(labels, outside, k=k)]

    assert told == of(pl.read_parquet(results / "members.parquet")) != of(before["clusters"])
    k = read_json(results / "choice.json")["k"]
    annotated = pl.read_csv(results / "annotations.csv").with_columns(k=pl.lit(k))
    (labels,) = labellings(sample, annotated).values()
    chosen = [row for row in told if row["k"] == k]
    assert chosen == agreement(labels, outside, k=k)
