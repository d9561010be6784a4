"""Files are there whole or not at all."""

import csv
import errno
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file as load_numpy
from safetensors.numpy import save_file as save_numpy

from tagsight.errors import DataError
from tagsight.run import atomic


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    target = tmp_path / "deep" / "table.csv"
    with pytest.raises(ZeroDivisionError), atomic.writing(target) as temporary:
        temporary.write_text(str(1 / 0), encoding="utf-8")
    assert list(target.parent.iterdir()) == []
    with atomic.writing(target) as temporary:
        temporary.write_text("whole", encoding="utf-8")
        assert not target.exists()
    assert target.read_text(encoding="utf-8") == "whole"
    assert [path.name for path in target.parent.iterdir()] == ["table.csv"]


def test_json_cuts_floats_and_knows_numpy(tmp_path):
    content = {1: [np.float64(0.1 + 0.2), np.int32(3), None, True], "t": (1.0,)}
    atomic.write_json(content, tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {
        "1": [0.3, 3, None, True],
        "t": [1.0],
    }


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        atomic.write_json([math.nan], tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()


def test_what_is_not_json_is_named(tmp_path):
    (tmp_path / "x.json").write_text("{", encoding="utf-8")
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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_to_be_one(tmp_path, number):
    """By an error of the system, by the text that libraries in Rust make of it, as a cause."""

    def caused():
        try:
            raise OSError(number, "full")
        except OSError as error:
            raise RuntimeError("could not write") from error

    def told():
        raise pl.exceptions.ComputeError(f"{os.strerror(number)} (os error {number})")

    def write(fail):
        with atomic.writing(tmp_path / "a.out") as temporary:
            temporary.write_text("half of it", encoding="utf-8")
            fail()

    for fail in (caused, told):
        with pytest.raises(DataError, match=r"a\.out: the disk is full"):
            write(fail)
        assert list(tmp_path.iterdir()) == []


WRITERS = {
    "parquet": "atomic.write_parquet(frame, 'a.parquet')",
    "streamed": "atomic.stream_parquet(frame.lazy(), 'a.parquet')",
    "json": "atomic.write_json(frame['a'].to_list(), 'a.json')",
    "array": "atomic.write_npy(array, 'a.npy')",
    "arrays": "by(lambda path: np.savez(path.open('wb'), array))",
    "weights": "by(lambda path: save_file({'a': array}, path))",
    "torch": "by(lambda path: torch.save(torch.from_numpy(array), path))",
    "state": "atomic.write_state(array.tobytes(), 'a.state')",
}
WITHOUT_ROOM = """
import resource
import numpy as np
import polars as pl
import torch
from safetensors.numpy import save_file
from tagsight.errors import DataError
from tagsight.run import atomic

def by(library):
    with atomic.writing("a.out") as temporary:
        library(temporary)

array = np.random.default_rng(1).random(100_000)
frame = pl.DataFrame({"a": array})
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
for write in WRITERS.values():
    try:
        eval(write)
    except DataError as error:
        print(str(error).split(",")[0])
"""


def test_whichever_library_could_not_write_for_want_of_room(tmp_path):
    """Each says so in its own way, some not at all: a quota, or `ulimit -f`."""
    done = subprocess.run(
        [sys.executable, "-c", f"WRITERS = {WRITERS}\n{WITHOUT_ROOM}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(atomic.__file__).parents[2])},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    names = ["a.parquet", "a.parquet", "a.json", "a.npy", "a.out", "a.out", "a.out", "a.state"]
    assert done.stdout.splitlines() == [f"{name}: the disk is full" for name in names], done.stderr
    assert list(tmp_path.iterdir()) == []


def test_another_failure_is_not_taken_for_a_full_disk(tmp_path):
    with pytest.raises(OSError, match="Permission"), atomic.writing(tmp_path / "a"):
        raise PermissionError(13, "Permission denied")
    with pytest.raises(RuntimeError, match="odd"), atomic.writing(tmp_path / "a"):
        raise RuntimeError("odd")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_said_to_be_one(tmp_path, monkeypatch):
    """A disk that is read-only, a folder of somebody else."""
    monkeypatch.setattr(atomic, "_no_room_at", lambda _: False)
    said = r"a\.json: cannot be written \(Read-only file system\)"
    with pytest.raises(DataError, match=said), atomic.writing(tmp_path / "a.json") as temporary:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(temporary))


def sealed(folder):
    """A file of each kind that has a checksum."""
    array = np.arange(5000.0)
    atomic.write_npy(array, folder / "a.npy")
    atomic.write_parquet(pl.DataFrame({"a": array}), folder / "b.parquet", metadata={"key": "v"})
    atomic.stream_parquet(pl.LazyFrame({"a": array}), folder / "c.parquet")
    with atomic.writing(folder / "d.safetensors") as temporary:
        save_numpy({"a": array}, temporary, atomic.SEAL)
    return sorted(folder.iterdir()), array


def test_what_is_sealed_is_read_as_ever(tmp_path):
    paths, array = sealed(tmp_path)
    assert [atomic.is_damaged(path) for path in paths] == [False] * 4
    for mode in (None, "r"):
        assert np.array_equal(np.load(tmp_path / "a.npy", mmap_mode=mode), array)
    for name in ("b", "c"):
        assert np.array_equal(pl.read_parquet(tmp_path / f"{name}.parquet")["a"], array)
    assert np.array_equal(load_numpy(tmp_path / "d.safetensors")["a"], array)


@settings(max_examples=60)
@given(st.integers(0, 3), st.floats(0, 1, exclude_max=True), st.integers(0, 7))
def test_a_changed_bit_is_found_out_wherever_it_is(tmp_path_factory, which, where, bit):
    paths, _ = sealed(tmp_path_factory.mktemp("sealed"))
    data = bytearray(paths[which].read_bytes())
    place = int(where * len(data))
    data[place] ^= 1 << bit
    paths[which].write_bytes(data)
    if data.rfind(b"tagsight-crc32:") >= 0:  # else the mark itself is hit
        assert atomic.is_damaged(paths[which])


def test_a_file_of_others_is_taken_as_it_is(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "b.parquet")
    save_numpy({"a": np.zeros(3)}, tmp_path / "c.safetensors")
    names = ("a.npy", "b.parquet", "c.safetensors", "gone.npy", "")
    assert [atomic.is_damaged(tmp_path / name) for name in names] == [False] * 5


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_is_found_out(tmp_path, share):
    """Its checksum may be gone, too."""
    paths, _ = sealed(tmp_path)
    for path in paths:
        os.truncate(path, int(path.stat().st_size * share))
    assert [atomic.is_damaged(path) for path in paths] == [True] * 4


@pytest.mark.parametrize("harm", ["cut", "flipped", "empty", "other"])
def test_a_state_that_is_not_whole_is_none(tmp_path, caplog, harm):
    path = tmp_path / "state"
    atomic.write_state(b"content" * 99, path)
    assert atomic.read_state(path) == b"content" * 99
    data = bytearray(path.read_bytes())
    data[300] ^= 4
    whole = path.read_bytes()
    harmed = {"cut": whole[:-1], "flipped": bytes(data), "empty": b"", "other": b"PK" + whole}
    path.write_bytes(harmed[harm])
    with caplog.at_level("WARNING", "tagsight"):
        assert atomic.read_state(path) is None
    assert "state of an earlier try is damaged" in caplog.text
    assert not path.exists()
    assert atomic.read_state(path) is None


def test_text_is_utf8_in_any_locale(tmp_path, monkeypatch):
    """What Python takes without being told is the locale's."""
    monkeypatch.setattr("locale.getpreferredencoding", lambda _=True: "ascii")
    atomic.write_json({"name": "Übersicht · 足首"}, tmp_path / "a.json")
    atomic.write_file("Übersicht · 足首", tmp_path / "a.txt")
    assert atomic.read_json(tmp_path / "a.json") == {"name": "Übersicht · 足首"}
    assert (tmp_path / "a.txt").read_bytes().decode() == "Übersicht · 足首"
    (tmp_path / "a.json").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"a\.json: not JSON"):
        atomic.read_json(tmp_path / "a.json")


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
