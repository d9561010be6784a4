"""Numbers, ages, dates and times as text → numbers in the unit that the standard gives them.

What no body and no device can have (`data/plausible.csv`) is missing: one pixel spacing in metres
would dwarf the range of all others. Where a value can only be meant in another unit
(`data/other_units.csv`: gauss for tesla) it is converted.
"""

from functools import cache

import polars as pl

from tagsight.run.package_data import rows_of

LARGEST = 1e30  # float32 ends at 3.4e38; no tag measures anything near
PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0, "": 1.0}


def quantity(parser: str, keyword: str, text: pl.Series) -> pl.Series:
    """Return Float64 (n,), finite or null, in the standard's unit; null where unreadable or absurd.

    parser: `number` (DS, IS, binary VRs), `age` (AS, in years), `date` (DA, DT, in years) or `time`
    (TM, in hours), forms as in PS3.5 §6.2. text (n,): upper case, one item each, no padding.
    """
    return _plausible(keyword, _in_unit(keyword, _READ[parser](text)))


def is_converted(parser: str, keyword: str, text: pl.Series) -> pl.Series:
    """Return whether each text (n,) is in another unit than the standard's, and was converted."""
    read = _READ[parser](text)
    return (read != _in_unit(keyword, read)).fill_null(False)


def without_uncalibrated(tags: pl.LazyFrame) -> pl.LazyFrame:
    """Return the tags without the Pixel Spacing of projections that is none of the patient.

    Where it repeats the Imager Pixel Spacing and no calibration is named, it was measured at the
    detector (PS3.3 §10.7.1.3), and cannot be compared with the spacing of a section; it is null.
    """
    held = tags.collect_schema().names()
    if not {"PixelSpacing", "ImagerPixelSpacing"} <= set(held):
        return tags
    named = "PixelSpacingCalibrationType"
    type_ = pl.col(named) if named in held else pl.lit(None, pl.String)
    same = _floats("PixelSpacing") == _floats("ImagerPixelSpacing")
    spacing = pl.when(same & (type_.fill_null("") == "")).then(None).otherwise("PixelSpacing")
    return tags.with_columns(PixelSpacing=spacing)


def _floats(keyword: str) -> pl.Expr:
    """The first item as a number: rows and columns of a detector are alike."""
    return (
        pl.col(keyword)
        .str.split("\\")
        .list.first()
        .str.strip_chars()
        .cast(pl.Float64, strict=False)
    )


def _numbers(text: pl.Series) -> pl.Series:
    """`1.5`, `-2E+01`, with a decimal comma `0,5`; `1A`, `1,000.5` and `0X1F` are no numbers."""
    plain = text.str.replace(r"^([+-]?\d+),(\d+)$", "$1.$2")
    sound = plain.str.contains(r"^[+-]?(\d+\.?\d*|\.\d+)(E[+-]?\d+)?$")
    return plain.set(~sound.fill_null(False), None).cast(pl.Float64, strict=False)


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
    """`134530.25` (also `13:45:30`, `1345`, `13`) → 13.76 hours."""
    pattern = r"^([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60)(\.\d{1,6})?)?)?$"
    parts = [text.str.extract(pattern, i).cast(pl.Float64) for i in range(1, 5)]
    hours, minutes, seconds, fraction = (parts[0], *(part.fill_null(0.0) for part in parts[1:]))
    return hours + minutes / 60 + (seconds + fraction) / 3600


def _in_unit(keyword: str, numbers: pl.Series) -> pl.Series:
    converted = numbers
    for low, high, factor in _other_units().get(keyword, ()):
        foreign = numbers.is_between(low, high, closed="left")
        converted = converted.set(foreign.fill_null(False), None).fill_null(numbers * factor)
    return converted


def _plausible(keyword: str, numbers: pl.Series) -> pl.Series:
    low, high = _bounds().get(keyword, (-LARGEST, LARGEST))
    return numbers.set(~numbers.is_between(low, high).fill_null(False), None)


@cache
def _bounds() -> dict[str, tuple[float, float]]:
    """Keyword → the least and the most that a value can be, in the standard's unit."""
    rows = rows_of("plausible.csv")
    return {row["keyword"]: (float(row["minimum"]), float(row["maximum"])) for row in rows}


@cache
def _other_units() -> dict[str, list[tuple[float, float, float]]]:
    """Keyword → ranges that only another unit can give, and the factor from it."""
    units: dict[str, list[tuple[float, float, float]]] = {}
    for row in rows_of("other_units.csv"):
        known = units.setdefault(row["keyword"], [])
        known.append((float(row["from"]), float(row["to"]), float(row["factor"])))
    return units


_READ = {"number": _numbers, "age": _ages, "date": _dates, "time": _times}
