import bz2
import errno
import gzip
import lzma
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import polars as pl
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tagsight.archive import expanding
from tagsight.archive.decompression import Decompressed
from tagsight.archive.sharding import listed_with_shards
from tagsight.dicom import part10
from tagsight.dicom.headers import ReaderOptions
from tagsight.dicom.privacy import PIXEL_FACTS
from tagsight.errors import DataError
from tagsight.reading import part_store, reader_process, shard_reader
from tagsight.reading.reader_process import ReaderProcess
from tagsight.reading.shard_reader import read_shard, require_all
from tagsight.run.progress import Progress
from tagsight.tags.frequencies import check_reject_limit

KEY = bytes(range(32))
NAMES = ["CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "JPEG2000.dcm", "rtdose.dcm"]


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "archive"
    for name in NAMES:
        (folder / name[:2]).mkdir(parents=True, exist_ok=True)
        shutil.copy(get_testdata_file(name, download=False), folder / name[:2] / name)
    (folder / "notes.txt").write_text("not DICOM", encoding="utf-8")
    return folder


def read(archive, store, keep=("PatientSex",), table=None):
    table = listed_with_shards([archive], 1, None, 1) if table is None else table
    wanted = ReaderOptions(keep=frozenset(keep))
    shard = read_shard(table, KEY, wanted, store, Progress(len(table), "files"))
    return shard.tags.collect(), shard.rejected


def counted(monkeypatch):
    """The paths that are read from now on."""
    calls = []

    def counting(reader, paths):
        calls.extend(paths)
        return real(reader, paths)

    real = ReaderProcess.read
    monkeypatch.setattr(ReaderProcess, "read", counting)
    return calls


def test_every_file_is_in_one_of_two_tables(archive, tmp_path):
    tags, rejected = read(archive, tmp_path / "store")
    assert len(tags) == 4
    assert sorted(rejected["reason"]) == ["no_pixels", "not_dicom"]
    assert rejected.columns == ["path", "reason", "detail"]
    both = [*tags["path"], *rejected["path"]]
    assert sorted(both) == listed_with_shards([archive], 1, None, 1)["path"].to_list()


def test_the_columns(archive, tmp_path):
    tags, _ = read(archive, tmp_path / "store")
    fixed = ["image", "instance", "series", "study", "patient", "site", "path"]
    fixed += ["duplicate_uid", "burned_in", "undrawable", "withheld"]
    assert tags.columns[:11] == fixed
    assert tags.columns[11:] == sorted(tags.columns[11:])
    assert set(PIXEL_FACTS) <= set(tags.columns)
    assert set(tags.dtypes) == {pl.String}
    assert "PatientSex" in tags.columns
    assert "PatientName" not in tags.columns
    assert tags["withheld"].str.split("\\").list.contains("PatientName").all()
    assert tags.filter(pl.col("path").str.ends_with("CT_small.dcm"))["Modality"].item() == "CT"


def test_an_empty_shard(tmp_path):
    none = pl.DataFrame(schema={"path": pl.String, "size": pl.Int64, "mtime_ns": pl.Int64})
    tags, rejected = read(None, tmp_path / "store", table=none)
    assert (len(tags), len(rejected)) == (0, 0)
    assert set(PIXEL_FACTS) <= set(tags.columns)


@pytest.mark.parametrize("known", [True, False], ids=["listed", "unlisted"])
def test_what_was_read_is_not_read_again(archive, tmp_path, monkeypatch, known):
    table = listed_with_shards([archive], 1, None, 1)
    if not known:
        table = table.with_columns(size=pl.lit(None, pl.Int64), mtime_ns=pl.lit(None, pl.Int64))
    packed_file = archive / "packed.dcm.gz"
    packed_file.write_bytes(gzip.compress((archive / "CT/CT_small.dcm").read_bytes()))
    os.utime(packed_file, ns=(7, 7))
    more = {"path": [str(packed_file)], "size": [packed_file.stat().st_size], "mtime_ns": [7]}
    more = pl.DataFrame(more) if known else pl.DataFrame({"path": more["path"]})
    table = pl.concat([table, more], how="diagonal")
    first = read(archive, tmp_path / "store", table=table)
    assert str(packed_file) in first[0]["path"].to_list()
    calls = counted(monkeypatch)
    again = read(archive, tmp_path / "store", table=table)
    assert calls == []
    assert first[0].equals(again[0])
    assert first[1].equals(again[1])


def test_a_grown_and_changed_archive_costs_only_what_changed(archive, tmp_path, monkeypatch):
    read(archive, tmp_path / "store")
    shutil.copy(archive / "MR/MR_small.dcm", archive / "new.dcm")
    os.utime(archive / "CT/CT_small.dcm", ns=(1, 1))
    (archive / "rt/rtdose.dcm").unlink()
    calls = counted(monkeypatch)
    tags, rejected = read(archive, tmp_path / "store")
    assert sorted(os.path.basename(path) for path in calls) == ["CT_small.dcm", "new.dcm"]
    fresh = read(archive, tmp_path / "other")
    assert tags.equals(fresh[0])
    assert rejected.equals(fresh[1])


def test_a_killed_reader_goes_on_where_it_was(archive, tmp_path, monkeypatch):
    whole = read(archive, tmp_path / "whole")
    monkeypatch.setattr(shard_reader, "ROWS", 2)
    monkeypatch.setattr(shard_reader, "BATCH", 1)
    real, calls = ReaderProcess.read, []

    def dying(reader, paths):
        calls.extend(paths)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return real(reader, paths)

    monkeypatch.setattr(ReaderProcess, "read", dying)
    with pytest.raises(KeyboardInterrupt):
        read(archive, tmp_path / "store")
    monkeypatch.setattr(ReaderProcess, "read", real)
    calls = counted(monkeypatch)
    after = read(archive, tmp_path / "store")
    assert len(calls) == 2
    assert after[0].equals(whole[0])
    assert after[1].equals(whole[1])


@pytest.mark.parametrize("harm", ["cut", "flipped", "empty", "other"])
def test_a_damaged_part_is_read_again(archive, tmp_path, monkeypatch, caplog, harm):
    """It never blocks a run, and never gives another value."""
    monkeypatch.setattr(shard_reader, "ROWS", 2)
    monkeypatch.setattr(shard_reader, "BATCH", 1)
    whole = read(archive, tmp_path / "store")
    part = sorted((tmp_path / "store").rglob("part-*.parquet"))[1]
    data = bytearray(part.read_bytes())
    if harm == "flipped":
        data[200] ^= 1
    harmed = {"cut": data[:-50], "flipped": data, "empty": b"", "other": b"PAR1 of others"}
    part.write_bytes(harmed[harm])
    calls = counted(monkeypatch)
    with caplog.at_level("WARNING", "tagsight"):
        again = read(archive, tmp_path / "store")
    assert len(calls) == 2
    assert "of an earlier try is damaged" in caplog.text
    assert again[0].equals(whole[0])
    assert again[1].equals(whole[1])


def test_a_store_is_of_one_key_and_one_keep(archive, tmp_path):
    kept, _ = read(archive, tmp_path / "store", keep=["PatientSex"])
    left, _ = read(archive, tmp_path / "store", keep=[])
    assert "PatientSex" in kept.columns
    assert "PatientSex" not in left.columns


def test_the_store_holds_no_identifying_value(archive, tmp_path):
    read(archive, tmp_path / "store")
    dataset = dcmread(archive / "CT/CT_small.dcm")
    for part in (tmp_path / "store").rglob("*.parquet"):
        table = pl.read_parquet(part).drop("path", "size", "mtime_ns")
        text = "\n".join(str(v) for column in table for v in column.drop_nulls())
        for secret in (dataset.PatientName, dataset.SOPInstanceUID, dataset.SeriesInstanceUID):
            assert str(secret) not in text


def test_what_may_pass_is_tried_again(archive, tmp_path):
    table = listed_with_shards([archive], 1, None, 1)
    gone = archive / "MR/MR_small.dcm"
    away = gone.rename(tmp_path / "away")
    _, rejected = read(archive, tmp_path / "store", table=table)
    assert "vanished" in rejected["reason"].to_list()
    away.rename(gone)
    tags, rejected = read(archive, tmp_path / "store", table=table)
    assert "vanished" not in rejected["reason"].to_list()
    assert str(gone) in tags["path"].to_list()


def test_copies(archive, tmp_path):
    """In a folder the same bytes are taken once, other bytes twice; other folders are apart."""
    original = archive / "MR/MR_small.dcm"
    shutil.copy(original, archive / "MR/a copy.dcm")
    shutil.copy(original, archive / "CT/MR_small.dcm")
    dataset = dcmread(archive / "CT/CT_small.dcm")
    dataset.KVP = 99
    dataset.save_as(archive / "CT/other.dcm")
    tags, rejected = read(archive, tmp_path / "store")
    assert tags["image"].n_unique() == len(tags) == 6
    assert rejected.filter(reason="duplicate")["path"].to_list() == [f"{archive}/MR/a copy.dcm"]
    shared = tags.filter(duplicate_uid="yes")["path"].to_list()
    assert shared == [f"{archive}/CT/CT_small.dcm", f"{archive}/CT/other.dcm"]


def test_the_result_does_not_hang_on_the_number_of_shards(archive, tmp_path):
    shutil.copy(archive / "MR/MR_small.dcm", archive / "CT/MR_small.dcm")
    one = read(archive, tmp_path / "one")
    table = listed_with_shards([archive], 3, None, 1)
    parts = [read(archive, tmp_path / str(s), table=table.filter(shard=s)) for s in range(3)]
    together = pl.concat([tags for tags, _ in parts], how="diagonal").sort("path")
    assert together.select(sorted(together.columns)).equals(one[0].select(sorted(one[0].columns)))
    assert sum(len(rejected) for _, rejected in parts) == len(one[1])


def test_the_limit_of_rejects():
    reasons = pl.DataFrame({"reason": ["not_dicom"] * 4 + ["truncated"] * 2})
    check_reject_limit(reasons.head(5), 10, 0.5)
    with pytest.raises(DataError, match=r"limit: 6 of 10 .*\(not_dicom 4, truncated 2\)"):
        check_reject_limit(reasons, 10, 0.5)


def test_members_of_containers(archive, tmp_path):
    """A tar and a zip are read where they are; what they hold is as if it were unpacked."""
    plain, _ = read(archive, tmp_path / "one")
    packed = tmp_path / "packed"
    packed.mkdir()
    for kind in ("tar", "zip"):
        shutil.make_archive(str(packed / kind), kind, archive)
    tags, rejected = read(packed, tmp_path / "two")
    assert len(tags) == 2 * len(plain)
    assert tags["path"].str.contains(r"^[^!]*\.(tar|zip)![^!]*$").all()
    values = [n for n in plain.columns if n not in ("image", "path")]
    both = plain.select(values).sort(values)
    for kind in ("tar", "zip"):
        some = tags.filter(pl.col("path").str.contains(f".{kind}!", literal=True))
        assert some.select(values).sort(values).equals(both)
    assert sorted(rejected["reason"]) == ["no_pixels", "no_pixels", "not_dicom", "not_dicom"]


def test_a_harmless_file_counts_neither_way():
    """A Mac's zip is half of its own files: they are no half of an archive."""
    reasons = pl.DataFrame({"reason": ["system_file"] * 50 + ["dicomdir"] * 2 + ["truncated"] * 2})
    check_reject_limit(reasons, 56, 0.5)
    with pytest.raises(DataError, match=r"limit: 2 of 3 .*\(truncated 2\)"):
        check_reject_limit(reasons, 55, 0.5)


def packed(path, names, how=zipfile.ZIP_DEFLATED):
    """A zip of test files under these names."""
    with zipfile.ZipFile(path, "w", how) as made:
        for name, source in names.items():
            made.writestr(name, source if isinstance(source, bytes) else source.read_bytes())
    return path.read_bytes()


def test_what_a_file_is_its_first_bytes_say(archive, tmp_path):
    """Whatever it is called: compressed files, containers, containers in containers."""
    plain, _ = read(archive, tmp_path / "one")
    ct, mr = archive / "CT/CT_small.dcm", archive / "MR/MR_small.dcm"
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "ct.dcm.gz").write_bytes(gzip.compress(ct.read_bytes()))
    (odd / "ct.dcm.bz2").write_bytes(bz2.compress(ct.read_bytes()))
    (odd / "ct.xz.dcm").write_bytes(lzma.compress(ct.read_bytes()))
    (odd / "image.zip").write_bytes(ct.read_bytes())
    (odd / "image.tar.gz").write_bytes(ct.read_bytes())
    (odd / "image.tgz").write_bytes(gzip.compress(ct.read_bytes()))
    shutil.make_archive(str(odd / "plain"), "tar", archive, "MR")
    (odd / "plain.tar").rename(odd / "plain.tgz")
    shutil.make_archive(str(odd / "packed"), "gztar", archive, "MR")
    (odd / "packed.tar.gz").rename(odd / "packed.tar")
    shutil.copy(odd / "packed.tar", odd / "without suffix")
    inner = packed(odd / "study.dcm", {"mr": mr, "more/mr": gzip.compress(mr.read_bytes())})
    packed(odd / "nested.zip", {"a.zip": inner, "b.bin": inner, "c.dcm": mr})
    tags, rejected = read(odd, tmp_path / "two")
    assert set(rejected["reason"]) == {"duplicate"}
    found = [path.removeprefix(f"{odd}/") for path in (*tags["path"], *rejected["path"])]
    assert sorted(found) == sorted(
        [
            *("ct.dcm.gz", "ct.dcm.bz2", "ct.xz.dcm", "image.zip", "image.tar.gz", "image.tgz"),
            *("plain.tgz!MR/MR_small.dcm", "packed.tar!MR/MR_small.dcm"),
            *("without suffix!MR/MR_small.dcm", "study.dcm!more/mr", "study.dcm!mr"),
            *("nested.zip!a.zip!more/mr", "nested.zip!a.zip!mr"),
            *("nested.zip!b.bin!more/mr", "nested.zip!b.bin!mr", "nested.zip!c.dcm"),
        ]
    )
    values = ["instance", "patient", "Modality", "Rows"]
    expected = plain.filter(pl.col("Modality").is_in(["CT", "MR"])).select(values)
    assert set(tags.select(values).rows()) == set(expected.rows())
    again, _ = read(odd, tmp_path / "two")
    assert again.equals(tags)


