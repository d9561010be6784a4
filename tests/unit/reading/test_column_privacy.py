"""What may leave a table, column by column, against the reader's judgement row by row."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.dicom import privacy
from tagsight.dicom.dictionary import attribute
from tagsight.dicom.privacy import is_kept
from tagsight.dicom.values import cleaned
from tagsight.reading.column_privacy import map_distinct, repeating, shown_and_hidden

KEEP = frozenset({"PatientSex"})
KINDS = ["ScanOptions", "Manufacturer", "ManufacturerModelName", "SequenceName", "PatientSex"]
SOURCES = ["PatientName", "StationName", "PatientID", "StudyDescription"]
WORDS = st.sampled_from(["MEIER", "Meier^Anna", "anna", "GE", "GE Medical", "A=B^Meier", "li^bo"])
TEXTS = st.none() | st.lists(WORDS | st.just("li bo x"), min_size=1, max_size=3).map(" ".join)


def columns(names, rows):
    return {
        name: pl.Series([row[i] for row in rows], dtype=pl.String) for i, name in enumerate(names)
    }


@settings(max_examples=200)
@given(st.data(), st.integers(1, 4))
def test_what_repeats_is_found_as_in_files(data, n):
    shown = columns(KINDS, [data.draw(st.tuples(*[TEXTS] * 5)) for _ in range(n)])
    hidden = columns(SOURCES, [data.draw(st.tuples(*[st.none() | WORDS] * 4)) for _ in range(n)])
    vrs = {keyword: attribute(keyword).vr for keyword in [*KINDS, *SOURCES]}
    slow = []
    for row in range(n):
        values = {k: v[row] for k, v in shown.items() if v[row] is not None}
        withheld = {k: v[row] for k, v in hidden.items() if v[row] is not None}
        slow += [(k, row) for k in privacy.repeating(values, withheld, vrs, KEEP)]
    assert repeating(shown, hidden, KEEP) == slow


VALUES = st.none() | st.sampled_from(
    ["CT", "1.2.840.10008.1.2", "1.2.3", "012Y", "abc def", " 5 ", "A\\ B", "x" * 1025, "\\"]
)


@pytest.mark.parametrize(
    "keyword", ["Modality", "SOPClassUID", "PatientAge", "PatientName", "StudyDate", "PatientSex"]
)
@given(st.lists(VALUES, max_size=8))
def test_values_are_judged_as_in_files(keyword, values):
    shown, hidden = shown_and_hidden({keyword: pl.Series(values, dtype=pl.String)}, KEEP)
    vr = attribute(keyword).vr
    for value, open_, closed in zip(values, shown[keyword], hidden[keyword], strict=True):
        text = cleaned(vr, value) if value is not None else ""
        kept = text != "" and is_kept(keyword, vr, text, KEEP)
        assert open_ == (text if kept else None)
        assert (closed is not None) == (text != "" and not kept)


def test_bulk_and_sequences_are_no_text():
    text = pl.Series(["abc"])
    shown, hidden = shown_and_hidden(
        {"PixelData": text, "DeidentificationMethodCodeSequence": text}, KEEP
    )
    assert [values[0] for values in shown.values()] == [None, None]
    assert [values[0] for values in hidden.values()] == ["\0", "\0"]
    shown, _ = shown_and_hidden({"AnatomicRegionSequence": text}, KEEP)
    assert shown["AnatomicRegionSequence"][0] == "abc"


def test_each_value_is_looked_up_once():
    asked = []
    found = map_distinct(
        pl.Series(["a", None, "a", "b"]), lambda text: asked.append(text) or text.upper()
    )
    assert found.to_list() == ["A", None, "A", "B"]
    assert sorted(asked) == ["a", "b"]
