import math
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tagsight.tags import parsers
from tagsight.tags.parsers import Parser, converted, item_count, parse, parser_of, unmapped
from tagsight.terms.body_parts import read_spellings

TABLE = read_spellings(Path(__file__).parents[3] / "tagsight/data/body_parts.csv")


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


@pytest.mark.parametrize(
    ("keyword", "vr", "codes"),
    [
        ("KVP", "DS", ["0", "0.00", "999", "x", "", "nan"]),
        ("SliceThickness", "DS", ["0", "-", "1e300", "inf"]),
        ("PatientWeight", "DS", ["0", "999"]),
        ("PatientSex", "CS", ["U", " "]),
        (
            "Modality",
            "CS",
            ["N/A", "unknown", "XXXX", '""', "***", "неизвестно", "不明", "Inconnu"],
        ),
        ("BodyPartExamined", "CS", ["unknown", "NONE", "Other"]),
    ],
)
def test_codes_of_missing_are_missing(keyword, vr, codes):
    assert parsed(keyword, vr, *codes) == [None] * len(codes)


def test_zero_stays_where_it_means_something():
    assert parsed("RescaleIntercept", "DS", "0") == [0.0]
    assert parsed("ScanOptions", "CS", "NONE") == ["NONE"]


def test_images_whose_unit_was_another_are_told():
    values = pl.Series(["1.5", "15000", None, "x"])
    flags = converted("MagneticFieldStrength", "DS", values)
    assert flags.to_list() == [False, True, False, False]
    assert not converted("Modality", "CS", pl.Series(["MR"])).any()


def test_a_maker_goes_by_one_name_and_an_unknown_one_by_its_own():
    made = parsed("Manufacturer", "LO", "GE MEDICAL SYSTEMS", "G.E.", "Acme Products", "none")
    assert made == ["GE", "GE", "ACME PRODUCTS", None]


def test_view_side_and_sex_go_by_the_standards_terms():
    assert parsed("ViewPosition", "CS", "pa", "R MLO", "Oblik 3", None) == [
        "PA",
        "MLO",
        "OBLIK 3",
        None,
    ]
    assert parsed("ImageLaterality", "CS", "LEFT", "U", "x1") == ["L", "U", "X1"]
    assert parsed("PatientSex", "CS", "female", "M", "U", "O") == ["F", "M", None, "O"]


def test_a_region_that_was_derived_is_a_body_part():
    assert parser_of("ProtocolNameWords", "CS").name == "category"
    assert parser_of("ProtocolNameRegion", "CS").name == "body_part"
    assert parsed("StudyDescriptionRegion", "CS", "CHESTABDOMEN", None) == ["CHESTABDOMEN", None]


@pytest.mark.parametrize(
    "garbled", ["MÃ¼nchen", "K?rper", "\ufffdPFE", "\x1b$BF,It", "ÃÎËÎÂÀ", "a\x00b"]
)
def test_mojibake_is_no_category_and_is_told(garbled):
    for keyword, vr in [("BodyPartExamined", "CS"), ("Manufacturer", "LO"), ("StationName", "SH")]:
        assert parsed(keyword, vr, garbled, "CHEST") == [None, "CHEST"]
        flags = unmapped(
            keyword, vr, pl.Series([garbled, None, "UNKNOWN"]), items=1, spellings=TABLE
        )
        assert flags.to_list() == [True, False, False]


def test_a_body_part_unmapped_stays_itself_and_is_told():
    values = pl.Series(["t spine", "room 7", "UNKNOWN", None, ""])
    assert parsed("BodyPartExamined", "CS", *values) == ["TSPINE", "ROOM 7", None, None, None]
    flags = unmapped("BodyPartExamined", "CS", values, items=1, spellings=TABLE)
    assert flags.to_list() == [False, True, False, False, False]


@pytest.mark.parametrize(
    ("keyword", "vr", "value", "missed"),
    [
        ("EchoTime", "DS", "12.5", False),
        ("EchoTime", "DS", "0.0", False),  # a code for missing is understood
        ("EchoTime", "DS", "1A", True),
        ("EchoTime", "DS", "-7", True),
        ("PixelSpacing", "DS", "0.5\\500", True),
        ("PixelSpacing", "DS", "0.5\\", False),
        ("Modality", "CS", "room 7", False),
        ("ViewPosition", "CS", "room 7", True),
        ("Manufacturer", "LO", "Acme", True),
        ("PatientAge", "AS", "45 YEARS", True),
        ("PatientAge", "AS", "999Y", False),
    ],
)
def test_what_was_not_understood_is_told_from_what_is_missing(keyword, vr, value, missed):
    flags = unmapped(keyword, vr, pl.Series([value]), items=2, spellings=TABLE)
    assert flags.to_list() == [missed]


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
    numeric = parser_of(keyword, vr).name in ("number", "age", "date", "time")
    for column in made:
        assert column.dtype == (pl.Float64 if numeric else pl.String)
        assert all(math.isfinite(v) if numeric else v.strip() for v in column.drop_nulls())


def test_no_two_parsers_have_one_name_keyword_or_vr():
    for several in (
        [parser.name for parser in parsers.PARSERS],
        [keyword for parser in parsers.PARSERS for keyword in parser.keywords],
        [vr for parser in parsers.PARSERS for vr in parser.vrs],
    ):
        assert len(set(several)) == len(several)


def test_an_entry_is_all_that_a_new_parser_needs(monkeypatch):
    """A kernel's sharpness: a number, and terms, with a long tail."""
    sharpness = Parser(
        "sharpness",
        "numeric",
        lambda text, _spellings: text.str.extract(r"^B(\d+)").cast(pl.Float64),
        keywords=("ConvolutionKernel",),
    )
    planes = Parser(
        "plane",
        "categorical",
        lambda text, _spellings: text.str.extract("(AXIAL|SAGITTAL)"),
        keywords=("ImageComments",),
        long_tail=True,
        terms=lambda: frozenset(["AXIAL", "SAGITTAL"]),
    )
    monkeypatch.setattr(parsers, "PARSERS", [*parsers.PARSERS, sharpness, planes])
    assert parsed("ConvolutionKernel", "SH", "B30f", "b70", "soft", None) == [30, 70, None, None]
    assert parsed("ImageComments", "LT", "t2 axial", "scout") == ["AXIAL", "SCOUT"]
    missed = unmapped(
        "ConvolutionKernel", "SH", pl.Series(["B30f", "soft"]), items=1, spellings=TABLE
    )
    assert missed.to_list() == [False, True]
    assert parsers.vocabulary() >= {"AXIAL", "GE", "CHEST"}
    assert "ImageComments" in parsers.long_tailed()
    assert "ConvolutionKernel" not in parsers.long_tailed()
