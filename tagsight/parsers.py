"""Values of a tag, as stored → columns that can be compared, one per item of a multi-value.

Parsers: `number` (DS, IS, binary VRs), `age` (AS, in years), `date` (DA, DT, in years), `time` (TM,
in hours), `manufacturer`, `body_part` and `category`. All are meant for distinct values.
"""

import csv
import re
from functools import cache
from importlib.resources import files

import polars as pl

from tagsight import body_parts
from tagsight.makers import known_maker, known_makers

NUMBER_VRS = frozenset(["DS", "IS", "FL", "FD", "US", "SS", "UL", "SL", "SV", "UV"])
TEXT_VRS = frozenset(["LT", "ST", "UT", "UC", "UR"])  # free text, PS3.5 §6.2
BY_VR = {"AS": "age", "DA": "date", "DT": "date", "TM": "time"}
BY_KEYWORD = {
    "Manufacturer": "manufacturer",
    "BodyPartExamined": "body_part",
    "AnatomicRegionSequence": "body_part",
}
NUMERIC = frozenset({"number", "age", "date", "time"})
MOST_ITEMS = 6  # as many as ImageOrientationPatient has
LARGEST = 1e30  # float32 ends at 3.4e38; no tag measures anything near
PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0, "": 1.0}
# Written in another unit than PS3.3 says: numbers above this are gauss for tesla, Hz for MHz.
OTHER_UNITS = {"MagneticFieldStrength": (100.0, 1e-4), "ImagingFrequency": (1e5, 1e-6)}
SEPARATOR = "\\"


def parser_of(keyword: str, vr: str) -> str:
    """Return the name of the parser for a tag."""
    fallback = "number" if vr in NUMBER_VRS else "category"
    return BY_KEYWORD.get(keyword) or BY_VR.get(vr, fallback)


def column_names(keyword: str, items: int) -> list[str]:
    """`KVP` for a single value, `PixelSpacing[0]`, `PixelSpacing[1]` for several."""
    return [keyword] if items == 1 else [f"{keyword}[{i}]" for i in range(items)]


def item_count(values: pl.Series, weights: pl.Series) -> int:
    """Return the commonest number of items in a value, at most 6; of equals the smaller.

    values (n,) as stored, weights (n,) images that have each.
    """
    counted = pl.select(items=values.str.count_matches(SEPARATOR, literal=True) + 1, n=weights)
    totals = counted.group_by("items").agg(pl.col("n").sum())
    commonest = totals.sort(["n", "items"], descending=[True, False])
    return min(MOST_ITEMS, int(commonest["items"][0])) if len(commonest) else 1


def parse(
    keyword: str, vr: str, values: pl.Series, *, items: int, spellings: pl.DataFrame
) -> pl.DataFrame:
    """Return one column per item, (n, items): Float64, finite or null, or String.

    values (n,) as stored; spellings: the table of body parts. Null where an item is missing, is a
    code for missing (`data/missing_codes.csv`) or cannot be read.
    """
    parser = parser_of(keyword, vr)
    split = values.str.split(SEPARATOR)
    columns = [
        _item(keyword, parser, split.list.get(i, null_on_oob=True), spellings).alias(name)
        for i, name in enumerate(column_names(keyword, items))
    ]
    return pl.DataFrame(columns)


def is_code(keyword: str, vr: str, values: pl.Series) -> pl.Series:
    """Return whether the first item of each value (n,) is empty or a code for missing."""
    return _filled(
        keyword, parser_of(keyword, vr), values.str.split(SEPARATOR).list.first()
    ).is_null()


def vocabulary() -> frozenset[str]:
    """Return the makers and body parts of our tables: they can tell nobody's secret."""
    return known_makers() | frozenset(body_parts.annex_l())


def unmapped(keyword: str, values: pl.Series, spellings: pl.DataFrame) -> pl.Series:
    """Return whether each value (n,) of a body part is filled and yet means no term of Annex L."""
    text = _filled(keyword, "body_part", values.str.split(SEPARATOR).list.first())
    return text.is_not_null() & body_parts.terms(text, spellings).is_null()


