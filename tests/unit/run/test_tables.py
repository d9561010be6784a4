"""The archive's tables: shards as one, and paths without UIDs."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import generate_uid

from tagsight.run.tables import scan, without_uids


def test_shards_with_different_columns_are_one_table(tmp_path):
    pl.DataFrame({"image": ["a"], "KVP": ["120"]}).write_parquet(tmp_path / "0.parquet")
    pl.DataFrame({"image": ["b"], "EchoTime": ["9"]}).write_parquet(tmp_path / "1.parquet")
    table = scan([tmp_path / "0.parquet", tmp_path / "1.parquet"]).collect()
    assert table.to_dict(as_series=False) == {
        "image": ["a", "b"],
        "KVP": ["120", None],
        "EchoTime": [None, "9"],
    }


UID = "1.2.840.113619.2.55.3.604688119"
UUID = "550E8400-e29b-41d4-a716-446655440000"
POINTS = ("%2E", "%20", " ", ",", ", ", "+", "~", "__", "_", "-", "．", "·")


def masked(path):
    return pl.select(without_uids(pl.lit(path))).item()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/a/MR.1.3.12.2.1107.5.2.32/x-1.2.840.10008.1.2.dcm", "/a/MR.*/x-*.dcm"),
        ("/a/2.25.313397405460493088897136398784428701211.dcm", "/a/*.dcm"),
        ("/a/2.25.7/CT1.2.840.10008.1", "/a/*/CT*"),
        ("/a/1.3.12.2.1107", "/a/*"),  # cut off
        ("/a/1_2_840_113619_2_55_3_2831.dcm", "/a/*.dcm"),
        ("/a/1-2-840-113619-2-55/2_25_3133974054604.dcm", "/a/*/*.dcm"),
        ("/a/550E8400-e29b-41d4-a716-446655440000/I1", "/a/*/I1"),
        ("/a/550e8400e29b41d4a716446655440000.dcm", "/a/*.dcm"),
        ("/a/313397405460493088897136398784428701211.dcm", "/a/*.dcm"),
        ("/a/b4b1b8a2-4d2ba1f4-3cbd4ea5-1a5d5d0e-0b3a4c1d/1", "/a/*/1"),  # Orthanc's
        *((f"/a/{UID.replace('.', point)}.dcm", "/a/*.dcm") for point in POINTS),
        *((f"/a/2{point}25{point}313397405460.dcm", "/a/*.dcm") for point in POINTS),
        *((f"/a/{UUID.replace('-', point)}/1", "/a/*/1") for point in "_. "),
        ("/a/1.2.840.113619-2.55.3.604688119-971/x", "/a/*/x"),
        ("/a/x.tar!1.2.840.113619.2/y", "/a/x.tar!*/y"),
    ],
)
def test_uids_in_paths_are_masked(path, shown):
    assert masked(path) == shown


@pytest.mark.parametrize(
    "path",
    [
        "/b/v1.2.3/IM0001.dcm",
        "/b/2024-01-02/03.dcm",
        "/b/0513DC63/710385C8/596F860E/IM-0001-0001.dcm",
        "tags.csv!1234567",
        "/b/20240102120000.dcm",
        "/b/series_3_2_1.dcm",
        "/b/2024-05-06_scan 12/series 1 2 3",
        "/b/2024-05-06 12-30-45 001.dcm",
        "/1/2/3/4/5/6/7.dcm",
        "/b/1!2!3!4!5!6!7",
        "/b/20240506 1234 5678 0001",
    ],
)
def test_what_is_no_uid_stays(path):
    assert masked(path) == path


@given(
    st.sampled_from(["1.2.826.0.1.3680043.8.498.", "1.2.3.", None]),
    st.uuids(version=4),
    st.sampled_from(["{}", "{}.dcm", "CT.{}", "x-{}_1.dcm", "IM{}"]),
)
def test_no_number_of_a_uid_is_left(prefix, made_of, name):
    """Of pydicom's root, of a short one, and of a UUID."""
    uid = str(generate_uid(prefix, [str(made_of)])) if prefix else f"2.25.{made_of.int}"
    shown = masked(f"/archive/{uid}/{name.format(uid)}")
    assert "*" in shown
    assert not [number for number in uid.split(".") if len(number) > 3 and number in shown]
