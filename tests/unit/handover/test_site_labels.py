"""Labels with identifiers as they are."""

import shutil

import polars as pl
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tagsight.dicom.headers import ReaderOptions, read_header
from tagsight.handover import site_labels
from tagsight.reading.identifiers import UIDS
from tagsight.reading.ready_table import Layout, open_table, shard_rows
from tagsight.reading.ready_table_tags import tags
from tagsight.run.progress import Progress

KEY = bytes(range(32))
NAMES = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm")


@pytest.fixture
def shards(tmp_path):
    """Two shards of copies of three files: their annotations and tags."""
    made = []
    for shard in "01":
        rows = []
        for name in NAMES:
            path = tmp_path / f"{shard}-{name}"
            shutil.copy(get_testdata_file(name, download=False), path)
            options = ReaderOptions(undrawable=frozenset({"no_pixels"}))
            rows.append({"path": str(path), **read_header(str(path), KEY, options)._asdict()})
        hashes = ("image", "path", "instance", "series", "study", "patient")
        table = pl.DataFrame([{name: row[name] for name in hashes} for row in rows])
        table.write_parquet(tmp_path / f"tags-{shard}.parquet")
        annotated = table.drop("instance").with_columns(cluster=1, name=pl.lit("a"), distance=0.5)
        annotated.reverse().write_parquet(tmp_path / f"annotations-{shard}.parquet")
        made.append((tmp_path / f"annotations-{shard}.parquet", tmp_path / f"tags-{shard}.parquet"))
    return made


def test_every_image_has_its_uids_and_the_columns_that_there_are(shards):
    found = site_labels.of_files(shards, KEY, 2, Progress(6, "images"))
    assert found.columns == [*UIDS, "path", "patient", "name", "cluster", "distance", "image"]
    assert len(found) == 6
    for row in found.iter_rows(named=True):
        dataset = dcmread(row["path"])
        assert {keyword: row[keyword] for keyword in UIDS} == {k: dataset[k].value for k in UIDS}


def test_rows_without_are_counted_in_one_warning(shards, tmp_path, caplog):
    (tmp_path / "0-CT_small.dcm").unlink()
    (tmp_path / "1-MR_small.dcm").write_bytes(b"something else")
    with caplog.at_level("WARNING", "tagsight"):
        found = site_labels.of_files(shards, KEY, 1, Progress(6, "images"))
    assert found["SOPInstanceUID"].null_count() == found["StudyInstanceUID"].null_count() == 2
    (message,) = caplog.messages
    assert message.startswith("2 images have no UIDs")


def test_a_file_that_never_had_uids_is_not_counted(shards, tmp_path, caplog):
    tags = pl.read_parquet(shards[0][1])
    dataset = dcmread(tmp_path / "0-CT_small.dcm")
    for keyword in UIDS:
        del dataset[keyword]
    dataset.save_as(tmp_path / "0-CT_small.dcm")
    hashes = ("instance", "series", "study")
    without = pl.when(~pl.col("path").str.ends_with("CT_small.dcm")).then(pl.col(hashes))
    tags.with_columns(without).write_parquet(shards[0][1])
    with caplog.at_level("WARNING", "tagsight"):
        found = site_labels.of_files(shards, KEY, 1, Progress(6, "images"))
    assert found["SOPInstanceUID"].null_count() == 1
    assert caplog.messages == []


@pytest.mark.parametrize(("column", "shown"), [("uid", "uid"), ("name", "id")])
def test_of_a_table_its_own_column_is_there_under_its_name(tmp_path, caplog, column, shown):
    place, stored = tmp_path / "t.parquet", pl.DataFrame({column: [3, 1, 2], "kv": ["1", "2", "3"]})
    stored.write_parquet(place)
    table = open_table(place, Layout({"image": column, "KVP": "kv"}, ()))
    (rows,) = shard_rows(table, 1)
    annotated = tags(rows, table, KEY, ReaderOptions()).select("image", "path", "patient")
    annotated.with_columns(name=pl.lit("a")).write_parquet(tmp_path / "0.parquet")
    found = site_labels.of_table([tmp_path / "0.parquet"], place, column, KEY)
    assert found.columns == [shown, "path", "patient", "name", "image"]
    assert found[shown].to_list() == [3, 1, 2]
    stored[1:].write_parquet(place)
    with caplog.at_level("WARNING", "tagsight"):
        found = site_labels.of_table([tmp_path / "0.parquet"], place, column, KEY)
    assert found[shown].to_list() == [None, 1, 2]
    assert f"1 rows have no {shown}" in caplog.text
