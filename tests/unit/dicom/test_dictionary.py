import csv
import json
from collections import Counter
from importlib.resources import files
from io import StringIO

import pytest
from pydicom.datadict import DicomDictionary, keyword_for_tag

from tagsight.dicom import dictionary
from tagsight.dicom.dictionary import (
    DERIVED,
    WITHHELD_TEXT,
    attribute,
    is_for_reading,
    is_free_text,
    is_identifying,
)

ACRONYMS = [
    "CT",
    "MR",
    "CR",
    "DX",
    "NM",
    "PET",
    "RT",
    "US",
    "XA",
    "XRF",
    "VL",
    "ICC",
    "MPR",
    "IVUS",
    "OCT",
    "LUT",
    "VOI",
    "SOP",
    "UDI",
    "SR",
    "2D",
    "3D",
    "QA",
    "DVH",
    "ROI",
]

# Radiology's own modules come before all others, in this order.
FIRST = [
    "patient",
    "patient-study",
    "general-study",
    "general-series",
    "general-equipment",
    "general-image",
    "image-pixel",
    "image-plane",
    "multi-frame",
    "cine",
    "frame-of-reference",
    "sop-common",
    "contrast-bolus",
    "voi-lut",
    "modality-lut",
    "ct-image",
    "mr-image",
    "pet-image",
    "pet-series",
    "pet-isotope",
    "nm-image",
    "us-image",
    "us-region-calibration",
    "cr-series",
    "cr-image",
    "dx-image",
    "dx-detector",
    "dx-positioning",
    "x-ray-acquisition",
    "x-ray-image",
    "xa-positioner",
    "mammography-image",
]


def test_attribute_of_the_standard():
    spacing = attribute("PixelSpacing")
    assert (spacing.tag, spacing.vr, spacing.module) == ("0028,0030", "DS", "Image Plane")
    assert attribute("Modality").module == "General Series"
    assert attribute("KVP").module == "CT Image"
    assert attribute("SmallestImagePixelValue").vr == "US"
    assert attribute("NoSuchKeyword").tag == ""


def test_attribute_of_a_repeating_group():
    assert attribute("OverlayRows").tag == "6000,0010"


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
    assert is_for_reading(keyword)


def test_what_is_left_out_as_free_text_and_what_as_identifying():
    assert all(is_free_text(keyword) for keyword in WITHHELD_TEXT)
    others = ["InstitutionAddress", "PatientName", "StudyDate", "Modality", "ProtocolNameRegion"]
    assert not any(is_free_text(keyword) for keyword in others)


def test_what_people_type_is_for_reading_and_codes_numbers_and_ages_are_not():
    assert all(is_for_reading(keyword) for keyword in WITHHELD_TEXT)
    assert is_for_reading("InstitutionName")
    others = ["PatientAge", "PatientSex", "PatientWeight", "StudyDate", "Modality", "ScanOptions"]
    assert not any(is_for_reading(keyword) for keyword in others)


@pytest.mark.parametrize(("keyword", "description"), DERIVED.items())
def test_a_derived_tag_is_known_by_its_description_and_identifies_nobody(keyword, description):
    assert attribute(keyword).tag == attribute(description).tag
    assert is_identifying(description)
    assert not is_identifying(keyword)
    assert not is_for_reading(keyword)


def test_every_person_name_is_identifying():
    names = [keyword_for_tag(t) for t, entry in DicomDictionary.items() if entry[0] == "PN"]
    assert len(names) > 20
    assert [n for n in names if n and not is_identifying(n)] == []


def test_free_text_is_a_part_of_the_list():
    assert dictionary._listed() >= WITHHELD_TEXT


def modules_of_the_standard() -> str:
    """The CSV anew: per keyword the most general of the modules that hold it.

    Rank: outside any sequence before inside; then radiology's own modules (`FIRST`); then the
    module that most kinds of object (IODs) use; then its name.
    """
    highdicom = pytest.importorskip("highdicom", reason="the CSV is made from highdicom's tables")
    standard = files(highdicom) / "_standard"
    modules = json.loads((standard / "module_attribute_map.json").read_text())
    objects = json.loads((standard / "iod_module_map.json").read_text())
    uses = Counter(module["key"] for held in objects.values() for module in held)
    place = {slug: rank for rank, slug in enumerate(FIRST)}
    best: dict[str, tuple] = {}
    for slug, attributes in modules.items():
        for entry in attributes:
            rank = (bool(entry["path"]), place.get(slug, len(place)), -uses[slug], slug)
            best[entry["keyword"]] = min(best.get(entry["keyword"], rank), rank)
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["keyword", "module"])
    writer.writerows((k, title(rank[-1])) for k, rank in sorted(best.items()) if k)
    return out.getvalue()


def title(slug: str) -> str:
    words = (w for w in slug.split("-") if w)
    named = " ".join(w.upper() if w.upper() in ACRONYMS else w.capitalize() for w in words)
    return named.replace("X Ray", "X-Ray")


def test_modules_csv_is_that_of_the_standard():
    stored = (files("tagsight") / "data" / "modules.csv").read_text(encoding="utf-8")
    assert stored == modules_of_the_standard()
