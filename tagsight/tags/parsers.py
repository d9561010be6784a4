"""Values of a tag, as stored → columns that can be compared, one per item of a multi-value.

Parsers: `number`, `age`, `date`, `time` (see `quantities`), `manufacturer`, `body_part`, `view`,
`laterality`, `sex` and `category`. All are meant for distinct values.
"""

import re
from functools import cache, partial

import polars as pl

from tagsight.dicom.dictionary import DERIVED
from tagsight.run.package_data import rows_of
from tagsight.tags.quantities import is_converted, quantity
from tagsight.terms import annex_l, body_parts
from tagsight.terms.defined_terms import defined_term
from tagsight.terms.manufacturers import known_maker, known_makers
from tagsight.terms.mojibake import is_mojibake

NUMBER_VRS = frozenset(["DS", "IS", "FL", "FD", "US", "SS", "UL", "SL", "SV", "UV"])
TEXT_VRS = frozenset(["LT", "ST", "UT", "UC", "UR"])  # free text, PS3.5 §6.2
BY_VR = {"AS": "age", "DA": "date", "DT": "date", "TM": "time"}
BY_KEYWORD = {
    "Manufacturer": "manufacturer",
    "BodyPartExamined": "body_part",
    "AnatomicRegionSequence": "body_part",
    **dict.fromkeys(DERIVED, "body_part"),
    "ViewPosition": "view",
    "Laterality": "laterality",
    "ImageLaterality": "laterality",
    "FrameLaterality": "laterality",
    "PatientSex": "sex",
}
NUMERIC = frozenset({"number", "age", "date", "time"})
MOST_ITEMS = 6  # as many as ImageOrientationPatient has
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
    code for missing (`data/missing_codes.csv`), cannot be read or cannot be meant.
    """
    parser = parser_of(keyword, vr)
    columns = []
    for i, name in enumerate(column_names(keyword, items)):
        text = _filled(keyword, parser, _nth(values, i))
        meaning = _meaning(keyword, parser, text, spellings)
        if parser not in NUMERIC:
            meaning = meaning.fill_null(text.set(_garbled(text), None))
        columns.append(meaning.alias(name))
    return pl.DataFrame(columns)


def is_code(keyword: str, vr: str, values: pl.Series) -> pl.Series:
    """Return whether the first item of each value (n,) is empty or a code for missing."""
    return _filled(keyword, parser_of(keyword, vr), _nth(values, 0)).is_null()


def vocabulary() -> frozenset[str]:
    """Return the makers and body parts of our tables: they can tell nobody's secret."""
    return known_makers() | frozenset(annex_l.annex_l())


def unmapped(
    keyword: str, vr: str, values: pl.Series, *, items: int, spellings: pl.DataFrame
) -> pl.Series:
    """Return whether an item of each value (n,) is filled and yet was not understood.

    That is: no number, or none that can be; no term of the tables; mojibake.
    """
    parser = parser_of(keyword, vr)
    found = pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
    for i in range(items):
        text = _filled(keyword, parser, _nth(values, i))
        meaning = _meaning(keyword, parser, text, spellings)
        coded = meaning.is_null() & (parser in NUMERIC) & _is_zero(keyword, text)
        found |= text.is_not_null() & meaning.is_null() & ~coded
    return found


def converted(keyword: str, vr: str, values: pl.Series) -> pl.Series:
    """Return whether the first item of each value (n,) was brought from another unit."""
    parser = parser_of(keyword, vr)
    if parser not in NUMERIC:
        return pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
    return is_converted(parser, keyword, _filled(keyword, parser, _nth(values, 0)))


def _nth(values: pl.Series, i: int) -> pl.Series:
    return values.str.split(SEPARATOR).list.get(i, null_on_oob=True)


def _meaning(keyword: str, parser: str, text: pl.Series, spellings: pl.DataFrame) -> pl.Series:
    """Return what filled text (n,) stands for: numbers, or names of our tables; null if nothing."""
    if parser in NUMERIC:
        numbers = quantity(parser, keyword, text)
        return numbers.set(_is_zero(keyword, text), None)
    text = text.set(_garbled(text), None)
    if parser == "category":
        return text
    if parser == "body_part":
        return body_parts.terms(text, spellings)
    read = known_maker if parser == "manufacturer" else partial(defined_term, parser)
    meant = {name: read(name) for name in text.drop_nulls().unique().to_list()}
    return text.replace_strict(meant, default=None, return_dtype=pl.String)


def _garbled(text: pl.Series) -> pl.Series:
    """Whether a value is mojibake. Few have the signs of it, so that few are looked at."""
    signs = text.str.contains(r"[^ -~]|\?|\$").fill_null(False)
    return signs & text.is_in([name for name in text.filter(signs).unique() if is_mojibake(name)])


def _filled(keyword: str, parser: str, item: pl.Series) -> pl.Series:
    """Upper-case text with single blanks; null where empty or a code for missing."""
    text = item.str.to_uppercase().str.replace_all(r"\s+", " ").str.strip_chars()
    codes = {code for scope in ("*", parser, keyword) for code in _codes().get(scope, ())}
    silent = ~text.str.contains(r"[\p{L}\p{N}]").fill_null(False) & ~_garbled(text)
    return text.set(silent | text.is_in(sorted(codes)).fill_null(False), None)


def _is_zero(keyword: str, text: pl.Series) -> pl.Series:
    """Whether a number is a code for missing however written (0, 0.0, 0E0)."""
    codes = [float(code) for code in _codes().get(keyword, ()) if _is_number(code)]
    return text.cast(pl.Float64, strict=False).is_in(codes).fill_null(False)


def _is_number(code: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", code) is not None


@cache
def _codes() -> dict[str, list[str]]:
    """Scope (`*`, a parser or a keyword) → its codes for missing."""
    codes: dict[str, list[str]] = {}
    for row in rows_of("missing_codes.csv"):
        codes.setdefault(row["scope"], []).append(row["code"])
    return codes