def test_what_systems_leave_behind_is_told_apart(archive, tmp_path):
    """By name, once it is no DICOM by what it holds; an image of such a name is an image."""
    ct, mr = archive / "CT/CT_small.dcm", archive / "MR/MR_small.dcm"
    mac = tmp_path / "mac"
    mac.mkdir()
    half = b"\0\x05\x16\x07\0\2\0\0Mac OS X" + bytes(200)
    names = {"a.dcm": ct, "__MACOSX/._a.dcm": half, ".DS_Store": b"\0\0\0\1Bud1", "._b.dcm": mr}
    packed(mac / "mac.zip", names | {"__MACOSX/x": half, "Thumbs.db": b"", "notes": b"text"})
    (mac / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(300))
    tags, rejected = read(mac, tmp_path / "store")
    assert [path.rpartition("!")[2] for path in tags["path"]] == ["._b.dcm", "a.dcm"]
    told = {re.split("[!/]", path, maxsplit=0)[-1]: why for path, why, _ in rejected.rows()}
    assert told.pop("notes") == "not_dicom"
    assert set(told.values()) == {"system_file"}
    assert len(rejected) == 6


def test_more_containers_than_are_kept_open_lose_nothing(archive, tmp_path, monkeypatch):
    """The way to a member is not the member's time, and takes as long as it takes."""
    folder = tmp_path / "packed"
    folder.mkdir()
    for number in range(6):
        shutil.make_archive(str(folder / f"{number}"), "bztar", archive)
    monkeypatch.setattr(reader_process, "SECONDS", 1.0)
    monkeypatch.setattr(shard_reader, "MAX_PLAIN", 0)
    real = Decompressed._unpack
    monkeypatch.setattr(Decompressed, "_unpack", lambda self: time.sleep(0.4) or real(self))
    tags, rejected = read(folder, tmp_path / "store")
    assert len(tags) == 6 * 4
    assert set(rejected["reason"]) == {"no_pixels", "not_dicom"}


