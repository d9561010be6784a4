import errno
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.archive.listing import ListedFile, find
from tagsight.archive.paths import to_path, to_text
from tagsight.archive.sharding import listed_with_shards, sample_mask, shard_files, shard_of
from tagsight.errors import ArchiveError
from tagsight.run.progress import Progress

ONE_THREAD = os.environ | {"POLARS_MAX_THREADS": "1"}


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def names(found, folder):
    return [os.path.relpath(f.path, folder) for f in found]


def test_folders_are_walked(tmp_path):
    make(tmp_path, "b", "a", "c/x", "c/d/y")
    found = sorted(find([tmp_path]))
    assert names(found, tmp_path) == ["a", "b", "c/d/y", "c/x"]
    assert found[3].size == 3
    assert found[3].mtime_ns == (tmp_path / "c/x").stat().st_mtime_ns


def test_snakemakes_time_stamp_is_no_file_of_the_archive(tmp_path):
    make(tmp_path, ".snakemake_timestamp", "a/.snakemake_timestamp", "a/x", ".hidden")
    assert sorted(names(find([tmp_path]), tmp_path)) == [".hidden", "a/x"]


def test_a_loop_of_links_ends_and_a_pipe_is_passed_over(tmp_path):
    make(tmp_path, "c/x")
    (tmp_path / "c/up").symlink_to(tmp_path)
    (tmp_path / "c/same").symlink_to(tmp_path / "c/x")
    os.mkfifo(tmp_path / "pipe")
    assert sorted(names(find([tmp_path]), tmp_path)) == ["c/same", "c/x"]


@pytest.mark.parametrize("target", ["nothing", "gone"])
def test_a_link_that_leads_nowhere_is_listed(tmp_path, target):
    (tmp_path / "gone").symlink_to(tmp_path / target)
    assert list(find([tmp_path])) == [ListedFile(str(tmp_path / "gone"), None, None)]


def test_a_folder_that_may_not_be_listed_is_listed_itself(tmp_path, monkeypatch, caplog):
    make(tmp_path, "open/x", "shut/y")
    scandir = os.scandir

    def scan(folder):
        if str(folder).endswith("shut"):
            raise PermissionError(errno.EACCES, "not for you")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", scan)
    with caplog.at_level("WARNING", "tagsight"):
        assert sorted(names(find([tmp_path]), tmp_path)) == ["open/x", "shut"]
    assert "the files in them are missing: 1 (Permission denied)" in caplog.text
    assert str(tmp_path) not in caplog.text


def test_a_folder_that_a_disk_could_not_list_for_a_moment_is_listed(tmp_path, monkeypatch):
    make(tmp_path, "open/x", "slow/y")
    scandir, left = os.scandir, [1]

    def scan(folder):
        if str(folder).endswith("slow") and left.pop():
            left.append(0)
            raise OSError(errno.EIO, "for a moment")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", scan)
    assert sorted(names(find([tmp_path]), tmp_path)) == ["open/x", "slow/y"]


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
    assert a == ListedFile(f"{tmp_path}/a", 3, 1_500_000_000)
    assert b == ListedFile(f"{tmp_path}/b", None, None)


def test_a_csv_list_without_header(tmp_path):
    (tmp_path / "list.csv").write_text("x/a.dcm,1\nb,2\n", encoding="utf-8")
    assert names(find([tmp_path / "list.csv"]), tmp_path) == ["x/a.dcm", "b"]


def test_a_parquet_list(tmp_path):
    table = pl.DataFrame({"path": ["a", None, "b"], "mtime_ns": [5, 6, None]})
    table.write_parquet(tmp_path / "list.parquet")
    a, b = find([tmp_path / "list.parquet"])
    assert (a.mtime_ns, a.size, b.mtime_ns) == (5, None, None)


@pytest.mark.parametrize("name", ["list.csv", "list.parquet"])
def test_a_list_without_paths_is_rejected(tmp_path, name):
    table = pl.DataFrame({"file": ["a"]})
    table.write_csv(tmp_path / "list.csv")
    table.write_parquet(tmp_path / "list.parquet")
    with pytest.raises(ArchiveError, match="no column `path`"):
        list(find([tmp_path / name]))


def test_what_is_not_there_is_rejected(tmp_path):
    with pytest.raises(ArchiveError, match="does not exist"):
        list(find([tmp_path / "no"]))
    with pytest.raises(ArchiveError, match="no files"):
        listed_with_shards([tmp_path], 4, None, 1)


def test_files_are_of_the_site_that_they_were_reached_through(tmp_path):
    make(tmp_path, "north/a/1", "south/b/2", "else/3", "one.dcm")
    (tmp_path / "list.txt").write_text("else/3\n", encoding="utf-8")
    sites = {tmp_path / "north": "north", tmp_path / "list.txt": "south"}
    inputs = [tmp_path / name for name in ("north", "south", "list.txt", "one.dcm")]
    found = {os.path.relpath(f.path, tmp_path): f.site for f in find(inputs, sites)}
    assert found == {"north/a/1": "north", "south/b/2": None, "else/3": "south", "one.dcm": None}
    with TemporaryDirectory() as folder:
        progress = Progress(None, "files")
        parts = list(shard_files(inputs, 3, None, 1, Path(folder), progress, sites))
    dealt = pl.concat(parts)
    assert dict(dealt.select("path", "site").iter_rows()) == {
        str(tmp_path / path): site for path, site in found.items()
    }


