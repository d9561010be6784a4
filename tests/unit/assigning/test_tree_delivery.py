"""New images in the labels of a finished tree: kind, label, fit, and what is no picture."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import small_run
import small_tree_run
from small_tree_run import MERGED, TABLES

from tagsight.assigning.delivery import COLUMNS, Delivery
from tagsight.assigning.encoder import TagEncoder
from tagsight.assigning.finished_run import OF_TREES, load_run
from tagsight.errors import DataError
from tagsight.reading.shard_reader import Shard
from tagsight.run.atomic import read_json, write_json
from tagsight.run.tables import REJECTED
from tagsight.tree.conformal import Members

CLONE = Path(__file__).parents[3]
SPELLINGS = small_tree_run.spellings(CLONE)
OLD = small_tree_run.tags(1, 400)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "results"
    small_tree_run.write(folder, OLD, SPELLINGS)
    return load_run(folder, "archive", None)


def delivered(run, folder, *parts):
    delivery, encoder = Delivery(run, folder / "assigned"), TagEncoder(run, SPELLINGS, TABLES)
    encoder.require_the_runs()
    for tags in parts:
        shard = Shard(tags.lazy(), pl.DataFrame(schema=REJECTED), len(tags))
        delivery.add(shard, encoder.encode(shard.tags))
    return delivery


def test_images_of_the_run_get_what_its_annotations_say(run, tmp_path):
    delivery = delivered(run, tmp_path, OLD[:150], OLD[150:])
    found = delivery.table().collect()
    assert found.columns == list(COLUMNS)
    before = pl.read_parquet(run.folder / "annotations/*.parquet")
    both = found.join(before, on="image", how="left", maintain_order="left", suffix="_before")
    for column in ("kind", "region", "label", "name", "cluster", "distance", "margin", "second"):
        assert both[column].equals(both[f"{column}_before"]), column
    assert both["because"].equals(both["because_before"])
    assert found["image"].to_list() == OLD["image"].to_list()
    assert found["known"].all()
    (merged,) = MERGED
    assert set(found.filter(cluster=merged)["label"]) == {MERGED[merged]}
    assert (found["second"] != found["label"]).all()  # another leaf of the own label is none
    assert delivery.summary(1)["new"] == 0


def test_objects_that_are_no_pictures_have_their_label_and_nothing_to_compare(run, tmp_path):
    new = small_tree_run.tags(2, 60, folder="new")
    delivery = delivered(run, tmp_path, new)
    found = delivery.table().collect()
    reports = found.filter(kind="SR")
    assert len(reports) == (new["Modality"] == "SR").sum() > 0
    assert reports["label"].n_unique() == 1
    assert reports["label"].null_count() == 0
    for column in ("distance", "margin", "second", "because", "pvalue", "fits", "unseen", "beyond"):
        assert reports[column].null_count() == len(reports), column
    pictures = found.filter(pl.col("kind") != "SR")
    assert pictures["fits"].null_count() == 0
    assert pictures["fits"].mean() > 0.9
    summary = delivery.summary(1)
    assert summary["not_compared"] == len(reports)
    assert f", {len(reports)} could not be compared and" in summary["result"]
    assert summary["kinds"]["SR"] == {"new": len(reports), "fit_none": 0, "in_run": True}
    assert sum(each["new"] for each in summary["kinds"].values()) == summary["new"] == len(new)
    (of_reports,) = (row for row in summary["clusters"] if row["kind"] == "SR")
    assert of_reports["new"] == len(reports)
    assert of_reports["limit"] is None
    assert sum(row["new"] for row in summary["clusters"]) == len(new)


@pytest.mark.parametrize("modality", ["PT", "RTSTRUCT"])
def test_a_kind_that_the_run_does_not_have_has_no_label_and_fits_none(run, tmp_path, modality):
    new = small_run.tags(2, 20, folder="new").with_columns(Modality=pl.lit(modality))
    delivery = delivered(run, tmp_path, new)
    found = delivery.table().collect()
    assert set(found["kind"]) == {modality}
    for column in ("label", "name", "cluster", "distance", "second", "pvalue"):
        assert found[column].null_count() == len(new), column
    assert not found["fits"].any()
    assert found["fits"].null_count() == 0
    assert set(found["unseen"]) == {"kind"}
    summary = delivery.summary(1)
    assert summary["fit_none"] == len(new)
    assert summary["kinds"] == {modality: {"new": len(new), "fit_none": len(new), "in_run": False}}
    assert summary["drift"]["clusters"]["largest"][0]["name"] == "none of them"
    assert summary["drift"]["clusters"]["moved"] == pytest.approx(1.0)
    assert summary["drift"]["distance"]["pvalue"] == 1.0  # nobody has one
    assert "their labels (none of them 0%, now 100%" in summary["warning"]


def test_new_values_are_those_of_the_own_kind(run, tmp_path):
    """A hand that a CT shows is new, though the run has hands; so is a KVP of 75 in a CR."""
    new = small_run.tags(2, 60, folder="new")
    ct, cr = (pl.col("Modality") == kind for kind in ("CT", "CR"))
    changed = new.with_columns(
        BodyPartExamined=pl.when(ct).then(pl.lit("HAND")).otherwise("BodyPartExamined"),
        KVP=pl.when(cr).then(pl.lit("100")).otherwise("KVP"),
    )
    assert OLD.filter(pl.col("KVP") == "100")["Modality"].unique().to_list() == ["CT"]
    found = delivered(run, tmp_path, changed).table().collect()
    of_cr = found.filter(kind="CR")
    assert of_cr["beyond"].str.contains("KVP").fill_null(False).all()
    assert not found.filter(kind="CT")["beyond"].str.contains("KVP").fill_null(False).any()
    assert set(found["label"]) <= set(run.names)


def test_pvalues_are_of_other_patients_of_the_same_kind(run, tmp_path):
    """By the definition, over the run's images without persons of the tuning sample."""
    new = small_run.tags(7, 25, folder="new")
    found = delivered(run, tmp_path, new).table().collect()
    annotated = pl.read_parquet(run.folder / "annotations/*.parquet")
    others = annotated.filter(~pl.col("patient").is_in(run.tuning.implode()))
    few = 0
    for row in found.iter_rows(named=True):
        of_kind = others.filter(kind=row["kind"])
        of_leaf = of_kind.filter(cluster=row["cluster"])
        enough = of_leaf["patient"].n_unique() >= 99
        few += not enough
        members = (of_leaf if enough else of_kind).partition_by("patient")
        votes = sum(float((each["distance"] >= row["distance"]).mean()) for each in members)
        assert row["pvalue"] == pytest.approx(min(1, (1 + votes) / (len(members) + 1)), rel=1e-5)
    assert few > 0