def test_a_large_container_is_gone_through_again_only_where_it_changed(
    archive, tmp_path, monkeypatch
):
    """Which takes as long as to unpack it."""
    monkeypatch.setattr(expanding, "LARGE", 1)
    folder = tmp_path / "packed"
    folder.mkdir()
    shutil.make_archive(str(folder / "a"), "bztar", archive)
    shutil.copy(folder / "a.tar.bz2", folder / "b.dcm")
    first = read(folder, tmp_path / "store")
    calls = counted(monkeypatch)
    with monkeypatch.context() as closed:
        closed.setattr(expanding, "open_container", lambda _: os.kill(os.getpid(), 9))
        again = read(folder, tmp_path / "store")
    assert calls == []
    assert again[0].equals(first[0])
    assert again[1].equals(first[1])
    (archive / "notes.txt").unlink()
    shutil.make_archive(str(folder / "a"), "bztar", archive)
    _, rejected = read(folder, tmp_path / "store")
    assert not rejected.filter(pl.col("path").str.contains("a.tar.bz2.*notes")).height
    assert len(rejected) == len(first[1]) - 1
    with monkeypatch.context() as closed:
        closed.setattr(expanding, "open_container", lambda _: os.kill(os.getpid(), 9))
        assert read(folder, tmp_path / "store")[1].equals(rejected)


