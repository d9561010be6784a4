"""The tags of a ready table's rows, in the form that the reader gives to those of files."""

from functools import partial

import numpy as np
import polars as pl

from tagsight.archive.paths import to_text
from tagsight.dicom.dictionary import attribute, region_column, words_column
from tagsight.dicom.header_texts import TRACERS, tracers
from tagsight.dicom.headers import ReaderOptions, region, words
from tagsight.dicom.privacy import identifier_hash, in_public, patient_hash
from tagsight.reading.column_privacy import Texts, map_distinct, repeating, shown_and_hidden
from tagsight.reading.column_splits import parts
from tagsight.reading.ready_table import ROW, Layout, ReadyTable
from tagsight.run.tables import BOOKKEEPING
from tagsight.run.user_files.table_config import IDENTIFIERS, NO_TAGS


def tags(rows: pl.DataFrame, table: ReadyTable, key: bytes, options: ReaderOptions) -> pl.DataFrame:
    """Return the tags of rows: the columns of BOOKKEEPING, then the keywords that have a value.

    rows: of `ready_table.deal`; key: of the hashes of identifiers.
    What may not leave is withheld (see `column_privacy`), its keywords are in `withheld`. `path`
    is the table's column of that name, or else the table and the number of the row: `tags.csv!12`.
    """
    columns, texts = table.layout.columns, _texts(rows, table.layout)
    told = _tracers(texts.pop(TRACERS, None), options)
    identifiers = {name: _column(rows, columns[name]) for name in IDENTIFIERS if name in columns}
    shown, hidden = shown_and_hidden(texts, options.keep)
    for name, values in identifiers.items():
        if IDENTIFIERS[name] not in options.keep:
            hidden[IDENTIFIERS[name]] = values
    _hide(shown, hidden, repeating(shown, hidden, options.keep))
    shown = {k: map_distinct(v, partial(in_public, k, attribute(k).vr)) for k, v in shown.items()}
    fixed = _hashes(identifiers, columns, key)
    fixed |= {"path": _paths(rows, table), "withheld": _keywords(hidden)}
    fixed |= {"site": _column(rows, columns["site"])} if "site" in columns else {}
    return _frame(fixed, shown | told | _derived(texts, options))


def _column(rows: pl.DataFrame, column: str) -> pl.Series:
    """A column under no name of the user's: to methods of a series `*` is a pattern."""
    return rows[column].alias("values")


def _texts(rows: pl.DataFrame, layout: Layout) -> Texts:
    """Keyword -> its values: from the keyword's column or, where that has none, from splits."""
    sources = {
        k: [_column(rows, column)] for k, column in layout.columns.items() if k not in NO_TAGS
    }
    for split in layout.splits:
        for keyword, values in parts(rows, split).items():
            sources.setdefault(keyword, []).append(values)
    return {k: pl.select(pl.coalesce(columns)).to_series() for k, columns in sources.items()}


def _hide(shown: Texts, hidden: Texts, repeated: list[tuple[str, int]]) -> None:
    """Move values, by keyword and row, from `shown` to `hidden`."""
    for keyword in {keyword for keyword, _ in repeated}:
        values, rows = shown[keyword], [row for name, row in repeated if name == keyword]
        mask = pl.Series(np.isin(np.arange(len(values)), rows))
        hidden[keyword] = hidden[keyword].zip_with(~mask, values)
        shown[keyword] = values.set(mask, None)


def _tracers(stated: pl.Series | None, options: ReaderOptions) -> Texts:
    """The words of radiopharmaceuticals, of a column that holds names of them."""
    words = options.facets
    if stated is None or words is None:
        return {}
    return {TRACERS: map_distinct(stated, lambda text: tracers([text.split("\\")], words))}


def _derived(texts: Texts, options: ReaderOptions) -> Texts:
    """The columns that `tags.derive_text` asks for."""
    keywords = [keyword for keyword in options.derive if keyword in texts]
    found = {
        region_column(k): map_distinct(texts[k], partial(region, k, options=options))
        for k in keywords
    }
    return found | {words_column(k): _words(texts, k, options) for k in keywords}


def _words(texts: Texts, keyword: str, options: ReaderOptions) -> pl.Series:
    """The words of technique in a description (n,), read once for each text and modality."""
    described = texts[keyword]
    modality = texts.get("Modality", pl.repeat(None, len(described), dtype=pl.String, eager=True))
    rows = pl.DataFrame({"text": described, "modality": modality.fill_null("")})
    distinct = rows.filter(pl.col("text").is_not_null()).unique()
    found = [words(keyword, text, beside, options) for text, beside in distinct.iter_rows()]
    meanings = distinct.with_columns(words=pl.Series(found, dtype=pl.String))
    on = ["text", "modality"]
    return rows.join(meanings, on=on, how="left", maintain_order="left")["words"]


def _hashes(identifiers: Texts, columns: dict[str, str], key: bytes) -> Texts:
    """Hashes by identifier; a column of two identifiers (a table of series) is hashed once."""
    uids = {columns[name]: values for name, values in identifiers.items() if name != "patient"}
    hashes = {
        column: map_distinct(values, partial(identifier_hash, key))
        for column, values in uids.items()
    }
    by_name = {name: hashes[columns[name]] for name in identifiers if name != "patient"}
    if "patient" in identifiers:
        by_name["patient"] = map_distinct(identifiers["patient"], partial(patient_hash, key))
    return by_name


def _paths(rows: pl.DataFrame, table: ReadyTable) -> pl.Series:
    if "path" in table.layout.columns:
        return _column(rows, table.layout.columns["path"])
    place = pl.lit(to_text(str(table.place)))
    return rows.select(pl.concat_str(place, pl.lit("!"), ROW)).to_series()


def _keywords(hidden: Texts) -> pl.Series:
    """The keywords that have a value in each row, joined by `\\`."""
    present = [
        pl.when(pl.lit(hidden[keyword]).is_not_null()).then(pl.lit(keyword))
        for keyword in sorted(hidden)
    ]
    return pl.select(pl.concat_str(present, separator="\\", ignore_nulls=True)).to_series()


def _frame(fixed: Texts, shown: Texts) -> pl.DataFrame:
    n = len(fixed["image"])
    nulls = pl.repeat(None, n, dtype=pl.String, eager=True)
    columns = {name: fixed.get(name, nulls) for name in BOOKKEEPING}
    filled = {name: shown[name] for name in sorted(shown) if shown[name].null_count() < n}
    return pl.DataFrame(columns | filled)
