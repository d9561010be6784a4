"""Identifying texts are found however they are written, and others are not taken for them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.dicom.identities import containing, searchable, written_forms


def repeats(source, text, vr="LO"):
    keyword, source_vr, identity = source
    forms = written_forms(keyword, source_vr, identity)
    return bool(containing({"text": searchable(vr, text)}, forms))


NAME, ID, BIRTH = (
    ("PatientName", "PN", "Müller-Doe^Änne=X^Y"),
    ("PatientID", "LO", "0042-117"),
    ("PatientBirthDate", "DA", "19450312"),
)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (NAME, "MUELLER-DOE"),
        (NAME, "head of Änne, again"),
        (NAME, "scan_aenne_1"),
        (NAME, "Änne Müller Doe"),
        (("PatientName", "PN", "DOE JO"), "DOE,JO"),
        (("PatientName", "PN", "DOE^JO"), "JO DOE"),
        (("PatientName", "PN", "MILLER,JOHN"), "miller"),
        (("PatientName", "PN", "MILLER^JOHN"), "MILLER1945"),
        (("PatientName", "PN", "山田^太郎"), "山田CT"),
        (ID, "phase\\0042-117"),
        (ID, "42117"),
        (ID, "00042117"),
        (ID, "ID 42 117"),
        (("PatientID", "LO", "P1234567"), "P-123-4567"),
        (("PatientID", "LO", "1234567"), "X1234567"),
        (BIRTH, "1945-03-12"),
        (BIRTH, "born 12.03.1945 here"),
        (BIRTH, "12/03/45"),
        (BIRTH, "03/12/1945"),
        (BIRTH, "12-Mar-1945"),
        (BIRTH, "March 12, 1945"),
        (BIRTH, "12.3.1945"),
        (BIRTH, "450312"),
        (("StudyDate", "DA", "20240229"), "29.02.2024"),
    ],
)
def test_what_repeats_an_identity_is_found(source, text):
    assert repeats(source, text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MUELLER", "M\u00fcller"),
        ("MULLER", "M\u00dcLLER"),
        ("GARCIA", "Garc\u00eda"),
        ("GARCIA", "Garci\u0301a"),
        ("STRAUSS", "STRAU\u00df"),
        ("O'BRIEN", "OBRIEN"),
        ("O\u2019BRIEN", "OBRIEN"),
        ("SMITH-JONES", "SMITHJONES"),
        ("VAN DER BERG", "VANDERBERG"),
        ("\u0141UKASZ", "LUKASZ"),
        ("S\u00d8REN", "SOREN"),
        ("S\u00d8REN", "SOEREN"),
        ("\u00deORSTEIN", "THORSTEIN"),
        ("YILDIZ", "Y\u0131ld\u0131z"),
        ("SMITH", "\uff33\uff2d\uff29\uff34\uff28"),
        ("SMITH", "SM\u200bITH"),
        ("SMITH", "SM\u00adITH"),
        ("\uae40\ucca0\uc218", "\uae40 \ucca0\uc218"),
    ],
)
def test_two_writings_of_a_name_are_one_whichever_is_looked_for(one, other):
    assert repeats(("PatientName", "PN", f"{one}^JAN"), f"{other}")
    assert repeats(("PatientName", "PN", f"{other}^JAN"), f"{one}")


@pytest.mark.parametrize("number", ["MRN123456", "123456/19", "123456_ANON", "00123456^^^X"])
def test_a_long_run_of_digits_in_an_identifier_is_looked_for(number):
    assert repeats(("PatientID", "LO", number), "head 123456")
    assert repeats(("PatientID", "LO", number), "123456", "DS")
    assert not repeats(("PatientID", "LO", number), "head 1234567")


@pytest.mark.parametrize("number", ["12345.0", "12345.", "1.2345e4", "012345.00"])
def test_a_whole_number_with_decimals_is_looked_for_as_an_integer(number):
    assert repeats(("PatientID", "LO", number), "head 12345")
    assert repeats(("PatientID", "LO", number), "12345", "DS")


def test_zeros_alone_and_parts_of_a_time_are_no_number_of_a_person():
    assert not repeats(("StudyDate", "DT", "20200101120000.654321"), "654321")
    assert not repeats(("PatientID", "LO", "X_000000"), "000000")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (NAME, "HEAD"),
        (NAME, "Musterung"),
        (("PatientName", "PN", "Muster^Erika"), "Musterung 100423"),
        (ID, "0042"),
        (("PatientID", "LO", "Abc"), "Abc"),
        (("PatientID", "LO", "1234"), "41234"),
        (("StudyDate", "DA", "20240229"), "290224"),
        (BIRTH, "1945"),
        (BIRTH, "1.2.840.10008"),
    ],
)
def test_what_does_not_repeat_it_is_left(source, text):
    assert not repeats(source, text)


@given(day=st.dates(date(1900, 1, 1), date(2030, 1, 1)), separator=st.sampled_from([*".-/_:"]))
def test_a_birth_date_is_found_in_all_orders_and_between_all_separators(day, separator):
    source = ("PatientBirthDate", "DA", day.strftime("%Y%m%d"))
    for form in ("%Y{0}%m{0}%d", "%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%d{0}%m{0}%y", "%y{0}%m{0}%d"):
        assert repeats(source, f"of {day.strftime(form.format(separator))} here")


@given(number=st.integers(1000, 10**9), vr=st.sampled_from(["DS", "IS", "US", "FD"]))
def test_a_number_repeats_an_equal_number_alone(number, vr):
    source = ("PatientID", "LO", f"{number:012d}")
    assert repeats(source, f"1\\{number}", vr)
    assert repeats(source, f"{number}.0", vr)
    assert not repeats(source, f"{number + 1}", vr)
    assert not repeats(source, f"0.{number}", vr)


def test_a_time_of_six_digits_is_no_date():
    assert searchable("TM", "450312.000") == ""
    assert repeats(BIRTH, "19450312", "TM")


def test_nothing_known_is_nothing_found():
    assert containing({"a": "b"}, []) == []
