"""What may leave of a ready table: judged by the rules of `privacy`, column by column.

A file's header is judged value by value. Here each distinct value of a column is judged once,
and only rows in which one value could repeat another are judged one by one.
"""

from collections.abc import Callable
from functools import partial

import polars as pl

from tagsight.dicom import privacy
from tagsight.dicom.dictionary import attribute
from tagsight.dicom.header_texts import CODED_TAGS
from tagsight.dicom.identities import written_forms
from tagsight.dicom.privacy import WITHHELD, identifies_alone, is_kept, may_repeat, searched
from tagsight.dicom.values import NUMBERS, cleaned, has_text

Texts = dict[str, pl.Series]  # keyword -> values (n,), String

_CODED = frozenset(CODED_TAGS.values())


def map_distinct(values: pl.Series, meaning: Callable[[str], str | None]) -> pl.Series:
    """Return `meaning` of each value (n,), called once for each distinct one; null stays null."""
    distinct = values.drop_nulls().unique()
    meanings = pl.Series([meaning(text) or None for text in distinct], dtype=pl.String)
    return values.replace_strict(distinct, meanings, default=None, return_dtype=pl.String)


def shown_and_hidden(texts: Texts, keep: frozenset[str]) -> tuple[Texts, Texts]:
    """Return the values that may leave and those that may not, null in each other's place.

    texts: values by keyword. A value that is withheld for its form becomes WITHHELD.
    """
    shown, hidden = {}, {}
    for keyword, values in texts.items():
        clean = map_distinct(values, _cleaner(keyword))
        shown[keyword] = map_distinct(clean, _filter(keyword, keep))
        hidden[keyword] = clean.set(shown[keyword].is_not_null(), None)
    return shown, hidden


def repeating(shown: Texts, identifying: Texts, keep: frozenset[str]) -> list[tuple[str, int]]:
    """Return keyword and row of each value of `shown` that repeats one of `identifying`."""
    sources = {k: v for k, v in identifying.items() if identifies_alone(k, attribute(k).vr)}
    texts = {k: v for k, v in shown.items() if may_repeat(k, attribute(k).vr, keep)}
    vrs = {keyword: attribute(keyword).vr for keyword in {**sources, **texts}}
    return [
        (keyword, row)
        for row in _suspects(texts, sources)
        for keyword in privacy.repeating(_row(texts, row), _row(sources, row), vrs, keep)
    ]


def _cleaner(keyword: str) -> Callable[[str], str]:
    vr = "LO" if keyword in _CODED else attribute(keyword).vr
    form = "DS" if vr in NUMBERS else vr  # binary numbers are text in a table
    return (lambda text: cleaned(form, text)) if has_text(vr) else (lambda _: WITHHELD)


def _filter(keyword: str, keep: frozenset[str]) -> Callable[[str], str | None]:
    vr = attribute(keyword).vr
    return lambda text: text if is_kept(keyword, vr, text, keep) else None


def _row(texts: Texts, row: int) -> dict[str, str]:
    return {keyword: values[row] for keyword, values in texts.items() if values[row] is not None}


def _suspects(texts: Texts, sources: Texts) -> list[int]:
    """Rows in which an identifying value is in a text, even inside a word: few."""
    if not texts:
        return []
    looked_through = [
        map_distinct(values, partial(searched, keyword, attribute(keyword).vr))
        for keyword, values in texts.items()
    ]
    joined = pl.select(pl.concat_str(looked_through, separator="\n", ignore_nulls=True))
    found = (_rows_with(joined.to_series(), k, source) for k, source in sources.items())
    return sorted({row for rows in found for row in rows})


def _rows_with(texts: pl.Series, keyword: str, source: pl.Series) -> list[int]:
    distinct, vr = source.drop_nulls().unique(), attribute(keyword).vr
    forms = [sorted(written_forms(keyword, vr, text)) for text in distinct]
    sought = pl.DataFrame({"source": distinct, "form": pl.Series(forms, dtype=pl.List(pl.String))})
    rows = pl.DataFrame({"text": texts, "source": source}).with_row_index("row")
    pairs = rows.drop_nulls().join(sought.explode("form").drop_nulls(), on="source")
    return pairs.filter(pl.col("text").str.contains(pl.col("form"), literal=True))["row"].to_list()