def test_images_of_new_patients_fit_none_about_as_often_as_stated(run, tmp_path):
    found = [
        delivered(run, tmp_path / str(s), small_run.tags(s, 100)).table().collect()
        for s in range(10, 13)
    ]
    calibration = pl.concat(run.images()).filter(pl.col("distance").is_not_null())
    level = {
        kind: Members.of(rows.select("person", "distance")).level
        for (kind,), rows in calibration.group_by("kind")
    }
    for (kind,), rows in pl.concat(found).group_by("kind"):
        assert np.mean(~rows["fits"].to_numpy()) <= 2 * level[kind], kind


def test_parts_make_no_difference(run, tmp_path):
    new = small_tree_run.tags(5, 30)
    whole = delivered(run, tmp_path / "a", new)
    of_patients = [part for _, part in new.group_by("patient", maintain_order=True)]
    parts = delivered(run, tmp_path / "b", new[:0], *of_patients)
    assert parts.table().collect().equals(whole.table().collect())
    write_json(parts.summary(1), tmp_path / "a.json")
    write_json(whole.summary(1), tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_reports_in_a_delivery_do_not_move_its_distances(run, tmp_path):
    new = small_run.tags(8, 40, folder="new")
    reports = small_tree_run.tags(9, 40, kinds=("SR",), folder="new")
    alone = delivered(run, tmp_path / "a", new).summary(1)["drift"]
    both = delivered(run, tmp_path / "b", new, reports).summary(1)["drift"]
    assert both["distance"]["moved"] == pytest.approx(alone["distance"]["moved"])
    means = (drift["distance"]["largest"][0]["delivery"] for drift in (both, alone))
    assert next(means) == pytest.approx(next(means))
    assert not both["distance"]["drifted"]
    assert both["clusters"]["drifted"]


@pytest.mark.parametrize("table", OF_TREES)
def test_a_tree_has_more_files(table, tmp_path):
    folder = tmp_path / "results"
    small_tree_run.write(folder, OLD[:300], SPELLINGS)
    (folder / table / "1.parquet").unlink()
    with pytest.raises(DataError, match=f"{table}/1.parquet is not there"):
        load_run(folder, "archive", None)


def test_other_words_than_the_runs_are_noticed(run):
    """A table of spellings that has changed since would put new images elsewhere in silence."""
    TagEncoder(run, SPELLINGS, TABLES).require_the_runs()
    with pytest.raises(DataError, match=r"tags\.body_parts, labels\.tables"):
        TagEncoder(run, small_run.spellings(CLONE), TABLES).require_the_runs()


def test_a_run_whose_weights_are_learned_is_placed_by_these(tmp_path):
    folder = tmp_path / "results"
    small_tree_run.write(folder, OLD[:300], SPELLINGS)
    fitted = read_json(folder / "encoding.json")
    write_json(fitted, folder / "weighted.json")
    for shard in (folder / "features").iterdir():  # a column without a weight
        pl.read_parquet(shard).with_columns(Extra=pl.lit(1.0)).write_parquet(shard)
    columns = fitted["kinds"]["CT"]["columns"]
    columns[0]["weight"] *= 9
    write_json(fitted, folder / "encoding.json")
    with pytest.raises(DataError, match="made with another config"):
        load_run(folder, "archive", None)
    run = load_run(folder, "archive", None, learned=True)
    TagEncoder(run, SPELLINGS, TABLES).require_the_runs()


def test_a_label_of_another_tree_is_noticed(tmp_path):
    folder = tmp_path / "results"
    small_tree_run.write(folder, OLD[:300], SPELLINGS)
    cards = [card for card in read_json(folder / "cards.json") if card["kind"] != "MR"]
    write_json(cards, folder / "cards.json")
    with pytest.raises(DataError, match="not finished under the present one"):
        load_run(folder, "archive", None)
