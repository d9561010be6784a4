"""New images in an old run's clusters: what fits, what is known, what is told."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import small_run

from tagsight import encoding
from tagsight.assigning import COLUMNS, Delivery, listed, places, wanted
from tagsight.errors import ArchiveError, ConfigError, DataError
from tagsight.finished import finished
from tagsight.reading import Shard
from tagsight.store import write_json

CLONE = Path(__file__).parents[2]
TABLE = small_run.spellings(CLONE)
OLD = small_run.tags(1, 240)
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
    return finished(folder, "archive", None)


def delivered(run, folder, *parts, rejected=()):
    delivery = Delivery(run, folder / "assigned")
    for tags in parts:
        refused = pl.DataFrame({"reason": list(rejected)}, schema={"reason": pl.String})
        shard = Shard(tags.lazy(), refused, len(tags))
        features = encoding.apply(shard.tags, run.encoding, TABLE, run.key)
        delivery.add(shard, features)
    return delivery


def test_images_are_put_where_the_run_would_have_put_them(run, tmp_path):
    delivery = delivered(run, tmp_path, OLD[:100], OLD[100:])
    found = delivery.table().collect()
    assert found.columns == list(COLUMNS)
    assert found["image"].to_list() == OLD["image"].to_list()
    assert found["path"].to_list() == OLD["path"].to_list()
    before = pl.read_parquet(run.folder / "annotations/*.parquet")
    both = found.join(before, on="image", how="left", maintain_order="left")
    for column in ("cluster", "distance", "margin"):
        assert (both[column] == both[f"{column}_right"]).all()
    assert found["name"].to_list() == [f"kind {c}" for c in found["cluster"]]
    assert found["known"].all()
    told = delivery.told(1)
    assert (told["new"], told["known"]) == (0, len(OLD))
    assert told["drift"] == {"drifted": None, "patients": 0, "run_patients": 160}


def test_a_foreign_image_fits_none_and_images_like_the_runs_do(run, tmp_path):
    new = small_run.tags(2, 80, folder="new")
    foreign = (
        new[:1]
        .with_columns(pl.lit("foreign").alias("image"))
        .with_columns(pl.lit(text, pl.String).alias(keyword) for keyword, text in FOREIGN.items())
    )
    delivery = delivered(run, tmp_path, new, foreign, rejected=["not_dicom"])
    found = delivery.table().collect()
    assert found.filter(image="foreign").select("fits", "unseen").row(0) == (
        False,
        "Modality\\BodyPartExamined\\Manufacturer",
    )
    assert found.filter(image="foreign")["pvalue"][0] <= 0.01  # by its distance already
    assert found.filter(pl.col("image") != "foreign")["fits"].mean() > 0.97
    told = delivery.told(1)
    assert told["new"] == len(new) + 1
    assert told["fit_none"] == (~found["fits"]).sum() >= 1
    assert told["rejected"] == {"not_dicom": 2}
    assert told["unseen"] == {"BodyPartExamined": 1, "Manufacturer": 1, "Modality": 1}
    assert sum(row["new"] for row in told["clusters"]) == told["new"]
    assert [row["name"] for row in told["clusters"]] == ["kind 1", "kind 2", "kind 3"]
    assert told["drift"]["drifted"] is False
    assert told["warning"] is None
    assert told["result"].startswith(f"{told['new']:,} new images, {told['fit_none']} of which")
    assert told["result"].endswith("The delivery as a whole has not drifted from the run.")


def test_an_image_of_a_kind_that_the_run_has_not_fits_none_however_near(run, tmp_path):
    new = small_run.tags(2, 20).with_columns(Modality=pl.lit("OPT"))
    found = delivered(run, tmp_path, new).table().collect()
    assert found["pvalue"].max() > 0.4
    assert not found["fits"].any()
    assert set(found["unseen"]) == {"Modality"}


def test_a_delivery_of_one_kind_has_drifted(run, tmp_path):
    new = small_run.tags(3, 40, kinds=("MR",))
    told = delivered(run, tmp_path, new).told(1)
    assert told["drift"]["clusters"]["drifted"]
    assert told["fit_none_share"] < 0.05
    assert "their clusters (kind" in told["warning"]
    assert "has drifted" in told["result"]


def test_known_images_count_neither_as_new_nor_for_drift(run, tmp_path):
    new = small_run.tags(4, 30)
    alone = delivered(run, tmp_path / "a", new).told(1)
    both = delivered(run, tmp_path / "b", OLD[:200], new).told(1)
    assert both["known"] == 200
    assert {k: v for k, v in both.items() if k not in ("result", "images", "known")} == {
        k: v for k, v in alone.items() if k not in ("result", "images", "known")
    }


def test_parts_make_no_difference(run, tmp_path):
    new = small_run.tags(5, 30)
    whole = delivered(run, tmp_path / "a", new)
    of_series = [part for _, part in new.group_by("series", maintain_order=True)]
    parts = delivered(run, tmp_path / "b", new[:0], *of_series)
    assert parts.table().collect().equals(whole.table().collect())
    write_json(parts.told(1), tmp_path / "a.json")
    write_json(whole.told(1), tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_images_of_unknown_patients_and_series_are_taken(run, tmp_path):
    unknown = [pl.lit(None, pl.String).alias(c) for c in ("patient", "study", "series")]
    new = small_run.tags(6, 20).with_columns(unknown)
    delivery = delivered(run, tmp_path, new)
    assert delivery.table().collect()["series"].null_count() == len(new)
    assert delivery.told(1)["drift"]["patients"] == len(new)


def test_a_delivery_without_an_image_says_why(run, tmp_path):
    delivery = delivered(run, tmp_path, OLD[:0], rejected=["not_dicom", "empty_file", "not_dicom"])
    with pytest.raises(DataError, match=r"assign.input: .*\(not_dicom 2, empty_file 1\)"):
        delivery.table()


def test_where_the_new_files_are_is_checked_first(tmp_path):
    with pytest.raises(ConfigError, match=r"assign\.input: not set; .*--config"):
        places(None)
    with pytest.raises(ArchiveError, match=r"assign\.input: .*nowhere does not exist"):
        places([str(tmp_path), str(tmp_path / "nowhere")])
    assert places(str(tmp_path)) == [tmp_path]


def test_files_are_listed_in_parts_that_hold_some(tmp_path):
    new = tmp_path / "new"
    for name in ("a/1", "a/2", "b/1"):
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        (new / name).touch()
    parts = list(listed([new], 64, tmp_path / "listed"))
    assert sorted(path for part in parts for path in part["path"]) == [
        str(new / name) for name in ("a/1", "a/2", "b/1")
    ]
    assert all(len(part) for part in parts)
    assert not (tmp_path / "listed").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveError, match=r"^assign\.input: no files in"):
        list(listed([tmp_path / "empty"], 64, tmp_path / "listed"))


def test_files_are_read_as_the_runs_were():
    asked = wanted(small_run.READING, TABLE)
    assert asked.keep == frozenset(["PatientSex"])
    assert asked.undrawable == frozenset(["no_pixels"])
    assert asked.vocabulary is None
    regions = wanted(small_run.READING | {"derive_text": ["ProtocolName"]}, TABLE)
    assert regions.derive == ("ProtocolName",)
    assert regions.vocabulary.region("KNEE LEFT") == "KNEE"


def test_images_of_new_patients_fit_none_about_as_often_as_stated(run, tmp_path):
    """A hundred patients of the run's kind: one image in a hundred at most is expected."""
    rates = [
        1
        - delivered(run, tmp_path / str(s), small_run.tags(s, 100)).table().collect()["fits"].mean()
        for s in range(10, 16)
    ]
    assert np.mean(rates) <= 0.02
