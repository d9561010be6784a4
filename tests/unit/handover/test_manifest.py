"""The list of images to train on, and the folder of links to them."""

import os
import stat

import polars as pl
import pytest

from tagsight.handover.manifest import COLUMNS, folder_names, link, manifest

SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}


def annotations(folder, count=40):
    """Images of two to a patient, in three clusters."""
    return pl.DataFrame(
        {
            "image": [f"{i:032x}" for i in range(count)],
            "path": [str(folder / f"{i}.dcm") for i in range(count)],
            "series": [f"s{i // 2}" for i in range(count)],
            "patient": [f"p{i // 2}" if i % 10 else None for i in range(count)],
            "study": [f"s{i // 2}" for i in range(count)],
            "cluster": [1 + i % 3 for i in range(count)],
            "name": [("CT · CHEST", "MR / T2*", "MR / T2*")[i % 3] for i in range(count)],
        }
    )


NONE = pl.DataFrame(schema={"image": pl.String})


def test_it_has_every_image_that_can_be_drawn_once(tmp_path):
    frame = annotations(tmp_path)
    found = manifest(frame, frame[:1].select("image"), None, SHARES, 1)
    assert tuple(found.columns) == COLUMNS
    assert sorted(found["image"]) == frame["image"].to_list()[1:]
    assert found["label"].dtype == pl.Int64
    assert (found["target"] == found["label"] - 1).all()
    assert found.sort("split", "label", "image").equals(found)


def test_the_label_counts_rather_than_the_cluster_and_what_does_not_fit_is_left_out(tmp_path):
    frame = annotations(tmp_path).with_columns(
        label=7 - pl.col("cluster"), fits=pl.int_range(pl.len()) != 5
    )
    found = manifest(frame, NONE, None, SHARES, 1)
    assert set(found["label"]) == {4, 5, 6}
    assert (found["target"] == found["label"] - 4).all()
    assert sorted(found["image"]) == [i for i in frame["image"] if int(i, 16) != 5]


def test_who_is_unknown_counts_by_study(tmp_path):
    frame = annotations(tmp_path).with_columns(patient=pl.lit(None, pl.String))
    found = manifest(frame, NONE, None, SHARES, 1)
    splits = found.join(frame.select("image", "study"), on="image").group_by("study")
    assert (splits.agg(pl.col("split").n_unique())["split"] == 1).all()
    assert found["split"].n_unique() == 3


def test_links_lead_to_the_files_and_every_split_has_every_label(tmp_path, monkeypatch):
    (tmp_path / "archive").mkdir()
    monkeypatch.chdir(tmp_path)
    frame = annotations(tmp_path)
    frame = frame.with_columns(path=pl.format("archive/{}.dcm", pl.int_range(pl.len())))
    for path in frame["path"]:
        (tmp_path / path).write_text(path, encoding="utf-8")
    rows = manifest(frame, NONE, None, SHARES, 1)
    assert link(rows, tmp_path / "links") == 0
    assert stat.S_IMODE((tmp_path / "links").stat().st_mode) == 0o700
    names = {"1-CT-CHEST", "2-MR-T2", "3-MR-T2"}
    for part in SHARES:
        assert {path.name for path in (tmp_path / "links" / part).iterdir()} == names
    for path, label, part, image in rows["path", "label", "split", "image"].iter_rows():
        (made,) = (tmp_path / "links" / part).glob(f"{label}-*/{image}.dcm")
        assert made.read_text(encoding="utf-8") == path
        assert os.path.isabs(os.readlink(made))
    assert len(list((tmp_path / "links").rglob("*.dcm"))) == len(rows)


def test_names_of_files_that_are_not_text_are_linked_and_members_are_counted(tmp_path, caplog):
    odd = os.fsencode(str(tmp_path)) + b"/\xff!.dcm"
    with open(odd, "wb") as file:
        file.write(b"odd")
    frame = annotations(tmp_path, 2).with_columns(
        path=pl.Series([f"{tmp_path}/\\xff\\x21.dcm", f"{tmp_path}/a.tar!member"])
    )
    rows = manifest(frame, NONE, None, SHARES, 1)
    with caplog.at_level("WARNING", "tagsight"):
        assert link(rows, tmp_path / "links") == 1
    (made,) = (tmp_path / "links").rglob("*.dcm")
    assert made.read_bytes() == b"odd"
    assert "1 of 2" in caplog.text


@pytest.mark.parametrize(
    ("labels", "folders"),
    [([1, 12], ["01-a-b", "12-a-b"]), (["CT/1", "MR"], ["CT-1-a-b", "MR-a-b"])],
)
def test_folders_are_in_the_order_of_labels(labels, folders):
    rows = pl.DataFrame({"label": labels, "name": ["a ·/ b"] * 2})
    assert list(folder_names(rows).values()) == folders
