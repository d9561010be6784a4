"""The number of shards where the config leaves it open."""

import polars as pl
import pytest

from tagsight.archive import shard_count as counting
from tagsight.archive.shard_count import remark, shard_count


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Lists of 25 rows in all forms, a folder; a shard is of 10 files."""
    monkeypatch.setattr(counting, "PER_SHARD", 10)
    paths = [f"a/{i}.dcm" for i in range(25)]
    (tmp_path / "list.txt").write_text("\n".join(paths) + "\n", encoding="utf-8")
    (tmp_path / "list.CSV").write_text("\n".join(["path", *paths[1:]]) + "\n", encoding="utf-8")
    pl.DataFrame({"path": paths}).write_parquet(tmp_path / "list.parquet")
    (tmp_path / "folder").mkdir()
    (tmp_path / "scans.zip").write_bytes(b"\n" * 99)
    return tmp_path


@pytest.mark.parametrize("name", ["list.txt", "list.CSV", "list.parquet"])
def test_rows_are_counted_of_lists_and_tables_alike(places, name):
    path = str(places / name)
    assert shard_count(path, None, None) == shard_count(None, path, None) == 3
    assert shard_count([path, path], None, None) == 5
    sites = {"here": path, "there": {"path": [path], "body_parts": path}}
    assert shard_count(sites, None, None) == 5


def test_a_draw_is_what_counts(places):
    path = str(places / "list.txt")
    assert [shard_count(path, None, draw) for draw in (11, 20, 99, 0.5, 0.1)] == [2, 2, 3, 2, 1]
    assert shard_count(str(places / "folder"), None, 31) == 4


def test_a_folder_is_one_whatever_is_in_it_and_nothing_is_opened(places):
    for number in range(50):
        (places / "folder" / f"{number}.dcm").touch()
    for alone in ("folder", "scans.zip", "absent", "absent.txt"):
        assert shard_count(str(places / alone), None, None) == 1
    assert shard_count([str(places / "folder"), str(places / "list.txt")], None, None) == 3
    assert shard_count(None, None, None) == 1


def test_what_is_no_table_is_left_to_the_job_that_reads_it(places):
    (places / "broken.parquet").write_text("no", encoding="utf-8")
    assert shard_count(str(places / "broken.parquet"), None, None) == 1


def test_there_are_never_more_than_the_schema_allows(places):
    assert shard_count(str(places / "folder"), None, 10**9) == counting.MOST


def test_too_large_shards_are_said():
    assert remark(200_000, 1) is None
    assert "`tags.shards: 3`" in remark(200_001, 1)
    assert "in 2 parts; `tags.shards: 1024`" in remark(10**9, 2)
    assert remark(10**9, 1024) is None
