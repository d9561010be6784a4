"""What leaves the reader, and that files, batches of files and tables are judged alike."""

import polars as pl
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.datadict import DicomDictionary, keyword_for_tag

from tagsight.dicom import identities, privacy
from tagsight.dicom.dictionary import DERIVED
from tagsight.dicom.headers import ReaderOptions, read_header
from tagsight.dicom.privacy import (
    WITHHELD_TEXT,
    is_for_display_only,
    is_free_text,
    is_identifying,
    is_registered,
    table_e1_keywords,
)
from tagsight.reading import column_privacy
from tagsight.reading.batch_reader import Reader

KEY = bytes(32)
PRIVATE_SYNTAX = "1.2.826.0.1.3680043.9.9999.1"


@pytest.mark.parametrize(
    "keyword",
    [
        "PatientName",
        "PatientID",
        "SOPInstanceUID",
        "StudyDate",
        "InstitutionName",
        "SeriesDescription",
        "StationName",
        "CurveData",
        "OverlayData",
        "OverlayComments",
        "PatientAge",
        "FrameOfReferenceUID",
        "DeviceSerialNumber",
        "RadiopharmaceuticalStartDateTime",
        "ReviewerName",
    ],
)
def test_identifying(keyword):
    assert is_identifying(keyword)


@pytest.mark.parametrize(
    "keyword",
    ["Modality", "Rows", "KVP", "Manufacturer", "SOPClassUID", "OverlayRows", "BodyPartExamined"],
)
def test_not_identifying(keyword):
    assert not is_identifying(keyword)


def test_keep_lets_a_keyword_through():
    assert not is_identifying("PatientAge", keep=["PatientAge"])


@pytest.mark.parametrize("keyword", ["DetectorDescription", "TextValue", "RTImageDescription"])
def test_free_text_is_withheld_wherever_it_stands(keyword):
    assert is_identifying(keyword)
    assert is_free_text(keyword)
    assert not is_identifying(keyword, keep=[keyword])
    assert is_for_display_only(keyword)


def test_what_is_left_out_as_free_text_and_what_as_identifying():
    assert all(is_free_text(keyword) for keyword in WITHHELD_TEXT)
    others = ["InstitutionAddress", "PatientName", "StudyDate", "Modality", "ProtocolNameRegion"]
    assert not any(is_free_text(keyword) for keyword in others)


def test_what_people_type_is_for_reading_and_codes_numbers_and_ages_are_not():
    assert all(is_for_display_only(keyword) for keyword in WITHHELD_TEXT)
    assert is_for_display_only("InstitutionName")
    others = ["PatientAge", "PatientSex", "PatientWeight", "StudyDate", "Modality", "ScanOptions"]
    assert not any(is_for_display_only(keyword) for keyword in others)


@pytest.mark.parametrize(("keyword", "description"), DERIVED.items())
def test_a_derived_tag_identifies_nobody(keyword, description):
    assert is_identifying(description)
    assert not is_identifying(keyword)
    assert not is_for_display_only(keyword)


def test_every_person_name_is_identifying():
    names = [keyword_for_tag(t) for t, entry in DicomDictionary.items() if entry[0] == "PN"]
    assert len(names) > 20
    assert [n for n in names if n and not is_identifying(n)] == []


def test_free_text_is_a_part_of_the_list():
    assert table_e1_keywords() >= WITHHELD_TEXT


def test_registered():
    assert is_registered("1.2.840.10008.5.1.4.1.1.2")
    assert not is_registered("1.2.840.10008.5.1.4.1.1.2\\1.2.826.0.1.3680043.1")


NAMED = {"PatientName": "DOE^JOHN", "PatientID": "0047-1199", "PatientBirthDate": "19450312"}
VRS = {"KVP": "DS", "SoftwareVersions": "LO", "StudyDescription": "LO", "ImageType": "CS"} | {
    "PatientName": "PN",
    "PatientID": "LO",
    "PatientBirthDate": "DA",
    "PatientWeight": "DS",
    "DeviceSerialNumber": "LO",
    "StudyDate": "DA",
    "SeriesDate": "DA",
    "Rows": "US",
}


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("KVP", "471199"),
        ("KVP", "80\\19450312.0"),
        ("SoftwareVersions", "made 1945-03-12"),
        ("StudyDescription", "CT of JOHN"),
        ("PatientWeight", "19450312"),
    ],
)
def test_a_value_that_repeats_what_names_the_patient_is_found_in_numbers_and_kept_tags(
    keyword, text
):
    keep = ["StudyDescription", "PatientWeight"]
    assert privacy.repeating({keyword: text}, NAMED, VRS, keep) == [keyword]


