"""What a ready table may not let out: judged by the reader's own rules, a column at a time.

A file's header is judged value by value (`gathering`, `headers`). Here each different value of a
column is judged once, and only rows in which one could repeat another are looked at singly.
"""

from collections.abc import Callable, Iterable

import polars as pl

from tagsight.dicom.dictionary import attribute
from tagsight.dicom.header_texts import CODED_TAGS, Gathered, is_kept
from tagsight.dicom.headers import is_source, may_repeat, repeating_in
from tagsight.dicom.repeated import MIN_LENGTH
from tagsight.dicom.values import NUMBERS, WITHHELD, cleaned, has_text

Texts = dict[str, pl.Series]  # keyword -> values (n,), String

_CODED = frozenset(CODED_TAGS.values())


def each(values: pl.Series, meaning: Callable[[str], str | None]) -> pl.Series:
    """Give each value (n,) its meaning, looked up once for each different one; null stays null."""
    distinct = values.drop_nulls().unique()
    meant = pl.Series([meaning(text) or None for text in distinct], dtype=pl.String)
    return values.replace_strict(distinct, meant, default=None, return_dtype=pl.String)


def judged(texts: Texts, keep: frozenset[str]) -> tuple[Texts, Texts]:
    """Return the values that may be seen and those that may not, null in each other's place.

    Withheld are the attributes of PS3.15 Table E.1-1 and persons' names (unless in `keep`), UIDs
    that no standard registers, words in the place of a number, a date or an age, texts longer than
    1,024 characters, and sequences. Of a value that is not kept for its form `\\0` is left.
    """
    shown, hidden = {}, {}
    for keyword, values in texts.items():
        clean = each(values, _cleaner(keyword))
        shown[keyword] = each(clean, _judge(keyword, keep))
        hidden[keyword] = clean.set(shown[keyword].is_not_null(), None)
    return shown, hidden


def repeating(shown: Texts, identifying: Texts, keep: frozenset[str]) -> list[tuple[str, int]]:
    """Return which values of `shown` repeat an identifying value of their own row: keyword, row."""
    sources = {k: v for k, v in identifying.items() if is_source(k, attribute(k).vr)}
    texts = {k: v for k, v in shown.items() if may_repeat(k, attribute(k).vr, keep)}
    vrs = {keyword: attribute(keyword).vr for keyword in {**sources, **texts}}
    found = []
    for row in _suspects(texts, sources.values()):
        gathered = Gathered(_filled(texts, row), vrs, _filled(sources, row))
        found += [(keyword, row) for keyword in repeating_in(gathered, keep)]
    return found


def _cleaner(keyword: str) -> Callable[[str], str]:
    vr = "LO" if keyword in _CODED else attribute(keyword).vr
    form = "DS" if vr in NUMBERS else vr  # binary numbers are text in a table
    return (lambda text: cleaned(form, text)) if has_text(vr) else (lambda _: WITHHELD)


def _judge(keyword: str, keep: frozenset[str]) -> Callable[[str], str | None]:
    vr = attribute(keyword).vr
    return lambda text: text if is_kept(keyword, vr, text, keep) else None


def _filled(texts: Texts, row: int) -> dict[str, str]:
    return {keyword: values[row] for keyword, values in texts.items() if values[row] is not None}


def _suspects(texts: Texts, sources: Iterable[pl.Series]) -> list[int]:
    """Rows in which a piece of a source stands in a text, be it inside a word: few, if any."""
    if not texts:
        return []
    said = pl.select(pl.concat_str(list(texts.values()), separator="\n", ignore_nulls=True))
    lower = said.to_series().str.to_lowercase()
    return sorted({row for source in sources for row in _rows_with(lower, source)})


def _rows_with(said: pl.Series, source: pl.Series) -> list[int]:
    pieces = pl.DataFrame({"said": said, "source": source.str.to_lowercase()}).with_row_index("row")
    pieces = pieces.drop_nulls("source")
    forms = [pl.col("source")]
    if pieces["source"].str.contains(r"[\\=^]").any():
        parts = pl.col("source").str.replace_all("=", "\\", literal=True)
        forms = [parts, *(parts.str.replace_all("^", by, literal=True) for by in (" ", "\\"))]
    several = pl.concat_list([form.str.split("\\") for form in forms])
    piece = pl.col("piece").str.strip_chars()
    apart = pieces.with_columns(piece=several).explode("piece").with_columns(piece)
    found = apart.filter(
        piece.str.len_chars() >= MIN_LENGTH, pl.col("said").str.contains(piece, literal=True)
    )
    return found["row"].unique().to_list()
