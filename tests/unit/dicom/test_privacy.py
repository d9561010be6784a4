"""What leaves the reader, and that files, batches of files and tables are judged alike."""

import polars as pl
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.datadict import DicomDictionary, keyword_for_tag

from tagsight.dicom import privacy
from tagsight.dicom.dictionary import DERIVED
from tagsight.dicom.headers import ReaderOptions, read_header
from tagsight.dicom.privacy import (
    WITHHELD_TEXT,
    identities,
    is_for_display_only,
    is_free_text,
    is_identifying,
    is_registered,
    keywords_containing,
    table_e1_keywords,
)
from tagsight.reading import column_privacy
from tagsight.reading.batch_reader import Reader

KEY = bytes(32)


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


def test_identities_are_wholes_and_the_parts_of_names():
    assert identities(["Doe-Smith^Jane=X^Y", "MRN-1\\AB12"]) == [
        "ab12",
        "doe-smith",
        "doe-smith jane",
        "doe-smith^jane",
        "jane",
        "mrn-1",
    ]


def test_what_turns_up_again():
    known = identities(["Muster^Erika", "0042", "Abc"])
    texts = {
        "equal": "MUSTER",
        "inside": "head of Erika, again",
        "joined": "phase\\0042",
        "underscore": "scan_muster_1",
        "longer": "Musterung 100423",
        "short": "Abc",
        "other": "HEAD",
    }
    assert keywords_containing(texts, known) == ["equal", "inside", "joined", "underscore"]


def test_nothing_known_is_nothing_found():
    assert keywords_containing({"a": "b"}, []) == []


@pytest.fixture
def shortest(monkeypatch):
    """Sets the length from which texts count, for all readers."""

    def set_length(length):
        monkeypatch.setattr(privacy, "MIN_LENGTH", length)
        privacy._identities_of.cache_clear()

    yield set_length
    privacy._identities_of.cache_clear()


@pytest.fixture
def image(tmp_path):
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.PatientID, dataset.ScanOptions = "AB12", "HEAD AB12"
    dataset.save_as(tmp_path / "f")
    return str(tmp_path / "f")


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
