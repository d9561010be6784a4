"""The VR that a file states says how its bytes are read, not what they identify."""

import struct

import pytest
from both_readers import images
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from tagsight.dicom.headers import ReaderOptions, read_header
from tagsight.reading.batch_reader import Reader

KEY = bytes(range(32))
KEEPING = ReaderOptions(keep=frozenset({"PatientAge"}))
TEXTUAL = ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC"]
TEXTUAL += ["UI", "UR", "UT"]
KEYWORDS = ["PatientID", "PatientName", "PatientBirthDate", "AccessionNumber", "PatientAge", "KVP"]
KEYWORDS += ["TableFrameOfReferenceUID", "SequenceName", "ScanOptions", "EchoTime", "Rows"]
KEYWORDS += ["ViewCodeSequence", "FrameIncrementPointer", "StationName", "SoftwareVersions"]
VALUES = ["1234567", "MILLER^JOHN", "19450312", "095Y", "2.25.12345678901234567", "HEAD", "1.5"]


def written(path, *elements):
    """A CT slice with elements of the VRs that are given: keyword, VR, text or bytes."""
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    for keyword, vr, text in elements:
        tag, data = Tag(tag_for_keyword(keyword)), text if isinstance(text, bytes) else _even(text)
        dataset._dict[tag] = RawDataElement(tag, vr, len(data), data, 0, False, True)
    dataset.save_as(path)
    return str(path)


def _even(text):
    return text.encode() + b" " * (len(text) % 2)


def read(folder, *elements):
    """Read by both readers, which agree."""
    path = written(folder / "f", *elements)
    image = read_header(path, KEY, KEEPING)
    assert images(Reader(KEY, KEEPING), [path])[path][0] == image
    return image


@pytest.mark.parametrize("vr", ["CS", "ST", "IS", "DS", "LT", "UT", "LO", "PN"])
@pytest.mark.parametrize("keyword", ["PatientID", "AccessionNumber", "PatientBirthDate"])
def test_a_number_of_a_person_identifies_whatever_vr_the_file_states(tmp_path, keyword, vr):
    image = read(tmp_path, (keyword, vr, "19450312"), ("SequenceName", "SH", "19450312"))
    assert "SequenceName" in image.withheld


@pytest.mark.parametrize("vr", ["CS", "ST", "UT", "LO", "SH"])
def test_a_name_is_looked_for_in_parts_whatever_vr_the_file_states(tmp_path, vr):
    image = read(tmp_path, ("PatientName", vr, "MILLER JOHN"), ("SequenceName", "SH", "MILLER"))
    assert "SequenceName" in image.withheld


@pytest.mark.parametrize("vr", ["LO", "SH", "CS", "ST"])
@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("TableFrameOfReferenceUID", "2.25.123456789012345678"),
        ("KVP", "Anna Schmidt"),
        ("EchoTime", "Anna Schmidt"),
        ("ViewCodeSequence", "Anna Schmidt"),
        ("FrameIncrementPointer", "Anna Schmidt"),
    ],
)
def test_what_the_standard_would_not_let_leave_is_withheld_in_any_vr(tmp_path, keyword, text, vr):
    assert keyword in read(tmp_path, (keyword, vr, text)).withheld


@pytest.mark.parametrize("vr", ["AS", "LO", "SH", "CS", "ST"])
def test_the_oldest_have_one_age_whatever_vr_the_file_states(tmp_path, vr):
    assert read(tmp_path, ("PatientAge", vr, "095Y")).values["PatientAge"] == "090Y"


@pytest.mark.parametrize("vr", ["PN", "UI"])
def test_the_vr_that_the_file_states_can_withhold_too(tmp_path, vr):
    assert "SequenceName" in read(tmp_path, ("SequenceName", vr, "1.2.3.4")).withheld


def test_a_number_in_another_vr_of_numbers_is_kept(tmp_path):
    image = read(tmp_path, ("KVP", "FD", struct.pack("<d", 120.5)), ("EchoTime", "IS", "12"))
    assert (image.values["KVP"], image.values["EchoTime"]) == ("120.5", "12")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    elements=st.lists(
        st.tuples(st.sampled_from(KEYWORDS), st.sampled_from(TEXTUAL), st.sampled_from(VALUES)),
        max_size=5,
        unique_by=lambda element: element[0],
    )
)
def test_both_readers_agree_on_any_vrs(tmp_path, elements):
    read(tmp_path, *elements)
