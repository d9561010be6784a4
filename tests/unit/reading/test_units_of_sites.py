"""Numbers of a site in the standard's unit, against the numbers that parsers read."""

import doctest
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tagsight.reading import site_tags
from tagsight.reading.site_tags import in_standard_unit, unit_factors, with_units
from tagsight.tags import quantities

KEYWORDS = ("SliceThickness", "KVP", "PatientWeight", "MagneticFieldStrength", "ImagingFrequency")
factors = st.sampled_from(["10", "0.001", "0.45359237", "1", "25.4", "1e-6", "1000000"])
numbers = st.floats(-1e9, 1e9, allow_subnormal=False).map(lambda number: f"{number:.9g}")


def read(keyword, text):
    """What a parser makes of a text: its number in the standard's unit, null if implausible."""
    (number,) = quantities.in_unit(keyword, quantities.decimals(pl.Series([text.upper()])))
    return number


def test_the_example():
    assert doctest.testmod(site_tags).failed == 0


@pytest.mark.parametrize(
    ("text", "factor", "converted"),
    [
        ("0.1", "10", "1"),
        ("120000", "0.001", "120"),
        ("0.07\\0.07", "10", "0.7\\0.7"),
        ("-1.05\\+2\\3.e1", "10", "-10.5\\20\\300"),
        ("0,5", "10", "5"),
        ("5\\\\1", "10", "50\\\\10"),
        ("1.1", "1.1", "1.21"),  # 1.2100000000000002 by floats
        ("0.0", "10", "0"),
        ("3", "0.333333333333", "0.999999999999"),
        ("1", "1e-9", "1E-9"),
        ("1E400", "10", "1E+401"),
        ("", "10", ""),
        ("N/A", "10", "N/A"),
        ("5 mm\\1", "10", "5 mm\\10"),
    ],
)
def test_items_are_converted_each_and_words_stay(text, factor, converted):
    assert in_standard_unit("SliceThickness", text, Decimal(factor)) == converted


@given(st.sampled_from(KEYWORDS), numbers, factors)
def test_a_number_is_converted_by_the_site_or_by_its_parser_and_never_by_both(
    keyword, text, factor
):
    converted = in_standard_unit(keyword, text, Decimal(factor))
    product = float(text) * float(factor)
    if converted == text:  # nothing to be done, or the product would be converted once more
        again = quantities.is_converted(keyword, pl.Series([product])).item()
        assert again or product == pytest.approx(float(text))
    else:
        assert not quantities.is_converted(keyword, pl.Series([float(converted)])).item()
        assert float(converted) == pytest.approx(product, rel=1e-11)


@given(st.decimals(-1000, 1000, places=3), factors)
def test_no_digit_comes_of_rounding(number, factor):
    exact = number * Decimal(factor)
    assume(len(exact.normalize().as_tuple().digits) <= 12)
    assert Decimal(in_standard_unit("SliceLocation", str(number), Decimal(factor))) == exact


def test_grams_at_a_site_that_writes_pounds_are_still_grams():
    pounds = Decimal("0.45359237")
    assert read("PatientWeight", in_standard_unit("PatientWeight", "150", pounds)) == pytest.approx(
        68.0388555
    )
    assert read("PatientWeight", in_standard_unit("PatientWeight", "70000", pounds)) == 70


def test_only_the_site_is_converted_and_only_its_tags(tmp_path):
    (tmp_path / "units.csv").write_text(
        "keyword,factor,unit\nSliceThickness,10,cm\nKVP,.001,V\n", encoding="utf-8"
    )
    own = {"south": unit_factors(tmp_path / "units.csv"), "east": {"KVP": Decimal(1000)}}
    tags = pl.LazyFrame(
        {
            "site": ["north", "south", "south", None, "east", "south"],
            "SliceThickness": ["0.5", "0.5", None, "0.5", "0.5", "x"],
            "KVP": ["120", "120000", "80000", "120000", "0.12", None],
            "Rows": ["512"] * 6,
        }
    )
    assert with_units(tags, own).collect().to_dict(as_series=False) == {
        "site": ["north", "south", "south", None, "east", "south"],
        "SliceThickness": ["0.5", "5", None, "0.5", "0.5", "x"],
        "KVP": ["120", "120", "80", "120000", "120", None],
        "Rows": ["512"] * 6,
    }


def test_without_units_of_their_own_or_without_the_tag_all_stays():
    tags = pl.LazyFrame({"site": ["a"], "KVP": ["1"]})
    assert with_units(tags, {}).collect().equals(tags.collect())
    assert with_units(tags, {"a": {"EchoTime": Decimal(2)}}).collect().equals(tags.collect())
    assert with_units(tags, {"b": {"KVP": Decimal(2)}}).collect().equals(tags.collect())
