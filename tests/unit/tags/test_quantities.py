from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.valuerep import DSfloat

from tagsight.tags.quantities import (
    ages,
    dates,
    decimals,
    in_unit,
    is_converted,
    times,
    without_uncalibrated,
)

READERS = {"number": decimals, "age": ages, "date": dates, "time": times}


def read(parser, keyword, *texts):
    return in_unit(keyword, READERS[parser](pl.Series(texts, dtype=pl.String))).to_list()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("+3.50", 3.5),
        ("-.5", -0.5),
        ("5.", 5),
        ("1E3", 1000),
        ("-2.5E-02", -0.025),
        ("0,488281", 0.488281),
        ("1A", None),
        ("1,000.5", None),
        ("1 5", None),
        ("0X1F", None),
        ("INF", None),
        ("NAN", None),
        ("1_000", None),
        ("1E400", None),
    ],
)
def test_numbers_as_the_standard_writes_them_and_with_a_decimal_comma(text, number):
    assert read("number", "RescaleSlope", text) == [number]


@given(st.floats(-1e20, 1e20), st.sampled_from(["{:.10g}", "{:E}", "{:.4f}", "{:+.8G}"]))
def test_numbers_are_those_that_pydicom_reads(number, form):
    text = form.format(number).upper()
    assert read("number", "RescaleSlope", text) == [float(DSfloat(text, validation_mode=0))]


def test_dates_are_years():
    days = (date(2024, 6, 30) - date(1970, 1, 1)).days
    expected = pytest.approx(1970 + days / 365.25)
    assert (
        read("date", "X", "20240630", "2024.06.30", "20240630120000.00+0100", "2024-06-30")
        == [expected] * 4
    )
    assert read("date", "X", "2024", "20240230", "TODAY") == [None] * 3


def test_times_are_hours():
    assert read("time", "X", "134530.5", "13:45", "07", "13:45:30", "000000", "2359") == [
        pytest.approx(13 + 45 / 60 + 30.5 / 3600),
        13.75,
        7.0,
        pytest.approx(13 + 45 / 60 + 30 / 3600),
        0.0,
        pytest.approx(23 + 59 / 60),
    ]
    assert read("time", "X", "25", "1360", "1", "X", "134530.5.5") == [None] * 5


@pytest.mark.parametrize(
    ("keyword", "texts", "numbers"),
    [
        ("PixelSpacing", ["0.5", "500", "0.00025", "-1"], [0.5, None, 0.00025, None]),
        ("KVP", ["120", "120000", "6000", "35000"], [120, 120, 6000, None]),
        ("MagneticFieldStrength", ["1.5", "15000", "2000", "7"], [1.5, 1.5, None, 7]),
        ("ImagingFrequency", ["63.86", "63860000", "63860"], [63.86] * 3),
        ("PatientWeight", ["70", "3500", "900", "0.1"], [70, 3.5, None, None]),
        ("PatientSize", ["1.7", "170", "17"], [1.7, 1.7, None]),
        ("RescaleIntercept", ["-1024", "0"], [-1024, 0]),
    ],
)
def test_what_cannot_be_is_missing_and_what_is_surely_another_unit_is_converted(
    keyword, texts, numbers
):
    """2000 would be 0.2 T in gauss and 2 T in mT: there are both."""
    assert read("number", keyword, *texts) == pytest.approx(numbers)


def test_converted_ones_are_told():
    flags = is_converted("PatientSize", decimals(pl.Series(["1.7", "170", None, "X"])))
    assert flags.to_list() == [False, True, False, False]


def test_ages_beyond_any_life_are_missing():
    assert read("age", "PatientAge", "130Y", "131Y", "999M") == [130, None, 999 / 12]


def test_a_spacing_of_the_detector_is_none_of_the_patient():
    """PS3.3 section 10.7.1.3: as the imager's and with no calibration named, it is neither."""
    tags = pl.LazyFrame(
        {
            "PixelSpacing": ["0.14\\0.14", "0.14\\0.14", "0.1\\0.1", "0.7\\0.7", None],
            "ImagerPixelSpacing": ["0.140\\0.140", "0.14\\0.14", "0.14\\0.14", None, "0.14\\0.14"],
            "PixelSpacingCalibrationType": [None, "FIDUCIAL", None, None, None],
        }
    )
    kept = without_uncalibrated(tags).collect()["PixelSpacing"].to_list()
    assert kept == [None, "0.14\\0.14", "0.1\\0.1", "0.7\\0.7", None]
    untouched = tags.select("PixelSpacing")
    assert without_uncalibrated(untouched).collect().equals(untouched.collect())
