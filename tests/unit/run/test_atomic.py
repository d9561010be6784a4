"""Files are there whole or not at all."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagsight.errors import DataError
from tagsight.run import atomic


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    target = tmp_path / "deep" / "table.csv"
    with pytest.raises(ZeroDivisionError), atomic.writing(target) as temporary:
        temporary.write_text(str(1 / 0))
    assert list(target.parent.iterdir()) == []
    with atomic.writing(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert [path.name for path in target.parent.iterdir()] == ["table.csv"]


def test_json_cuts_floats_and_knows_numpy(tmp_path):
    content = {1: [np.float64(0.1 + 0.2), np.int32(3), None, True], "t": (1.0,)}
    atomic.write_json(content, tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text()) == {"1": [0.3, 3, None, True], "t": [1.0]}


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        atomic.write_json([math.nan], tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()


def test_what_is_not_json_is_named(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(DataError, match=r"x\.json: not JSON"):
        atomic.read_json(tmp_path / "x.json")


def test_arrays_and_tables_come_back(tmp_path):
    atomic.write_npy(np.arange(6).reshape(2, 3), tmp_path / "x.npy")
    assert np.load(tmp_path / "x.npy").tolist() == [[0, 1, 2], [3, 4, 5]]
    atomic.write_parquet(pl.DataFrame({"a": [1]}), tmp_path / "x.parquet", metadata={"key": "v"})
    assert pl.read_parquet(tmp_path / "x.parquet").rows() == [(1,)]
    assert pl.read_parquet_metadata(tmp_path / "x.parquet")["key"] == "v"


def test_parts_of_another_run_are_forgotten(tmp_path):
    for name in ("trial-01.npy", "trial-01.parquet", "trial-02.npy", "trial-02.parquet"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    atomic.forget_others([tmp_path, tmp_path / "absent"], {"trial-01"})
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["folder", "trial-01.npy", "trial-01.parquet"]


def test_what_is_not_ours_is_never_removed_nor_what_a_link_leads_to(tmp_path):
    elsewhere, ours = tmp_path / "elsewhere", tmp_path / "ours"
    for folder in (elsewhere, ours):
        folder.mkdir()
        for name in ("7.parquet", "notes.txt", "7.csv", "my 7.parquet", ".hidden"):
            (folder / name).touch()
    (ours / "8.parquet").symlink_to(elsewhere / "7.parquet")
    (tmp_path / "link").symlink_to(elsewhere)
    atomic.forget_others([ours, tmp_path / "link"], {"1"})
    left = {path.name for path in ours.iterdir()}
    assert left == {"notes.txt", "7.csv", "my 7.parquet", ".hidden", "8.parquet"}
    assert (elsewhere / "7.parquet").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_said_to_be_one(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "with_name", lambda *_: Path("/dev/full"))
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    monkeypatch.setattr(atomic, "_create", lambda _: None)
    frame = pl.DataFrame({"a": list(range(1000))})
    for write in (
        atomic.write_parquet,
        lambda table, path: atomic.write_json(table["a"].to_list(), path),
    ):
        with pytest.raises(DataError, match=r"a\.out: the disk is full"):
            write(frame, tmp_path / "a.out")


def test_what_is_private_is_the_owners_alone_from_its_first_byte_on(tmp_path):
    target = tmp_path / "table.parquet"
    with atomic.writing(target, readers="owner") as temporary:
        assert temporary.stat().st_mode & 0o777 == 0o600
        pl.DataFrame({"a": [1]}).write_parquet(temporary)
        assert temporary.stat().st_mode & 0o777 == 0o600
    assert target.stat().st_mode & 0o777 == 0o600
    target.chmod(0o644)  # of an earlier run
    atomic.write_parquet(pl.DataFrame({"a": [2]}), target, readers="owner")
    assert target.stat().st_mode & 0o777 == 0o600
    assert pl.read_parquet(target)["a"].to_list() == [2]


@pytest.mark.parametrize(
    ("mode", "file", "folder"), [("owner", 0o600, 0o700), ("group", 0o640, 0o750)]
)
def test_files_and_folders_are_as_the_share_mode_says(tmp_path, monkeypatch, mode, file, folder):
    monkeypatch.setenv("TAGSIGHT_SHARE_MODE", mode)
    monkeypatch.setenv("TAGSIGHT_UMASK", "22")
    tmp_path.chmod(0o2775)  # a folder of a group: what is made in it is the group's
    deep = tmp_path / "a" / "b"
    atomic.write_json([], deep / "x.json")
    atomic.write_parquet(pl.DataFrame({"a": [1]}), deep / "x.parquet", readers="owner")
    atomic.write_csv(pl.DataFrame({"a": [1]}), deep / "x.csv", readers="anyone")
    modes = {path.name: path.stat().st_mode & 0o777 for path in deep.iterdir()}
    assert modes == {"x.json": file, "x.parquet": 0o600, "x.csv": 0o644}
    for each in (deep, deep.parent):
        assert each.stat().st_mode & 0o7777 == 0o2000 | folder


def test_a_table_for_people_holds_nothing_that_means_something_elsewhere(tmp_path):
    texts = [
        "=1+1",
        "+49 30",
        "-x",
        "@a",
        "\t=1",
        "\r=1",
        "a\x1b[31m",
        "a\nb",
        "a\u202eb",
        "-1.5",
        'é,"',
        None,
    ]
    atomic.write_csv(
        pl.DataFrame({"=n": texts, "x": [0.123456789] * 12}).lazy(), tmp_path / "t.csv"
    )
    with open(tmp_path / "t.csv", encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["=n", "x"]
    assert [row[0] for row in rows] == [
        *("'=1+1", "'+49 30", "'-x", "'@a", "\\t=1", "\\r=1", "a\\x1b[31m", "a\\nb", "a\\u202eb"),
        *("-1.5", 'é,"', ""),
    ]
    assert {row[1] for row in rows} == {"0.123457"}
