"""Values of a tag, as stored → columns that can be compared, one per item of a multi-value.

Each entry of PARSERS is one parser: which tags it reads, how, and what selection and fitting need
to know about it. Call them on distinct values.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

import polars as pl

from tagsight.dicom.dictionary import REGIONS
from tagsight.run.package_data import rows_of
from tagsight.tags import quantities
from tagsight.terms import annex_l, body_parts
from tagsight.terms.defined_terms import defined_term
from tagsight.terms.manufacturers import known_maker, known_makers
from tagsight.terms.mojibake import is_mojibake

NUMBER_VRS = ("DS", "IS", "FL", "FD", "US", "SS", "UL", "SL", "SV", "UV")
TEXT_VRS = frozenset(["LT", "ST", "UT", "UC", "UR"])  # free text, PS3.5 §6.2
MOST_ITEMS = 6  # as many as ImageOrientationPatient has
SEPARATOR = "\\"
NO_SPELLINGS = pl.DataFrame(schema={"spelling": pl.String, "term": pl.String})

# Filled texts (n,), upper case, one item each, and the table of spellings of body parts -> numbers
# (Float64) or terms (String), null where a text is not understood.
Reader = Callable[[pl.Series, pl.DataFrame], pl.Series]


@dataclass(frozen=True)
class Parser:
    """How the texts of some tags are read, as an entry of PARSERS.

    name: in encoding.json, and as a scope of `data/missing_codes.csv`
    kind: what comes out; numbers (and dates, which are numbers) are in the standard's unit
    read: see Reader; a category that is not understood keeps its text
    keywords, vrs: the tags that it reads; a keyword takes precedence over a VR
    long_tail: whether its tags are exempt from `select.max_categories`, since most of their values
        are spelling variants
    hand_typed: whether people type its values, so that rare ones may identify somebody
    terms: returns the terms that `read` gives and that cannot identify anybody
    """

    name: str
    kind: Literal["numeric", "date", "categorical"]
    read: Reader
    keywords: tuple[str, ...] = ()
    vrs: tuple[str, ...] = ()
    long_tail: bool = False
    hand_typed: bool = False
    terms: Callable[[], frozenset[str]] = frozenset

    @property
    def numeric(self) -> bool:
        """Whether columns hold numbers."""
        return self.kind != "categorical"


def _alone(read: Callable[[pl.Series], pl.Series]) -> Reader:
    """A reader that needs no table of spellings."""
    return lambda text, _spellings: read(text)


def _each(read: Callable[[str], str | None]) -> Reader:
    """A reader of one text at a time."""

    def terms(text: pl.Series, _spellings: pl.DataFrame) -> pl.Series:
        read_as = {name: read(name) for name in text.drop_nulls().unique().to_list()}
        return text.replace_strict(read_as, default=None, return_dtype=pl.String)

    return terms


def _term_of(kind: str) -> Reader:
    return _each(partial(defined_term, kind))


PARSERS = [
    Parser("number", "numeric", _alone(quantities.decimals), vrs=NUMBER_VRS),
    Parser("age", "numeric", _alone(quantities.ages), vrs=("AS",)),
    Parser("date", "date", _alone(quantities.dates), vrs=("DA", "DT")),
    Parser("time", "date", _alone(quantities.times), vrs=("TM",)),
    Parser(
        "manufacturer",
        "categorical",
        _each(known_maker),
        keywords=("Manufacturer",),
        long_tail=True,
        terms=known_makers,
    ),
    Parser(
        "body_part",
        "categorical",
        body_parts.terms,
        keywords=("BodyPartExamined", "AnatomicRegionSequence", *REGIONS),
        long_tail=True,
        hand_typed=True,
        terms=lambda: frozenset(annex_l.annex_l()),
    ),
    Parser("view", "categorical", _term_of("view"), keywords=("ViewPosition",), long_tail=True),
    Parser(
        "laterality",
        "categorical",
        _term_of("laterality"),
        keywords=("Laterality", "ImageLaterality", "FrameLaterality"),
        long_tail=True,
    ),
    Parser("sex", "categorical", _term_of("sex"), keywords=("PatientSex",), long_tail=True),
]
CATEGORY = Parser("category", "categorical", _alone(lambda text: text))  # of all other tags


def parser_of(keyword: str, vr: str) -> Parser:
    """Return the parser for a tag: by its keyword, else by its VR, else CATEGORY."""
    by_keyword = [parser for parser in PARSERS if keyword in parser.keywords]
    by_vr = [parser for parser in PARSERS if vr in parser.vrs]
    return [*by_keyword, *by_vr, CATEGORY][0]


def long_tailed() -> list[str]:
    """Return the keywords most of whose values are spelling variants (`Parser.long_tail`)."""
    return [keyword for parser in PARSERS if parser.long_tail for keyword in parser.keywords]


def column_names(keyword: str, items: int) -> list[str]:
    """Return `KVP` for a single value, `PixelSpacing[0]`, `PixelSpacing[1]` for several."""
    return [keyword] if items == 1 else [f"{keyword}[{i}]" for i in range(items)]


def item_count(values: pl.Series, weights: pl.Series) -> int:
    """Return the most frequent number of items in a value, at most 6; in a tie the smaller.

    values: String (n,), as stored; weights: int (n,), how many images have each.
    """
    counted = pl.select(items=values.str.count_matches(SEPARATOR, literal=True) + 1, n=weights)
    totals = counted.group_by("items").agg(pl.col("n").sum())
    commonest = totals.sort(["n", "items"], descending=[True, False])
    return min(MOST_ITEMS, int(commonest["items"][0])) if len(commonest) else 1


def parse(
    keyword: str, vr: str, values: pl.Series, *, items: int, spellings: pl.DataFrame = NO_SPELLINGS
) -> pl.DataFrame:
    """Return one column per item of the values of a tag.

    values: String (n,), as stored; items: number of columns; spellings: of body parts.
    Returns (n, items): Float64, finite or null, or String. Null where an item is missing, is a code
    for missing (`data/missing_codes.csv`), cannot be read, or is implausible.
    """
    parser = parser_of(keyword, vr)
    columns = []
    for i, name in enumerate(column_names(keyword, items)):
        text = _filled(keyword, parser, _nth(values, i))
        meaning = _meaning(keyword, parser, text, spellings)
        if not parser.numeric:
            meaning = meaning.fill_null(text.set(_garbled(text), None))
        columns.append(meaning.alias(name))
    return pl.DataFrame(columns)


def is_code(keyword: str, vr: str, values: pl.Series) -> pl.Series:
    """Return whether the first item of each value (n,) is empty or a code for missing."""
    return _filled(keyword, parser_of(keyword, vr), _nth(values, 0)).is_null()


def vocabulary() -> frozenset[str]:
    """Return the terms of our tables, such as makers and body parts; they identify nobody."""
    return frozenset().union(*(parser.terms() for parser in PARSERS))


def unmapped(
    keyword: str, vr: str, values: pl.Series, *, items: int, spellings: pl.DataFrame
) -> pl.Series:
    """Return whether an item of each value (n,) is filled and was not understood.

    That is: not a number, an implausible number, no term of the tables, or mojibake.
    """
    parser = parser_of(keyword, vr)
    missed = pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
    for i in range(items):
        text = _filled(keyword, parser, _nth(values, i))
        meaning = _meaning(keyword, parser, text, spellings)
        coded = meaning.is_null() & parser.numeric & _is_zero(keyword, text)
        missed |= text.is_not_null() & meaning.is_null() & ~coded
    return missed


def converted(keyword: str, vr: str, values: pl.Series) -> pl.Series:
    """Return whether the first item of each value (n,) was converted from another unit."""
    parser = parser_of(keyword, vr)
    if not parser.numeric:
        return pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
    numbers = parser.read(_filled(keyword, parser, _nth(values, 0)), NO_SPELLINGS)
    return quantities.is_converted(keyword, numbers)


def _nth(values: pl.Series, i: int) -> pl.Series:
    return values.str.split(SEPARATOR).list.get(i, null_on_oob=True)


def _meaning(keyword: str, parser: Parser, text: pl.Series, spellings: pl.DataFrame) -> pl.Series:
    """The meaning of filled text (n,): numbers, or terms of our tables; null if none."""
    if parser.numeric:
        numbers = quantities.in_unit(keyword, parser.read(text, spellings))
        return numbers.set(_is_zero(keyword, text), None)
    return parser.read(text.set(_garbled(text), None), spellings)


def _garbled(text: pl.Series) -> pl.Series:
    """Whether a value is mojibake; only values with suspicious characters are tested."""
    signs = text.str.contains(r"[^ -~]|\?|\$").fill_null(False)
    return signs & text.is_in([name for name in text.filter(signs).unique() if is_mojibake(name)])


def _filled(keyword: str, parser: Parser, item: pl.Series) -> pl.Series:
    """Upper-case text with single blanks; null where empty or a code for missing."""
    text = item.str.to_uppercase().str.replace_all(r"\s+", " ").str.strip_chars()
    codes = {code for scope in ("*", parser.name, keyword) for code in _codes().get(scope, ())}
    no_word = ~text.str.contains(r"[\p{L}\p{N}]").fill_null(False) & ~_garbled(text)
    return text.set(no_word | text.is_in(sorted(codes)).fill_null(False), None)


def _is_zero(keyword: str, text: pl.Series) -> pl.Series:
    """Whether a number is a code for missing, in any notation (0, 0.0, 0E0)."""
    codes = [float(code) for code in _codes().get(keyword, ()) if _is_number(code)]
    return quantities.decimals(text).is_in(codes).fill_null(False)


def _is_number(code: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", code) is not None


@cache
def _codes() -> dict[str, list[str]]:
    """Scope (`*`, a parser or a keyword) → its codes for missing."""
    codes: dict[str, list[str]] = {}
    for row in rows_of("missing_codes.csv"):
        codes.setdefault(row["scope"], []).append(row["code"])
    return codes
