"""Identifiers that are read again: pydicom's, and never another image's."""

import gzip
import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pydicom
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tagsight.dicom.headers import Image, ReaderOptions, read_header
from tagsight.handover.identifiers import HASHES, UIDS, file_uids, table_ids
from tagsight.reading.ready_table import Layout, open_table, shard_rows
from tagsight.reading.ready_table_tags import tags
from tagsight.run.progress import Progress

KEY = bytes(range(32))
PACKAGED = Path(pydicom.__file__).parent / "data/test_files"
REAL = Path(__file__).parents[4] / "shared/dicom"
NULL = dict.fromkeys(UIDS)


def read(paths):
    """The rows of results/tags for the images among some files."""
    found = {str(path): read_header(str(path), KEY, ReaderOptions()) for path in paths}
    images = {path: image for path, image in found.items() if isinstance(image, Image)}
    rows = [{"path": p, **{h: getattr(i, h) for h in HASHES}} for p, i in images.items()]
    return pl.DataFrame(rows, schema=dict.fromkeys(["path", *HASHES], pl.String))


def again(images, processes=2):
    counter = Progress(len(images), "images")
    found = file_uids(images, KEY, processes, counter)
    assert counter.done == len(images) == len(found)
    return found


def by_pydicom(path):
    data = Path(path).read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    dataset = dcmread(io.BytesIO(data), stop_before_pixels=True, force=True)
    return {keyword: str(dataset.get(keyword) or "").strip() or None for keyword in UIDS}


@pytest.mark.parametrize("archive", [PACKAGED, REAL], ids=["packaged", "real"])
def test_uids_are_those_that_pydicom_reads(archive):
    if not archive.is_dir():
        pytest.skip("../shared/dicom is not here")
    paths = [path for path in sorted(archive.rglob("*")) if path.is_file()]
    images = read(paths if archive == PACKAGED else paths[::7])
    assert len(images) > 50
    assert again(images).rows(named=True) == [by_pydicom(path) for path in images["path"]]


@pytest.fixture
def three(tmp_path):
    """Three images, each with UIDs of its own, in a folder."""
    paths = []
    for number in range(3):
        dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
        for keyword in UIDS:
            setattr(dataset, keyword, f"1.2.3.{number}")
        paths.append(tmp_path / f"{number}.dcm")
        dataset.save_as(paths[-1])
    return paths


def test_a_file_that_changed_or_is_gone_has_no_uids(three):
    images = read(three)
    dataset = dcmread(three[0])
    dataset.SeriesInstanceUID = "1.2.3.9"
    dataset.save_as(three[0])
    three[1].unlink()
    assert again(images).rows(named=True) == [NULL, NULL, dict.fromkeys(UIDS, "1.2.3.2")]


def test_files_that_changed_places_have_no_uids(three):
    images = read(three)
    shutil.move(three[0], three[0].with_suffix(".x"))
    shutil.move(three[1], three[0])
    shutil.move(three[0].with_suffix(".x"), three[1])
    assert again(images)["SOPInstanceUID"].to_list() == [None, None, "1.2.3.2"]


def test_of_another_key_nothing_is_said(three):
    images = read(three)
    found = file_uids(images, b"x" * 32, 1, Progress(3, "images"))
    assert found.rows(named=True) == [NULL] * 3


def test_an_image_without_a_uid_of_its_own_has_those_of_its_series(tmp_path):
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    del dataset.SOPInstanceUID
    dataset.save_as(tmp_path / "a.dcm")
    (row,) = again(read([tmp_path / "a.dcm"])).rows(named=True)
    assert row["SOPInstanceUID"] is None
    assert row["SeriesInstanceUID"] == dataset.SeriesInstanceUID


def test_members_of_containers_have_theirs_whatever_their_order(three, tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for path in reversed(three):
            tar.addfile(tarinfo(path), io.BytesIO(path.read_bytes()))
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in three:
            packed.write(path, path.name)
    names = [f"{tmp_path}/{c}!{path.name}" for path in three for c in ("b.zip", "a.tar.gz")]
    images = read([*names, *three])
    found = again(images)["SOPInstanceUID"].to_list()
    numbers = [*(n for n in range(3) for _ in range(2)), *range(3)]
    assert found == [f"1.2.3.{n}" for n in numbers]


def tarinfo(path):
    info = tarfile.TarInfo(path.name)
    info.size = path.stat().st_size
    return info


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_ids_of_a_table_are_as_they_were(tmp_path, suffix):
    stored = pl.DataFrame({"id": ["007", " 8", "nine", None, "same", " same"], "kv": ["1"] * 6})
    if suffix == "parquet":
        stored = stored.with_columns(id=pl.Series([7, 8, 9, None, 5, 5]))
    place = tmp_path / f"t.{suffix}"
    stored.write_csv(place) if suffix == "csv" else stored.write_parquet(place)
    table = open_table(place, Layout({"image": "id", "KVP": "kv"}, ()))
    (rows,) = shard_rows(table, 1)
    images = tags(rows, table, KEY, ReaderOptions()).select("image")
    found = images.join(table_ids(place, "id", KEY), on="image", how="left", maintain_order="left")
    expected = [*stored["id"][:3], None, None, None]  # what several rows have tells nothing apart
    assert found["id"].to_list() == expected
    assert found["id"].dtype == stored["id"].dtype
