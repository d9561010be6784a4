"""One reading of a header's texts: what is a number for pictures is the same one for tags."""

import math
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.dicom.numerals import int_value, number, numbers, plain, term
from tagsight.tags.quantities import decimals


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("40", 40),
        ("40,0", 40),
        ("-1024,0", -1024),
        (",5", 0.5),
        ("+3", 3),
        ("3.0", 3),
        ("3.", 3),
        (".5", 0.5),
        (" 40\0", 40),
        ("4e1", 40),
        ("4,5E+01", 45),
        ("40\\80", 40),
        ("1A", None),
        ("1,000.5", None),
        ("0x1F", None),
        ("1_000", None),
        ("٣", None),
        ("nan", None),
        ("inf", None),
        ("1E999", None),
        ("", None),
        ("\\3", None),
    ],
)
def test_a_number_is_read_in_one_way(text, value):
    assert number({"K": text}, "K") == value


@given(st.floats(-1e20, 1e20), st.sampled_from(["{:.10g}", "{:E}", "{:.4f}", "{:+.8G}"]))
def test_a_decimal_comma_is_a_point(value, style):
    text = style.format(value)
    assert number({"K": text.replace(".", ",")}, "K") == float(text)


@given(
    st.text("0123456789+-.,eE \0xnaif_٣", max_size=9)
    | st.from_regex(r"[+-]?\d{0,3}[.,]?\d{0,3}(E[+-]?\d{1,4})?", fullmatch=True)
)
def test_tags_and_pictures_read_the_same_numbers(text):
    item = text.strip(" \0").upper()
    ours, of_tags = number({"K": text}, "K"), decimals(pl.Series([item]))[0]
    assert ours == of_tags or (ours is None and not math.isfinite(of_tags))


@given(st.text(max_size=12))
def test_whatever_is_plain_is_a_number_of_python(text):
    found = plain(text)
    assert found is None or (re.fullmatch(r"[0-9+\-.E]+", found) and float(found) is not None)


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("+3", 3), ("3.0", 3), ("3,0", 3), ("3E0", 3), ("3\\7", 3), ("3.5", 9), ("-3", 9)],
)
def test_a_whole_number_is_read_in_any_notation(text, value):
    assert int_value({"NumberOfFrames": text}, "NumberOfFrames", 9) == value


def test_every_item_has_a_place():
    assert numbers({"PixelSpacing": "0,5\\x\\2"}, "PixelSpacing") == [0.5, None, 2]
    assert numbers({}, "PixelSpacing") == []


@pytest.mark.parametrize("text", ["sigmoid", " SIGMOID\0", "Sigmoid\\LINEAR"])
def test_a_term_is_read_in_any_case(text):
    assert term({"VOILUTFunction": text}, "VOILUTFunction") == "SIGMOID"
    assert term({"VOILUTFunction": " "}, "VOILUTFunction", "LINEAR") == "LINEAR"
