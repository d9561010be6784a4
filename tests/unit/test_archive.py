import os

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.archive import Found, drawn, find, listing, shard_of, to_path, to_text
from tagsight.errors import ArchiveError


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def names(found, folder):
    return [os.path.relpath(f.path, folder) for f in found]


def test_folders_are_walked_in_order_of_names(tmp_path):
    make(tmp_path, "b", "a", "c/x", "c/d/y")
    found = list(find([tmp_path]))
    assert names(found, tmp_path) == ["a", "b", "c/x", "c/d/y"]
    assert found[2].size == 3
    assert found[2].mtime_ns == (tmp_path / "c/x").stat().st_mtime_ns


def test_a_loop_of_links_ends_and_a_pipe_is_passed_over(tmp_path):
    make(tmp_path, "c/x")
    (tmp_path / "c/up").symlink_to(tmp_path)
    (tmp_path / "c/same").symlink_to(tmp_path / "c/x")
    os.mkfifo(tmp_path / "pipe")
    assert names(find([tmp_path]), tmp_path) == ["c/same", "c/x"]


def test_a_link_that_leads_nowhere_is_listed(tmp_path):
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    assert list(find([tmp_path])) == [Found(str(tmp_path / "gone"), None, None)]


def test_a_text_list(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"a.dcm\r\n\n/abs/b\n\xff.dcm\n")
    paths = [f.path for f in find([tmp_path / "list.txt"])]
    assert paths == [f"{tmp_path}/a.dcm", "/abs/b", f"{tmp_path}/\\xff.dcm"]


@pytest.mark.parametrize(
    "text",
    ["path,size,mtime\na,3,1.5\nb,,\n", "\ufeffsize,mtime,path\n3,1.5,a\n,,b\n"],
    ids=["plain", "with a byte order mark"],
)
def test_a_csv_list(tmp_path, text):
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    a, b = find([tmp_path / "list.csv"])
    assert a == Found(f"{tmp_path}/a", 3, 1_500_000_000)
    assert b == Found(f"{tmp_path}/b", None, None)


def test_a_csv_list_without_header(tmp_path):
    (tmp_path / "list.csv").write_text("x/a.dcm,1\nb,2\n")
    assert names(find([tmp_path / "list.csv"]), tmp_path) == ["x/a.dcm", "b"]


def test_a_parquet_list(tmp_path):
    table = pl.DataFrame({"path": ["a", None, "b"], "mtime_ns": [5, 6, None]})
    table.write_parquet(tmp_path / "list.parquet")
    a, b = find([tmp_path / "list.parquet"])
    assert (a.mtime_ns, a.size, b.mtime_ns) == (5, None, None)


@pytest.mark.parametrize("name", ["list.csv", "list.parquet"])
def test_a_list_without_paths_is_refused(tmp_path, name):
    table = pl.DataFrame({"file": ["a"]})
    table.write_csv(tmp_path / "list.csv")
    table.write_parquet(tmp_path / "list.parquet")
    with pytest.raises(ArchiveError, match="no column `path`"):
        list(find([tmp_path / name]))


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(ArchiveError, match="does not exist"):
        list(find([tmp_path / "no"]))
    with pytest.raises(ArchiveError, match="no files"):
        listing([tmp_path], 4, None, 1)


def test_listing_deals_folders_to_shards(tmp_path):
    make(tmp_path, *(f"{folder}/{file}" for folder in "abcdefgh" for file in "123"))
    table = listing([tmp_path, tmp_path / "a"], 4, None, 1)
    assert table.columns == ["path", "size", "mtime_ns", "shard"]
    assert len(table) == 24
    assert table["path"].is_sorted()
    per_folder = table.group_by(pl.col("path").str.slice(0, len(str(tmp_path)) + 2))
    assert per_folder.agg(pl.col("shard").n_unique())["shard"].to_list() == [1] * 8
    assert table["shard"].n_unique() > 1


def test_shards_are_the_same_on_every_machine():
    assert [shard_of(f, 64) for f in ("/a/", "/b/", "")] == [60, 21, 52]


@given(st.permutations(range(50)), st.integers(0, 60), st.integers(0, 5))
def test_a_draw_does_not_hang_on_order(order, count, seed):
    paths = [f"p{i}" for i in range(50)]
    kept = {p for p, d in zip(paths, drawn(paths, count, seed), strict=True) if d}
    mixed = [paths[i] for i in order]
    assert kept == {p for p, d in zip(mixed, drawn(mixed, count, seed), strict=True) if d}
    assert len(kept) == min(count, 50)


def test_a_share_is_drawn():
    paths = [f"p{i}" for i in range(4000)]
    assert abs(sum(drawn(paths, 0.25, 1)) - 1000) < 120
    assert drawn(paths, 0.25, 1) != drawn(paths, 0.25, 2)


@given(st.binary(max_size=12).filter(lambda b: b"\0" not in b) | st.just(b"\\xff \xff"))
def test_every_name_has_a_text_of_its_own(data):
    path = os.fsdecode(data)
    text = to_text(path)
    text.encode()
    assert os.fsencode(to_path(text)) == data
