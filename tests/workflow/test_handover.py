"""What users take home of a finished run."""

import os
import stat
from pathlib import Path

import polars as pl
import pytest
from pydicom import dcmread
from running import overlay, run

UIDS = ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"]


def test_labels_have_the_uids_of_every_image(finished):
    place = finished / "results/labels.parquet"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    labels = pl.read_parquet(place)
    annotations = pl.read_csv(finished / "results/annotations.csv")
    assert labels["image"].to_list() == annotations["image"].to_list()
    for row in labels.iter_rows(named=True):
        dataset = dcmread(finished / row["path"], stop_before_pixels=True, force=True)
        assert [row[uid] for uid in UIDS] == [str(dataset.get(uid) or "") or None for uid in UIDS]


def test_no_uid_is_anywhere_else(finished):
    """Paths of pydicom's own files hold none, so none may be in any file."""
    labels = pl.read_parquet(finished / "results/labels.parquet")
    uids = {uid.encode() for name in UIDS for uid in labels[name].drop_nulls().unique()}
    places = [finished / name for name in ("results", "logs")]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    for path in files:
        if "demo" in path.parts or path.name == "labels.parquet":
            continue
        text = path.read_bytes()
        if path.suffix == ".parquet":
            text = pl.read_parquet(path).write_ndjson().encode()
        assert not [uid for uid in uids if uid in text], path


def test_the_table_to_hand_around_has_hashes(finished):
    annotations = pl.read_csv(finished / "results/annotations.csv")
    assert annotations.columns[:5] == ["image", "path", "series", "patient", "study"]
    labels = pl.read_parquet(finished / "results/labels.parquet")
    both = annotations.join(labels.select("image", *UIDS), on="image")
    for digest, uid in (("series", UIDS[1]), ("study", UIDS[2])):
        pairs = both.select(digest, uid).drop_nulls().unique()
        assert pairs[digest].is_unique().all()
        assert pairs[uid].is_unique().all()
    reasons = annotations["because"].drop_nulls().str.split("; ").explode()
    assert reasons.str.contains(r"^\w+$").all()


def test_what_was_not_taken_is_a_table_for_people(finished):
    rejected = pl.read_csv(finished / "results/rejected.csv")
    shards = pl.read_parquet(finished / "results/rejected/*.parquet")
    assert rejected.columns == ["path", "reason", "detail"]
    assert rejected["reason"].to_list() == shards["reason"].to_list()


@pytest.mark.long
def test_a_manifest_is_made_when_it_is_asked_for(copy_of_finished, tmp_path):
    config = overlay(tmp_path, manifest__per_label=20)
    done = run(copy_of_finished, config, targets=["manifest"])
    assert "results/manifest.csv" in done.stdout
    place = copy_of_finished / "results/manifest.csv"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    rows = pl.read_csv(place)
    assert rows.group_by("label").len()["len"].max() == 20
    known = rows.drop_nulls("patient").group_by("patient").agg(pl.col("split").n_unique())
    assert (known["split"] == 1).all()
    assert set(rows["split"]) == {"train", "validation", "test"}
    links = copy_of_finished / "results/manifest/links"
    for path, part, image in rows["path", "split", "image"].iter_rows():
        (made,) = (links / part).rglob(f"{image}.dcm")
        assert os.path.samefile(made, copy_of_finished / path)
    assert len(list(Path(links).rglob("*.dcm"))) == len(rows)