def _item(keyword: str, parser: str, item: pl.Series, spellings: pl.DataFrame) -> pl.Series:
    """Read one item of every value."""
    text = _filled(keyword, parser, item)
    if parser in NUMERIC:
        return _in_unit(keyword, _without_codes(keyword, _NUMBERS[parser](text)))
    if parser == "manufacturer":
        return _makers(text)
    if parser == "body_part":
        return body_parts.terms(text, spellings).fill_null(text)
    return text


def _filled(keyword: str, parser: str, item: pl.Series) -> pl.Series:
    """Upper-case text with single blanks; null where empty or a code for missing."""
    text = item.str.to_uppercase().str.replace_all(r"[\s\p{Cc}]+", " ").str.strip_chars()
    codes = {code for scope in ("*", parser, keyword) for code in _codes().get(scope, ())}
    return text.set(text.is_in(sorted(codes)) | (text == ""), None)


def _without_codes(keyword: str, numbers: pl.Series) -> pl.Series:
    """Null out numbers that are codes for missing however written (0, 0.0), and absurd ones."""
    codes = [float(code) for code in _codes().get(keyword, ()) if _is_number(code)]
    sound = numbers.is_finite() & (numbers.abs() <= LARGEST) & ~numbers.is_in(codes)
    return numbers.set(~sound.fill_null(False), None)


def _in_unit(keyword: str, numbers: pl.Series) -> pl.Series:
    """Bring numbers to the standard's unit: one in gauss would dwarf the range of all in tesla."""
    above, factor = OTHER_UNITS.get(keyword, (LARGEST, 1.0))
    return numbers.set(numbers > above, None).fill_null(numbers * factor)


def _is_number(code: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", code) is not None


def _numbers(text: pl.Series) -> pl.Series:
    return text.cast(pl.Float64, strict=False)


def _ages(text: pl.Series) -> pl.Series:
    """`045Y`, `018M`, `006W`, `003D` → years; a bare number is taken for years."""
    pattern = r"^(\d{1,3}) ?([DWMY]?)$"
    number = text.str.extract(pattern, 1).cast(pl.Float64)
    unit = text.str.extract(pattern, 2).replace_strict(PER_YEAR, default=None)
    return number / unit.cast(pl.Float64)


def _dates(text: pl.Series) -> pl.Series:
    """`20240630` (also `2024.06.30`, and the start of a DT) → 2024.49 years."""
    digits = text.str.replace_all(r"[.\-/]", "").str.slice(0, 8)
    days = digits.str.to_date("%Y%m%d", strict=False).cast(pl.Int32).cast(pl.Float64)
    return 1970 + days / 365.25


def _times(text: pl.Series) -> pl.Series:
    """`134530.25` (also `13:45:30`) → 13.76 hours."""
    digits = text.str.replace_all(":", "", literal=True)
    parts = [digits.str.extract(rf"^(?:\d\d){{{i}}}(\d\d)", 1) for i in range(3)]
    hours, minutes, seconds = (part.cast(pl.Float64) for part in parts)
    return hours + minutes.fill_null(0.0) / 60 + seconds.fill_null(0.0) / 3600


_NUMBERS = {"number": _numbers, "age": _ages, "date": _dates, "time": _times}


def _makers(text: pl.Series) -> pl.Series:
    """Merge the spellings of a maker by the first rule that fits; others stay as they are."""
    plain = text.str.replace_all("_", " ", literal=True)
    merged = {name: known_maker(name) or name for name in plain.drop_nulls().unique().to_list()}
    return plain.replace_strict(merged, default=None, return_dtype=pl.String)


@cache
def _codes() -> dict[str, list[str]]:
    """Scope (`*`, a parser or a keyword) → its codes for missing."""
    codes: dict[str, list[str]] = {}
    for row in _data("missing_codes.csv"):
        codes.setdefault(row["scope"], []).append(row["code"])
    return codes


def _data(name: str) -> list[dict[str, str]]:
    text = (files("tagsight") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