NO_ROOM = """
import resource, sys, polars as pl
from pathlib import Path
from tagsight.archive import expanding
from tagsight.archive.decompression import Decompressed
from tagsight.archive.sharding import listed_with_shards
from tagsight.dicom import part10
from tagsight.dicom.headers import ReaderOptions
from tagsight.reading import shard_reader
from tagsight.run.progress import Progress
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[3]), int(sys.argv[3])))
shard_reader.MAX_PLAIN = 0
table = listed_with_shards([Path(sys.argv[1])], 1, None, 1)
shard = shard_reader.read_shard(
    table, bytes(32), ReaderOptions(), Path(sys.argv[2]), Progress(len(table), "files")
)
print(shard.tags.collect().height, len(shard.rejected))
"""


@pytest.mark.parametrize("handles", [64, 256])
def test_few_open_files_are_no_fault_of_the_files(archive, tmp_path, handles):
    """macOS begins with 256, of which a batch took all."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}").mkdir()
        os.link(archive / "CT/CT_small.dcm", folder / f"{number}/a.dcm")
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM, str(folder), str(tmp_path / "store"), str(handles)],
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.stdout.split() == ["300", "0"], done.stderr


def failing(monkeypatch, number, name, times):
    """Have the system fail at reading a file, so many times."""
    real, left = os.preadv, [times]

    def preadv(descriptor, *rest):
        if left[0] and os.readlink(f"/proc/self/fd/{descriptor}").endswith(name):
            left[0] -= 1
            raise OSError(number, os.strerror(number))
        return real(descriptor, *rest)

    monkeypatch.setattr(os, "preadv", preadv)
    plain = os.pread
    monkeypatch.setattr(
        os, "pread", lambda descriptor, size, place: _first(preadv, plain, descriptor, size, place)
    )


def _first(check, plain, descriptor, size, place):
    check(descriptor, [bytearray(1)], 0)
    return plain(descriptor, size, place)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("most_plain", [0, 400], ids=["fast", "plain"])
def test_a_disk_that_fails_for_a_moment_loses_nothing(archive, tmp_path, monkeypatch, most_plain):
    monkeypatch.setattr(shard_reader, "MAX_PLAIN", most_plain)
    failing(monkeypatch, errno.EIO, "CT_small.dcm", 2)
    tags, rejected = read(archive, tmp_path / "store")
    assert sorted(rejected["reason"]) == ["no_pixels", "not_dicom"]
    assert len(tags) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("most_plain", [0, 400], ids=["fast", "plain"])
def test_a_disk_that_fails_is_said_and_tried_again(
    archive, tmp_path, monkeypatch, caplog, most_plain
):
    monkeypatch.setattr(shard_reader, "MAX_PLAIN", most_plain)
    with monkeypatch.context() as broken, caplog.at_level("WARNING", "tagsight"):
        failing(broken, errno.EIO, "CT_small.dcm", 10**6)
        _, rejected = read(archive, tmp_path / "store")
    failed = rejected.filter(reason="unreadable")
    assert failed.select("path", "detail").rows() == [
        (f"{archive}/CT/CT_small.dcm", "Input/output error")
    ]
    assert "1 file could not be read by this machine" in caplog.text
    tags, rejected = read(archive, tmp_path / "store")
    assert "unreadable" not in rejected["reason"].to_list()
    assert len(tags) == 4


def test_a_reader_that_crashed_is_tried_again(archive, tmp_path, monkeypatch):
    """A machine that is out of memory kills one, whatever the file holds."""
    with monkeypatch.context() as broken:
        broken.setattr(part10, "parse", lambda _: os.kill(os.getpid(), signal.SIGKILL))
        tags, rejected = read(archive, tmp_path / "store")
    assert (len(tags), set(rejected["reason"])) == (0, {"reader_crashed"})
    tags, _ = read(archive, tmp_path / "store")
    assert len(tags) == 4


def test_huge_files_of_one_uid_are_not_compared(archive, tmp_path, monkeypatch):
    """Two of 8 GiB, sparse: they are kept, as if they differed."""
    monkeypatch.setattr(shard_reader, "MOST_HASHED", 2**20)
    original = archive / "MR/MR_small.dcm"
    for name in ("b.dcm", "c.dcm"):
        shutil.copy(original, archive / "MR" / name)
        os.truncate(archive / "MR" / name, 2**33)
    tags, _ = read(archive, tmp_path / "store")
    assert tags.filter(duplicate_uid="yes")["path"].to_list() == [
        f"{archive}/MR/{name}" for name in ("MR_small.dcm", "b.dcm", "c.dcm")
    ]


def test_what_is_kept_for_its_tags_alone(archive, tmp_path):
    table = listed_with_shards([archive], 1, None, 1)
    wanted = ReaderOptions(undrawable=frozenset({"no_pixels"}))
    shard = read_shard(table, KEY, wanted, tmp_path / "store", Progress(5, "files"))
    tags = shard.tags.collect()
    assert tags.filter(undrawable="no_pixels")["Modality"].to_list() == ["RTPLAN"]
    assert shard.rejected["reason"].to_list() == ["not_dicom"]


def test_many_files_are_put_in_order(archive, tmp_path, monkeypatch):
    """Parts of several runs, each over the whole range of paths, come out sorted."""
    monkeypatch.setattr(shard_reader, "ROWS", 3)
    monkeypatch.setattr(shard_reader, "BATCH", 2)
    monkeypatch.setattr(part_store, "ROWS", 3)
    monkeypatch.setattr(shard_reader, "MAX_PLAIN", 0)
    original = archive / "MR/MR_small.dcm"
    for step in range(4):
        for i in range(step, 40, 4):
            (archive / f"{i % 7}").mkdir(exist_ok=True)
            shutil.copy(original, archive / f"{i % 7}/{i}.dcm")
        grown = read(archive, tmp_path / "store")
    fresh = read(archive, tmp_path / "fresh")
    assert grown[0].equals(fresh[0])
    assert grown[1].equals(fresh[1])
    assert fresh[0]["path"].is_sorted()


def part(path):
    """A part of one file, as the reader writes it."""
    row = dict.fromkeys(part_store.FIXED) | {"path": path, "size": 1, "mtime_ns": 1}
    return pl.DataFrame([row], {name: part_store.type_of(name) for name in row})


def test_two_writers_of_one_store_keep_each_others_parts(tmp_path, monkeypatch):
    one, other = part_store.Parts(tmp_path), part_store.Parts(tmp_path)
    with monkeypatch.context() as at_once:  # both have looked before either has written
        at_once.setattr(part_store.Parts, "paths", lambda _: [])
        one.add(part("a"))
        other.add(part("b"))
    assert sorted(one.index()["path"]) == ["a", "b"]
    assert one.index().equals(other.index())


STOPPED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from tagsight.reading import part_store
import test_shard_reader as here
write = part_store.write_parquet
def stopped(*args):
    os.kill(os.getpid(), signal.SIGSTOP)
    write(*args)
part_store.write_parquet = stopped
tags, rejected = here.read(Path(sys.argv[2]), Path(sys.argv[3]))
tags.write_parquet(sys.argv[4])
"""