def test_listing_deals_folders_to_shards(tmp_path):
    make(tmp_path, *(f"{folder}/{file}" for folder in "abcdefgh" for file in "123"))
    table = listed_with_shards([tmp_path, tmp_path / "a"], 4, None, 1)
    assert table.columns == ["path", "size", "mtime_ns", "site", "shard"]
    assert len(table) == 24
    assert table["path"].is_sorted()
    per_folder = table.group_by(pl.col("path").str.slice(0, len(str(tmp_path)) + 2))
    assert per_folder.agg(pl.col("shard").n_unique())["shard"].to_list() == [1] * 8
    assert table["shard"].n_unique() > 1


def test_shards_are_the_same_on_every_machine():
    assert [shard_of(f, 64) for f in ("/a/", "/b/", "")] == [60, 21, 52]


def dealt(inputs, shards, draw, seed):
    """What `shard_files` does, in memory at once."""
    found = {}
    for file in find(inputs):
        found.setdefault(file.path, file)
    paths = sorted(found)
    if draw is not None:
        paths = [p for p, d in zip(paths, sample_mask(paths, draw, seed), strict=True) if d]
    files = [[] for _ in range(shards)]
    for path in paths:
        files[shard_of(path[: path.rfind("/") + 1], shards)].append(tuple(found[path]))
    return files


@pytest.fixture(scope="module")
def a_list(tmp_path_factory):
    path = tmp_path_factory.mktemp("list") / "list.csv"
    lines = [f"f{i * 7 % 23}/{i * 31 % 100}!.dcm,{i}" for i in range(120)]
    path.write_text("\n".join(["path,size", *lines]), encoding="utf-8")
    return path


@settings(max_examples=25)
@given(
    st.integers(1, 9),
    st.none() | st.integers(0, 130) | st.floats(0, 1),
    st.integers(0, 5),
    st.integers(7, 300),
)
def test_the_stream_deals_as_all_at_once_would(a_list, shards, draw, seed, batch):
    with mock.patch("tagsight.archive.listing._BATCH", batch), TemporaryDirectory() as folder:
        progress = Progress(None, "files")
        parts = list(shard_files([a_list, a_list], shards, draw, seed, Path(folder), progress))
    assert [part.rows() for part in parts] == dealt([a_list], shards, draw, seed)
    assert all(part.columns == ["path", "size", "mtime_ns", "site"] for part in parts)
    assert progress.done == 240


DEALING = r"""
import re, sys
from pathlib import Path
from tagsight.archive.sharding import shard_files
from tagsight.run.progress import Progress

source, folder = map(Path, sys.argv[1:])
for _ in shard_files([source], 64, None, 1, folder, Progress(None, "files")):
    pass
print(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_five_times_the_files_take_little_more_memory(tmp_path):
    peaks = []
    for count in (100_000, 500_000):
        lines = (f"/archive/patient{i // 99}/series{i // 9}/image{i}.dcm\n" for i in range(count))
        (tmp_path / "list.txt").write_text("".join(lines), encoding="utf-8")
        command = [sys.executable, "-c", DEALING, tmp_path / "list.txt", tmp_path]
        done = subprocess.run(command, capture_output=True, check=True, env=ONE_THREAD)
        peaks.append(int(done.stdout) // 1024)
    assert peaks[1] < peaks[0] + 40  # as a table, 400,000 files more took 140 MB


@given(st.permutations(range(50)), st.integers(0, 60), st.integers(0, 5))
def test_a_draw_does_not_hang_on_order(order, count, seed):
    paths = [f"p{i}" for i in range(50)]
    kept = {p for p, d in zip(paths, sample_mask(paths, count, seed), strict=True) if d}
    mixed = [paths[i] for i in order]
    assert kept == {p for p, d in zip(mixed, sample_mask(mixed, count, seed), strict=True) if d}
    assert len(kept) == min(count, 50)


def test_a_share_is_drawn():
    paths = [f"p{i}" for i in range(4000)]
    assert abs(sum(sample_mask(paths, 0.25, 1)) - 1000) < 120
    assert sample_mask(paths, 0.25, 1) != sample_mask(paths, 0.25, 2)


NAMES = st.one_of(
    st.binary(max_size=12).filter(lambda b: b"\0" not in b),
    st.text("a\\x21f!é/", max_size=12).map(str.encode),
    st.just(b"\\xff \xff"),
)


@given(NAMES)
def test_every_name_has_a_text_of_its_own(data):
    text = to_text(os.fsdecode(data))
    text.encode()
    assert "!" not in text
    assert os.fsencode(to_path(text)) == data


def test_ordinary_names_are_as_they_are():
    for name in ("/a/b c.dcm", "Ünï/日本.dcm", "back\\slash"):
        assert to_text(name) == name
    assert to_text("a!b") == "a\\x21b"
