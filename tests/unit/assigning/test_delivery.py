"""New images in an old run's clusters: what fits, what is known, what is told."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import small_run
from small_tree_run import TABLES

from tagsight.assigning.delivery import FLAT_COLUMNS, Delivery
from tagsight.assigning.encoder import TagEncoder
from tagsight.assigning.finished_run import load_run
from tagsight.errors import DataError
from tagsight.reading.shard_reader import Shard
from tagsight.run.atomic import write_json

CLONE = Path(__file__).parents[3]
TABLE = small_run.spellings(CLONE)
OLD = small_run.tags(1, 240)
REJECTED = dict.fromkeys(("path", "reason", "detail"), pl.String)
FOREIGN = {
    "Modality": "OPT",
    "BodyPartExamined": "EYE",
    "Manufacturer": "Topcon",
    **dict.fromkeys(("KVP", "Exposure", "EchoTime")),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "results"
    small_run.write(folder, OLD, TABLE)
    return load_run(folder, "archive", None)


def delivered(run, folder, *parts, rejected=()):
    delivery = Delivery(run, folder / "assigned")
    encoder = TagEncoder(run, TABLE, TABLES)
    for tags in parts:
        refused = pl.DataFrame({"path": "x", "reason": list(rejected), "detail": ""}, REJECTED)
        shard = Shard(tags.lazy(), refused, len(tags))
        delivery.add(shard, encoder.encode(shard.tags))
    return delivery


def test_images_are_put_where_the_run_would_have_put_them(run, tmp_path):
    delivery = delivered(run, tmp_path, OLD[:100], OLD[100:])
    found = delivery.table().collect()
    assert found.columns == list(FLAT_COLUMNS)
    assert found["image"].to_list() == OLD["image"].to_list()
    assert found["path"].to_list() == OLD["path"].to_list()
    before = pl.read_parquet(run.folder / "annotations/*.parquet")
    both = found.join(before, on="image", how="left", maintain_order="left")
    for column in ("cluster", "distance", "margin", "second", "because"):
        assert both[column].equals(both[f"{column}_right"])
    assert found["name"].to_list() == [f"kind {c}" for c in found["cluster"]]
    assert found["known"].all()
    summary = delivery.summary(1)
    assert (summary["new"], summary["known"]) == (0, len(OLD))
    assert summary["drift"] == {"drifted": None, "patients": 0, "run_patients": 160}
    assert summary["result"] == f"No new images ({len(OLD):,} were known, 0 files not taken)."


def test_a_foreign_image_fits_none_and_images_like_the_runs_do(run, tmp_path):
    new = small_run.tags(2, 80, folder="new")
    foreign = (
        new[:1]
        .with_columns(pl.lit("foreign").alias(name) for name in ("image", "instance"))
        .with_columns(pl.lit(text, pl.String).alias(keyword) for keyword, text in FOREIGN.items())
    )
    delivery = delivered(run, tmp_path, new, foreign, rejected=["not_dicom"])
    found = delivery.table().collect()
    assert found.filter(image="foreign").select("fits", "unseen").row(0) == (
        False,
        "Modality; BodyPartExamined; Manufacturer",
    )
    assert found.filter(image="foreign")["pvalue"][0] <= 0.01  # by its distance already
    assert found.filter(pl.col("image") != "foreign")["fits"].mean() > 0.97
    summary = delivery.summary(1)
    assert summary["new"] == len(new) + 1
    assert summary["fit_none"] == (~found["fits"]).sum() >= 1
    assert summary["rejected"] == {"not_dicom": 2}
    assert delivery.rejected().collect()["reason"].to_list() == ["not_dicom"] * 2
    assert summary["unseen"] == {"BodyPartExamined": 1, "Manufacturer": 1, "Modality": 1}
    assert sum(row["new"] for row in summary["clusters"]) == summary["new"]
    assert [row["name"] for row in summary["clusters"]] == ["kind 1", "kind 2", "kind 3"]
    assert summary["drift"]["drifted"] is False
    assert summary["warning"] is None
    assert summary["result"].startswith(
        f"{summary['new']:,} new images, {summary['fit_none']} of which"
    )
    assert (
        f"and {summary['new_values']} have values that the run has not (0 were" in summary["result"]
    )
    assert summary["result"].endswith("The delivery as a whole has not drifted from the run.")


def test_an_image_of_a_kind_that_the_run_has_not_fits_none_however_near(run, tmp_path):
    new = small_run.tags(2, 20).with_columns(Modality=pl.lit("OPT"))
    found = delivered(run, tmp_path, new).table().collect()
    assert found["pvalue"].max() > 0.4
    assert not found["fits"].any()
    assert set(found["unseen"]) == {"Modality"}


def test_an_image_of_a_kind_that_all_of_the_run_share_is_of_another(tmp_path):
    """The encoding has no column of what all images share."""
    only = small_run.tags(1, 60, kinds=("CT",))
    small_run.write(tmp_path / "results", only, TABLE)
    run = load_run(tmp_path / "results", "archive", None)
    assert "Modality" not in {column.keyword for column in run.tree.columns}
    new = small_run.tags(2, 10, kinds=("CT",), folder="new")
    other = small_run.tags(3, 10, kinds=("CT",), folder="new").with_columns(Modality=pl.lit("PT"))
    found = delivered(run, tmp_path, new, other).table().collect()
    of_other = found["image"].is_in(other["image"].implode())
    assert found.filter(~of_other)["fits"].mean() > 0.9
    assert not found.filter(of_other)["fits"].any()
    assert found.filter(of_other)["unseen"].to_list() == ["Modality"] * len(other)


def test_a_number_that_the_run_has_not_is_told_and_counts_as_the_end_of_the_range(run, tmp_path):
    new = small_run.tags(2, 80, folder="new")
    ct = pl.col("Modality") == "CT"
    most = OLD["Exposure"].cast(pl.Int64).max()
    far, end = (
        new.with_columns(Exposure=pl.when(ct).then(pl.lit(f"{number}")).otherwise("Exposure"))
        for number in (most * 1000, most)
    )
    delivery = delivered(run, tmp_path / "far", far)
    found = delivery.table().collect()
    at_end = delivered(run, tmp_path / "end", end).table().collect()
    assert found.drop("beyond").equals(at_end.drop("beyond"))  # the distance does not tell it
    is_ct = new.select(ct).to_series()
    assert found.filter(is_ct)["beyond"].str.contains("Exposure").fill_null(False).all()
    assert not at_end["beyond"].str.contains("Exposure").any()
    figures = delivery.summary(1)
    assert figures["beyond"]["Exposure"] == is_ct.sum() <= figures["new_values"]
    assert figures["drift"]["beyond"]["drifted"]
    assert figures["drift"]["beyond"]["largest"][0]["name"] == "Exposure"
    assert "numbers beyond the run's range or at its ends (Exposure" in figures["warning"]


def test_a_copy_elsewhere_is_known(run, tmp_path):
    """Under another path an image has another hash."""
    copies = small_run.tags(1, 240, folder="copy")
    assert not set(copies["image"]) & set(OLD["image"])
    new = small_run.tags(4, 30, folder="new")
    summary = delivered(run, tmp_path, copies, new).summary(1)
    assert (summary["known"], summary["new"]) == (len(OLD), len(new))


def test_one_new_image_is_told_of_as_one(run, tmp_path):
    summary = delivered(run, tmp_path, small_run.tags(2, 1, folder="new")[:1]).summary(1)
    assert summary["result"].startswith("1 new image, ")
    assert summary["result"].endswith("is too small to tell whether it has drifted from the run.")


def test_a_delivery_of_one_kind_has_drifted(run, tmp_path):
    new = small_run.tags(3, 40, kinds=("MR",))
    summary = delivered(run, tmp_path, new).summary(1)
    assert summary["drift"]["clusters"]["drifted"]
    assert summary["fit_none_share"] < 0.05
    assert "their clusters (kind" in summary["warning"]
    assert "has drifted" in summary["result"]


def test_known_images_count_neither_as_new_nor_for_drift(run, tmp_path):
    new = small_run.tags(4, 30)
    alone = delivered(run, tmp_path / "a", new).summary(1)
    both = delivered(run, tmp_path / "b", OLD[:200], new).summary(1)
    assert both["known"] == 200
    assert {k: v for k, v in both.items() if k not in ("result", "images", "known")} == {
        k: v for k, v in alone.items() if k not in ("result", "images", "known")
    }


def test_parts_make_no_difference(run, tmp_path):
    new = small_run.tags(5, 30)
    whole = delivered(run, tmp_path / "a", new)
    of_patients = [part for _, part in new.group_by("patient", maintain_order=True)]
    parts = delivered(run, tmp_path / "b", new[:0], *of_patients)
    assert parts.table().collect().equals(whole.table().collect())
    write_json(parts.summary(1), tmp_path / "a.json")
    write_json(whole.summary(1), tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_images_of_unknown_patients_and_series_are_taken(run, tmp_path):
    unknown = [pl.lit(None, pl.String).alias(c) for c in ("patient", "study", "series")]
    new = small_run.tags(6, 20).with_columns(unknown)
    delivery = delivered(run, tmp_path, new)
    assert delivery.table().collect()["series"].null_count() == len(new)
    assert delivery.summary(1)["drift"]["patients"] == len(new)


def test_a_delivery_without_an_image_says_why(run, tmp_path):
    delivery = delivered(run, tmp_path, OLD[:0], rejected=["not_dicom", "empty_file", "not_dicom"])
    with pytest.raises(DataError, match=r"assign.input: .*\(not_dicom 2, empty_file 1\)"):
        delivery.table()


def test_images_of_new_patients_fit_none_about_as_often_as_stated(run, tmp_path):
    """A hundred patients of the run's kind: one image in a hundred at most is expected."""
    rates = [
        1
        - delivered(run, tmp_path / str(s), small_run.tags(s, 100)).table().collect()["fits"].mean()
        for s in range(10, 16)
    ]
    assert np.mean(rates) <= 0.02
