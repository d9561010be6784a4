import math
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tagsight.body_parts import read_spellings
from tagsight.parsers import item_count, parse, parser_of, unmapped

TABLE = read_spellings(Path(__file__).parents[2] / "config" / "body_parts.csv")


def parsed(keyword, vr, *values, items=1):
    frame = parse(keyword, vr, pl.Series(values, dtype=pl.String), items=items, spellings=TABLE)
    return frame.to_series().to_list() if items == 1 else frame.to_dict(as_series=False)


def test_a_multi_value_becomes_a_column_per_item():
    assert parsed("PixelSpacing", "DS", "0.5\\0.25", " 1 \\", None, items=2) == {
        "PixelSpacing[0]": [0.5, 1.0, None],
        "PixelSpacing[1]": [0.25, None, None],
    }


def test_image_type_is_split_by_position():
    made = parsed("ImageType", "CS", "ORIGINAL\\PRIMARY\\axial ", "DERIVED", items=3)
    assert made["ImageType[2]"] == ["AXIAL", None]


def test_the_commonest_number_of_items_by_images_is_fitted():
    values = pl.Series(["1", "1\\2", "1\\2\\3", "4\\5"])
    assert item_count(values, pl.Series([3, 2, 4, 3])) == 2
    assert item_count(pl.Series(["\\".join("123456789")]), pl.Series([1])) == 6
    assert item_count(pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.UInt32)) == 1


@pytest.mark.parametrize(
    ("age", "years"),
    [
        ("045Y", 45),
        ("018M", 1.5),
        ("005D", 5 / 365.25),
        ("003W", 21 / 365.25),
        ("61", 61),
        ("000D", 0),
    ],
)
def test_ages_are_years(age, years):
    assert parsed("PatientAge", "AS", age) == [pytest.approx(years)]


@pytest.mark.parametrize("age", ["000Y", "999Y", "45 YEARS", ""])
def test_an_age_of_nobody_is_missing(age):
    assert parsed("PatientAge", "AS", age) == [None]


def test_dates_are_years_and_times_are_hours():
    days = (date(2024, 6, 30) - date(1970, 1, 1)).days
    expected = pytest.approx(1970 + days / 365.25)
    assert parsed("DateOfX", "DA", "20240630", "2024.06.30", "2024") == [expected, expected, None]
    assert parsed("X", "DT", "20240630120000.00+0100") == [expected]
    assert parsed("X", "TM", "134530.5", "13:45", "07", "x") == [
        pytest.approx(13 + 45 / 60 + 30 / 3600),
        13.75,
        7.0,
        None,
    ]


@pytest.mark.parametrize(
    ("keyword", "vr", "codes"),
    [
        ("KVP", "DS", ["0", "0.00", "999", "x", "", "nan"]),
        ("SliceThickness", "DS", ["0", "-", "1e300", "inf"]),
        ("PatientWeight", "DS", ["0", "999"]),
        ("PatientSex", "CS", ["U", " "]),
        ("Modality", "CS", ["N/A", "unknown"]),
        ("BodyPartExamined", "CS", ["unknown", "NONE", "Other"]),
    ],
)
def test_codes_of_missing_are_missing(keyword, vr, codes):
    assert parsed(keyword, vr, *codes) == [None] * len(codes)


def test_zero_stays_where_it_means_something():
    assert parsed("RescaleIntercept", "DS", "0") == [0.0]
    assert parsed("ScanOptions", "CS", "NONE") == ["NONE"]


def test_gauss_become_tesla_and_hertz_megahertz():
    assert parsed("MagneticFieldStrength", "DS", "1.5", "15000", None) == [1.5, 1.5, None]
    assert parsed("ImagingFrequency", "DS", "63.86", "63860000") == [63.86, pytest.approx(63.86)]


@pytest.mark.parametrize(
    ("maker", "names"),
    [
        (
            "GE",
            "GE MEDICAL SYSTEMS|GE Medical Systems|G.E. Medical Systems|GE Healthcare|GE|GEMS"
            "|GE MEDICAL SYSTEMS, NUCLEAR|GE_MEDICAL|General Electric|GE OEC Medical Systems GmbH"
            "|GEMS Ultrasound|GE Vingmed Ultrasound|GE HEALTHCARE IT|GE Medical Systems Israel",
        ),
        (
            "SIEMENS",
            "SIEMENS|Siemens|Siemens Healthineers|SIEMENS NM|Siemens HealthCare GmbH|ACUSON",
        ),
        ("PHILIPS", "Philips|Philips Medical Systems|PHILIPS-6OJ3LKNBI|ADAC|Philips Healthcare"),
        ("CANON", "TOSHIBA|TOSHIBA_MEC|Toshiba Medical Systems|CANON_MEC|Canon Inc."),
        ("FUJIFILM", "FUJI PHOTO FILM CO. LTD.|Fuji Photo Film Co.,Ltd.|FUJIFILM Corporation"),
        ("HOLOGIC", "HOLOGIC, Inc.|LORAD, A Hologic Company|LORAD"),
        ("CARESTREAM", "KODAK|Carestream Health|EASTMAN KODAK CO."),
        ("GENESIS", "Genesis"),
        ("GEORGETOWN", "Georgetown"),
        ("ACME PRODUCTS", "Acme Products"),
    ],
)
def test_spellings_of_a_maker_are_merged(maker, names):
    several = names.split("|")
    assert parsed("Manufacturer", "LO", *several) == [maker] * len(several)


def test_a_body_part_unmapped_stays_itself_and_is_told():
    values = pl.Series(["t spine", "room 7", "UNKNOWN", None, ""])
    assert parsed("BodyPartExamined", "CS", *values) == ["TSPINE", "ROOM 7", None, None, None]
    flags = unmapped("BodyPartExamined", values, TABLE)
    assert flags.to_list() == [False, True, False, False, False]


@example(values=["\x1f"], vr="DS", keyword="Manufacturer", items=1)
@given(
    st.lists(st.none() | st.text(max_size=12) | st.floats(width=32).map(str), max_size=20),
    st.sampled_from(["DS", "IS", "AS", "DA", "TM", "DT", "CS", "LO", "US", ""]),
    st.sampled_from(["KVP", "Manufacturer", "BodyPartExamined", "PixelSpacing"]),
    st.integers(1, 3),
)
def test_any_text_is_parsed_to_finite_numbers_or_filled_text(values, vr, keyword, items):
    made = parse(keyword, vr, pl.Series(values, dtype=pl.String), items=items, spellings=TABLE)
    assert made.shape == (len(values), items)
    numeric = parser_of(keyword, vr) in ("number", "age", "date", "time")
    for column in made:
        assert column.dtype == (pl.Float64 if numeric else pl.String)
        assert all(math.isfinite(v) if numeric else v.strip() for v in column.drop_nulls())
