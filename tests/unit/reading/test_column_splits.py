"""Columns taken apart, against a slow loop over rows."""

import doctest

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tagsight.reading import column_splits
from tagsight.reading.column_splits import Split, counts, parts

ENTRY = {
    "column": "text",
    "where": {"site": ["x", "y"], "kind": "CT"},
    "separator": ",",
    "into": [None, "KVP", "ConvolutionKernel"],
    "missing": [0, "na"],
}
COLUMNS = {"text": pl.String, "site": pl.String, "kind": pl.String}
PARTS = st.lists(st.sampled_from(["0", "na", "", " ", "120", " B30f", "0.0"]), max_size=4)
ROWS = st.tuples(
    st.none() | PARTS.map(",".join),
    st.sampled_from(["x", "y", "z", None]),
    st.sampled_from(["CT", "MR", None]),
)


def slow(rows):
    """The values of KVP and ConvolutionKernel, row by row."""
    found = []
    for text, site, kind in rows:
        cut = text.split(",") if text is not None and site in ("x", "y") and kind == "CT" else []
        values = cut[1:] if len(cut) == 3 else [None, None]
        plain = [None if v is None or v.strip() in ("", "0", "na") else v.strip() for v in values]
        found.append(tuple(plain))
    return found


@given(st.lists(ROWS, max_size=12))
def test_a_column_is_taken_apart_as_by_a_loop(rows):
    table = pl.DataFrame(rows, COLUMNS, orient="row")
    found = parts(table, Split.from_config(ENTRY))
    assert list(found) == ["KVP", "ConvolutionKernel"]
    assert list(zip(*(found[k].to_list() for k in found), strict=True)) == slow(rows)


@given(st.lists(ROWS, max_size=12))
def test_what_is_left_whole_is_counted(rows):
    meant = [t for t, site, kind in rows if t is not None and site in ("x", "y") and kind == "CT"]
    table = pl.DataFrame(rows, COLUMNS, orient="row")
    found = table.select(counts(Split.from_config(ENTRY))).row(0)
    assert found == (len(meant), sum(len(text.split(",")) != 3 for text in meant))


def test_without_where_all_rows_are_taken_apart_and_a_separator_is_no_pattern():
    split = Split.from_config({"column": "text", "separator": ".", "into": ["KVP", "Rows"]})
    found = parts(pl.DataFrame({"text": ["80.512", "1.2.3"]}), split)
    assert found["KVP"].to_list() == ["80", None]
    assert found["Rows"].to_list() == ["512", None]
    assert split.columns == ["text"]


def test_the_examples_hold():
    assert doctest.testmod(column_splits).failed == 0
