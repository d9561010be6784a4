"""Files are there whole or not at all."""

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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_said_to_be_one(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "with_name", lambda *_: Path("/dev/full"))
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    frame = pl.DataFrame({"a": list(range(1000))})
    for write in (
        atomic.write_parquet,
        lambda table, path: atomic.write_json(table["a"].to_list(), path),
    ):
        with pytest.raises(DataError, match=r"a\.out: the disk is full"):
            write(frame, tmp_path / "a.out")


def test_what_is_private_is_the_owners_alone_from_its_first_byte_on(tmp_path):
    target = tmp_path / "table.parquet"
    with atomic.writing(target, private=True) as temporary:
        assert temporary.stat().st_mode & 0o777 == 0o600
        pl.DataFrame({"a": [1]}).write_parquet(temporary)
        assert temporary.stat().st_mode & 0o777 == 0o600
    assert target.stat().st_mode & 0o777 == 0o600
    target.chmod(0o644)  # of an earlier run
    atomic.write_parquet(pl.DataFrame({"a": [2]}), target, private=True)
    assert target.stat().st_mode & 0o777 == 0o600
    assert pl.read_parquet(target)["a"].to_list() == [2]