@pytest.mark.parametrize(
    ("keyword", "text", "withheld"),
    [
        ("ImageType", "ORIGINAL\\PRIMARY\\NONE", {"PatientName": "NONE"}),
        ("KVP", "1200", {"DeviceSerialNumber": "1200"}),  # short, and of no person
        ("SeriesDate", "20240102", {"StudyDate": "20240102"}),  # kept, and dates are often equal
        ("Rows", "1024", {"PatientID": "1024"}),  # without it nothing can be drawn
        ("KVP", "0.1234", {"PatientID": "1234"}),
    ],
)
def test_nothing_is_withheld_without_need(keyword, text, withheld):
    assert privacy.repeating({keyword: text}, withheld, VRS, ["SeriesDate"]) == []


def test_a_number_repeats_a_long_number_of_a_device():
    withheld = {"DeviceSerialNumber": "1200345"}
    assert privacy.repeating({"KVP": "1200345"}, withheld, VRS, []) == ["KVP"]


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        *[(age, "090Y") for age in ("092Y", "1100M", "033000D", "4800W", "95", "090Y")],
        *[(age, age) for age in ("089Y", "045Y", "", "012M", "1079M")],
        ("091Y\\012Y", "090Y\\012Y"),
        *[(age, "090Y") for age in ("91Y05M", "91Y 3M", "+91Y", ">91Y", "~91", "91+", "Y91")],
        *[(age, "090Y") for age in ("91-Y", "91/F", "F/91", "91.5.1Y", "\uff19\uff11Y")],
        *[(age, age) for age in ("89Y11M", ">45Y", "Y45", "45/F", "1Y 100D")],
    ],
)
def test_ages_above_89_are_one(age, shown):
    assert privacy.in_public("PatientAge", "AS", age) == shown
    assert privacy.in_public("SliceThickness", "DS", age) == age


@pytest.mark.parametrize("text", ["Y", "Li", "old", "unknown", "045Y\\Li"])
def test_an_age_without_a_number_is_withheld(text):
    assert not privacy.is_presentable("AS", text)
    assert privacy.is_presentable("AS", "045Y\\\\012M")


@pytest.mark.parametrize(
    "text", ["ANONYMOUS", "0000", "no ID", "Anon_Patient", "unbekannt", "DE-IDENTIFIED", "___"]
)
def test_a_code_for_nobody_is_no_patient(text):
    assert privacy.patient_hash(KEY, text) is None


@pytest.mark.parametrize("text", ["ANON0001", "12", "NONETTI", "x1"])
def test_a_pseudonym_is_a_patient(text):
    assert privacy.patient_hash(KEY, text) is not None


@pytest.fixture
def shortest(monkeypatch):
    """Sets the length from which texts count, for all readers."""

    def set_length(length):
        monkeypatch.setattr(identities, "MIN_LENGTH", length)

    return set_length


@pytest.fixture
def image(tmp_path):
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.PatientID, dataset.ScanOptions = "AB12", "HEAD AB12"
    dataset.save_as(tmp_path / "f")
    return str(tmp_path / "f")


def test_a_syntax_that_no_standard_registers_does_not_leave(image):
    dataset = dcmread(image)
    dataset.file_meta.TransferSyntaxUID = PRIVATE_SYNTAX
    dataset.save_as(image, implicit_vr=False, little_endian=True, enforce_file_format=False)
    for read in (read_header(image, KEY, ReaderOptions()), batch_of(image)):
        assert PRIVATE_SYNTAX not in str(read)


def batch_of(image):
    batch = Reader(KEY, ReaderOptions()).read([image], [0])
    return batch.texts, batch.rows, batch.others


@pytest.mark.parametrize(("length", "leaves"), [(4, False), (5, True), (2, False)])
def test_all_readers_look_for_texts_of_one_length(image, shortest, length, leaves):
    shortest(length)
    plain = read_header(image, KEY, ReaderOptions())
    assert ("ScanOptions" in plain.values) == leaves
    batch = Reader(KEY, ReaderOptions()).read([image], [0])
    (_, fast), *_ = batch.rows
    assert fast.withheld == plain.withheld
    shown = {"ScanOptions": pl.Series([plain.values.get("ScanOptions", "HEAD AB12")])}
    repeated = column_privacy.repeating(shown, {"PatientID": pl.Series(["AB12"])}, frozenset())
    assert (repeated == []) == leaves


def test_a_short_text_is_compared_where_short_texts_count(image, shortest):
    """The fast reader judges headers of one signature once: short texts are then a part of it."""
    shortest(2)
    reader = Reader(KEY, ReaderOptions())
    for options in ("AB", "CD"):
        dataset = dcmread(image)
        dataset.PatientID, dataset.ScanOptions = "AB", options
        dataset.save_as(image)
        (_, fast), *_ = reader.read([image], [0]).rows
        assert fast.withheld == read_header(image, KEY, ReaderOptions()).withheld
        assert ("ScanOptions" in fast.withheld) == (options == "AB")
