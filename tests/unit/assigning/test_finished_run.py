"""A finished run: what it takes to be one, and which of its images say something of new ones."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import small_run
from small_run import READING

from tagsight.assigning.finished_run import NEEDED_FILES, SHARDED, load_run
from tagsight.errors import DataError, UserError
from tagsight.gower.metric import cross
from tagsight.tags.encoding import to_features
from tagsight.tree.encodings import FLAT

CLONE = Path(__file__).parents[3]
IMAGES = small_run.tags(1, 60)


@pytest.fixture
def folder(tmp_path):
    small_run.write(tmp_path / "results", IMAGES, small_run.spellings(CLONE))
    return tmp_path / "results"


def test_the_images_of_a_run_are_all_but_those_of_the_tuning_sample(folder):
    run = load_run(folder, "archive", None)
    found = pl.concat(run.images())
    sample = pl.read_parquet(folder / "samples/tuning.parquet")
    expected = IMAGES.filter(~pl.col("patient").is_in(sample["patient"].implode()))
    assert sorted(found["image"]) == sorted(expected["image"])
    assert set(found["person"]) == set(expected["patient"])
    assert {"label", "kind", *(column.name for column in run.tree.columns)} <= set(found.columns)
    annotated = pl.read_parquet(folder / "annotations/*.parquet")
    both = found.join(annotated, on="image")
    assert (both["cluster"] == both["cluster_right"]).all()
    assert (both["distance"] == both["distance_right"]).all()


def test_an_image_goes_to_its_nearest_medoid(folder):
    run = load_run(folder, "archive", None)
    features = pl.read_parquet(folder / "features/*.parquet")
    placed = run.place(run.with_kind(features))
    encoding = run.tree.of(FLAT)
    distances = cross(to_features(features, encoding), to_features(run.leaves, encoding))
    assert len(run.leaves) == 3
    assert (placed["cluster"].to_numpy() == distances.argmin(axis=1) + 1).all()
    assert np.array_equal(placed["distance"].to_numpy(), distances.min(axis=1))


def test_the_same_sop_instance_is_known_wherever_it_lies(folder):
    run = load_run(folder, "archive", None)
    elsewhere = IMAGES[3:5].with_columns(image=pl.lit("other"), path=pl.lit("else/where"))
    new = IMAGES[:1].with_columns(image=pl.lit("new"), instance=pl.lit("new"))
    asked = pl.concat([new, elsewhere, new, IMAGES[:1]])
    assert run.known(asked).to_list() == [False, True, True, False, True]


def test_an_instance_that_is_unknown_or_of_several_is_known_by_its_place(folder):
    """As files of a careless anonymiser are, which have one UID all together."""
    run = load_run(folder, "archive", None)
    for change in ({"instance": pl.lit(None, pl.String)}, {"duplicate_uid": pl.lit("yes")}):
        here = IMAGES[3:4].with_columns(**change)
        elsewhere = here.with_columns(image=pl.lit("other"))
        assert run.known(pl.concat([here, elsewhere])).to_list() == [True, False]
    shared = pl.read_parquet(folder / "tags/0.parquet").with_columns(duplicate_uid=pl.lit("yes"))
    shared.write_parquet(folder / "tags/0.parquet")
    elsewhere = shared[:1].with_columns(image=pl.lit("other"), duplicate_uid=pl.lit(None))
    assert run.known(elsewhere).to_list() == [False]


def test_it_says_how_its_files_were_read(folder):
    assert load_run(folder, "archive", None).reader_settings == READING


def test_values_and_kinds_are_of_all_its_images(folder):
    run = load_run(folder, "archive", None)
    kvp = IMAGES["KVP"].drop_nulls().cast(pl.Float64)
    assert run.values()[FLAT].ends["KVP"] == (kvp.min(), kvp.max())
    assert set(run.stated()["stated Modality"]) == {"CT", "MR", "CR"}


@pytest.mark.parametrize(
    "name", [*NEEDED_FILES, *(f"{table}/1.parquet" for table in SHARDED), "key"]
)
def test_what_is_missing_is_named_with_the_way_out_and_nothing_is_made(folder, name):
    (folder / name).unlink()
    before = sorted(folder.rglob("*"))
    with pytest.raises(DataError, match=f"{name} is not there: .*without `assign`.*--directory"):
        load_run(folder, "archive", None)
    assert sorted(folder.rglob("*")) == before


def test_an_empty_folder_is_no_run(tmp_path):
    with pytest.raises(DataError, match="is not there"):
        load_run(tmp_path, "archive", None)
    assert os.listdir(tmp_path) == []


def test_other_ranges_than_the_runs_are_noticed(tmp_path):
    table = small_run.spellings(CLONE)
    small_run.write(tmp_path / "results", IMAGES, table, ranges="sample")
    assert len(load_run(tmp_path / "results", "sample", None).leaves) == 3
    with pytest.raises(DataError, match=r"another config \(gower"):
        load_run(tmp_path / "results", "archive", None)


def test_a_k_that_the_annotations_are_not_of_is_noticed(folder):
    (folder / "choice.json").write_text('{"k": 2}', encoding="utf-8")
    with pytest.raises(DataError, match="not finished under the present one"):
        load_run(folder, "archive", None)


def test_another_key_is_refused(folder, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(bytes(32))
    with pytest.raises(UserError, match=r"privacy\.key_file"):
        load_run(folder, "archive", str(other))