def state_of(process):
    """R, S, T (stopped) … as in proc(5)."""
    stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
    return stat.rpartition(")")[2].split()[0]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_reader_that_is_stopped_and_goes_on_after_another_loses_nothing(archive, tmp_path):
    expected = read(archive, tmp_path / "alone")
    store, result = tmp_path / "store", tmp_path / "result.parquet"
    here = Path(__file__).parent
    command = [sys.executable, "-c", STOPPED, *map(str, (here, archive, store, result))]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(here.parents[2])})
    end = time.monotonic() + 120
    while state_of(process) != "T":
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.05)
    tags, rejected = read(archive, store)
    while process.poll() is None:  # it stops at each of its parts
        assert time.monotonic() < end
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)
    assert process.returncode == 0
    for found in (tags, pl.read_parquet(result)):
        assert found.equals(expected[0])
    assert rejected.equals(expected[1])


def test_a_table_that_lacks_an_image_is_refused(archive, tmp_path):
    table = listed_with_shards([archive], 1, None, 1)
    progress = Progress(len(table), "files")
    shard = read_shard(table, KEY, ReaderOptions(keep=frozenset()), tmp_path / "store", progress)
    tags = shard.tags.collect()
    tags.write_parquet(tmp_path / "tags.parquet")
    require_all(tmp_path / "tags.parquet", shard)
    tags[1:].write_parquet(tmp_path / "tags.parquet")
    with pytest.raises(DataError, match="another job"):
        require_all(tmp_path / "tags.parquet", shard)
