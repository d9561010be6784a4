import os
import shutil

import polars as pl
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tagsight.archive.sharding import listed_with_shards
from tagsight.dicom.headers import ReaderOptions
from tagsight.dicom.privacy import PIXEL_FACTS
from tagsight.errors import DataError
from tagsight.reading import part_store, shard_reader
from tagsight.reading.reader_process import ReaderProcess
from tagsight.reading.shard_reader import read_shard
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
    (folder / "notes.txt").write_text("not DICOM")
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
    first = read(archive, tmp_path / "store", table=table)
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
