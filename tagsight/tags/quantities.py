"""Numbers, ages, dates and times as text → numbers in the unit that the standard gives them.

Texts are upper case, one item each, without padding, in the forms of PS3.5 §6.2.
An implausible value (`data/plausible.csv`) counts as missing: one pixel spacing in metres would
dwarf the range of all others. A value that can only be in another unit (`data/other_units.csv`:
gauss for tesla) is converted.
"""

from functools import cache

import polars as pl

from tagsight.dicom.numerals import COMMA, DECIMAL
from tagsight.run.package_data import rows_of
from tagsight.terms.other_units import other_units

LARGEST = 1e30  # float32 ends at 3.4e38; no tag measures anything near
PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0, "": 1.0}


def in_unit(keyword: str, numbers: pl.Series) -> pl.Series:
    """Return numbers of a tag in the standard's unit; null for implausible values.

    numbers: float64 (n,), null = missing.
    Returns Float64 (n,), finite or null.
    """
    return _plausible(keyword, _converted(keyword, numbers))


def is_converted(keyword: str, numbers: pl.Series) -> pl.Series:
    """Return whether each number (n,) of a tag is in another unit than the standard's."""
    return (numbers != _converted(keyword, numbers)).fill_null(False)


def without_uncalibrated(tags: pl.LazyFrame) -> pl.LazyFrame:
    """Return the tags with null for a Pixel Spacing of projections that was not calibrated.

    If it repeats the Imager Pixel Spacing and names no calibration, it was measured at the
    detector, not in the patient (PS3.3 §10.7.1.3), and is not comparable with that of a slice.
    """
    columns = tags.collect_schema().names()
    if not {"PixelSpacing", "ImagerPixelSpacing"} <= set(columns):
        return tags
    keyword = "PixelSpacingCalibrationType"
    calibration = pl.col(keyword) if keyword in columns else pl.lit(None, pl.String)
    same = _floats("PixelSpacing") == _floats("ImagerPixelSpacing")
    spacing = pl.when(same & (calibration.fill_null("") == "")).then(None).otherwise("PixelSpacing")
    return tags.with_columns(PixelSpacing=spacing)


def _floats(keyword: str) -> pl.Expr:
    """The first item as a number; a detector's rows and columns have the same spacing."""
    first = pl.col(keyword).str.split("\\").list.first().str.strip_chars().str.to_uppercase()
    return first.map_batches(decimals, return_dtype=pl.Float64)


def decimals(text: pl.Series) -> pl.Series:
    """Return the numbers in texts (n,) of DS, IS and binary VRs; null if not a number.

    What is a number stands in `dicom.numerals`, where pictures ask too.
    """
    plain = text.str.replace(COMMA, "${1}.${2}")
    is_number = plain.str.contains(f"^{DECIMAL}$")
    return plain.set(~is_number.fill_null(False), None).cast(pl.Float64, strict=False)


def ages(text: pl.Series) -> pl.Series:
    """Return years for texts (n,) of AS: `045Y`, `018M`, `006W`, `003D`; a bare number is years."""
    pattern = r"^(\d{1,3}) ?([DWMY]?)$"
    number = text.str.extract(pattern, 1).cast(pl.Float64)
    unit = text.str.extract(pattern, 2).replace_strict(PER_YEAR, default=None)
    return number / unit.cast(pl.Float64)


def dates(text: pl.Series) -> pl.Series:
    """Return years for texts (n,) of DA and DT: 2024.49 for `20240630` and `2024.06.30`."""
    digits = text.str.replace_all(r"[.\-/]", "").str.slice(0, 8)
    days = digits.str.to_date("%Y%m%d", strict=False).cast(pl.Int32).cast(pl.Float64)
    return 1970 + days / 365.25


def times(text: pl.Series) -> pl.Series:
    """Return hours for texts (n,) of TM: 13.76 for `134530.25`; also `13:45:30`, `1345`, `13`."""
    pattern = r"^([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60)(\.\d{1,6})?)?)?$"
    parts = [text.str.extract(pattern, i).cast(pl.Float64) for i in range(1, 5)]
    hours, minutes, seconds, fraction = (parts[0], *(part.fill_null(0.0) for part in parts[1:]))
    return hours + minutes / 60 + (seconds + fraction) / 3600


def _converted(keyword: str, numbers: pl.Series) -> pl.Series:
    converted = numbers
    for low, high, factor in other_units().get(keyword, ()):
        foreign = numbers.is_between(low, high, closed="left")
        converted = converted.set(foreign.fill_null(False), None).fill_null(numbers * factor)
    return converted


def _plausible(keyword: str, numbers: pl.Series) -> pl.Series:
    low, high = _bounds().get(keyword, (-LARGEST, LARGEST))
    return numbers.set(~numbers.is_between(low, high).fill_null(False), None)


@cache
def _bounds() -> dict[str, tuple[float, float]]:
    """Keyword → the least and the largest plausible value, in the standard's unit."""
    rows = rows_of("plausible.csv")
    return {row["keyword"]: (float(row["minimum"]), float(row["maximum"])) for row in rows}
