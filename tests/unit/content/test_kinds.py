"""Kinds: by SOP Class, else by Modality; every class of the standard has one."""

import csv
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom._uid_dict import UID_dictionary

from tagsight.content.kinds import KEYWORDS, UNKNOWN, Kinds, kinds
from tagsight.run.package_data import rows_of

TABLE = Kinds(pl.DataFrame(rows_of("kinds.csv")))
SOP = "1.2.840.10008.5.1.4.1.1."
CT, MR, US, XA, CR, SC = (SOP + end for end in ("2", "4", "6.1", "12.1", "1", "7"))
# Not medical (DICOS, DICONDE), or stored nowhere: Modality decides.
OTHERS = ("501", "601", "201.1.1")
STORED = sorted(
    uid
    for uid, (name, kind, *_) in UID_dictionary.items()
    if (kind == "SOP Class" and name.endswith("Storage")) or "Storage - " in name
)
NO_PICTURES = {
    "88.11": "SR",
    "88.59": "KO",
    "66.4": "SEG",
    "66.1": "REG",
    "11.1": "PR",
    "67": "RWV",
    "91.1": "ANN",
    "481.3": "RTSTRUCT",
    "481.5": "RTPLAN",
    "481.2": "RTDOSE",
    "9.1.1": "WAVEFORM",
    "104.1": "DOC",
    "30": "PARAMETRIC",
    "66": "RAW",
    "4.2": "MRS",
}


@pytest.mark.parametrize("uid", STORED)
def test_every_storage_class_of_the_standard_has_a_kind(uid):
    if uid.removeprefix(SOP).startswith(OTHERS) or not uid.startswith("1.2.840.10008.5.1.4"):
        return
    assert TABLE.kind(uid) != UNKNOWN


@pytest.mark.parametrize(("end", "kind"), NO_PICTURES.items())
def test_objects_that_are_no_pictures_have_their_class_as_kind(end, kind):
    assert TABLE.kind(SOP + end, "CT") == kind
    assert not TABLE.is_picture(kind)


@pytest.mark.parametrize("modality", ["SR", "SEG", "RTSTRUCT", "PR", "KO", "REG", "ECG", "DOC"])
def test_without_a_class_the_modality_says_that_it_is_no_picture(modality):
    assert not TABLE.is_picture(TABLE.kind(None, modality))


@pytest.mark.parametrize(
    ("sop_class", "modality", "kind"),
    [
        (CT, "CT", "CT"),
        (CT, "MR", "CT"),  # the class decides
        (None, " mr ", "MR"),
        ("", "PT\\CT", "PT"),
        ("1.2.3", "MG", "MG"),  # private
        (US, "IVUS", "IVUS"),
        (XA, "RF", "RF"),  # PS3.3 C.7.3.1.1.1, note 3
        (CR, "MG", "MG"),
        (CR, "CT", "CR"),
        (None, "DS", "XA"),  # retired
        (None, "CF", "RF"),
        (None, "EC", "US"),
        (None, "ST", "NM"),
        (None, "MA", "MR"),
        (None, "PET", "PT"),
        (None, "QQ", UNKNOWN),
        (None, None, UNKNOWN),
        (SOP + "1.1.1", None, "DX"),
        (SOP + "13.1.3", None, "MG"),
    ],
)
def test_the_class_decides_and_modality_where_a_class_has_several(sop_class, modality, kind):
    assert TABLE.kind(sop_class, modality) == kind


@pytest.mark.parametrize(
    ("modality", "conversion", "section", "kind"),
    [
        ("CT", "WSD", False, "SC"),
        ("CT", "WSD", True, "CT"),
        ("NM", None, True, "NM"),
        ("US", "DV", False, "US"),
        ("CR", "DI", False, "CR"),
        ("CR", "SD", False, "SC"),
        ("OT", None, False, "SC"),
        (None, None, False, "SC"),
        ("SR", None, False, "SC"),
    ],
)
def test_a_capture_is_a_screen_unless_it_shows_what_its_modality_shows(
    modality, conversion, section, kind
):
    assert TABLE.kind(SC, modality, conversion, section=section) == kind


def test_a_capture_with_a_plane_in_the_patient_is_a_section():
    tags = pl.DataFrame(
        {
            "SOPClassUID": [SC] * 3,
            "Modality": ["CT", "CT", "NM"],
            "ConversionType": ["WSD"] * 3,
            "ImageOrientationPatient": ["1\\0\\0\\0\\1\\0", "", None],
            "ImageType": [None, None, "DERIVED\\SECONDARY\\WHOLE BODY\\EMISSION"],
        }
    )
    assert kinds(tags, TABLE)["kind"].to_list() == ["CT", "SC", "NM"]


@given(*[st.none() | st.text(max_size=30)] * 3, st.booleans())
def test_no_value_raises_and_every_kind_is_of_the_table(sop_class, modality, conversion, section):
    assert TABLE.kind(sop_class, modality, conversion, section=section) in TABLE.names()


@given(st.lists(st.tuples(*[st.none() | st.text(max_size=12)] * 5), max_size=5))
def test_a_kind_is_never_null(rows):
    tags = pl.DataFrame(rows, dict.fromkeys(KEYWORDS, pl.String), orient="row")
    found = kinds(tags, TABLE)
    assert len(found) == len(rows)
    assert found.null_count().row(0) == (0, 0)


def test_words_of_radiologists():
    assert [TABLE.words(kind) for kind in ("CT", "SM", "OT", "SEG", "unknown")] == [
        "CT",
        "slides",
        "other",
        "segmentations",
        "unknown",
    ]


def test_the_last_row_of_a_code_counts():
    own = [{"code": "OT", "kind": "PHANTOM", "picture": "yes", "also": "", "words": "phantoms"}]
    table = Kinds(pl.DataFrame([*rows_of("kinds.csv"), *own]))
    assert table.kind(None, "OT") == "PHANTOM"
    assert table.words("PHANTOM") == "phantoms"


def test_every_row_names_its_source_and_every_kind_its_words():
    path = Path(__file__).parents[3] / "tagsight/data/kinds.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert all(row["source"] for row in rows if row["code"] != UNKNOWN)
    assert len({row["code"] for row in rows}) == len(rows)
    words = {row["kind"] for row in rows if row["words"]}
    assert {row["kind"] for row in rows} == words
