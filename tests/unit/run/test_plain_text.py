"""Texts of others are plain where they are shown, and counts have their nouns."""

import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.run import plain_text
from tagsight.run.plain_text import counted, for_spreadsheets, plain, short


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text):
    """By the categories of Unicode: controls, formats of direction and width, separators."""
    left = plain(text)
    bidirectional = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not {unicodedata.category(c) for c in left} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(c) for c in left} & bidirectional
    assert plain(left) == left


@pytest.mark.parametrize("text", ["Knie re", "胸部正面", "Žr · 5 mm", "a\xa0b", "=1"])
def test_what_is_seen_stays(text):
    assert plain(text) == text


def test_words_that_no_line_has_room_for_are_cut():
    assert short("A" * 900 + " B") == "A" * 59 + "… B"
    assert short("word " * 300) == "word " * 300


@given(st.lists(st.none() | st.text(max_size=6), min_size=1))
def test_no_cell_begins_as_a_formula_unless_it_is_a_number(texts):
    cells = for_spreadsheets(pl.DataFrame({"a": pl.Series(texts, dtype=pl.String)}))["a"].to_list()
    for text, cell in zip(texts, cells, strict=True):
        assert (text is None) == (cell is None)
        if cell and cell[0] in "=+-@＝＋－＠":
            float(cell)


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        *((0, "patient", "0 patients"), (1, "patient", "1 patient")),
        *((1234, "image", "1,234 images"), (1, "series", "1 series"), (2, "series", "2 series")),
    ],
)
def test_a_count_has_its_noun(number, noun, said):
    assert counted(number, noun) == said


def test_the_two_lists_of_what_is_unseen_are_one():
    """Python's pattern and that of tables."""
    letters = [chr(n) for n in range(0x3000) if not 0xD800 <= n < 0xE000]
    series = pl.Series(letters)
    of_table = series.filter(series.str.contains(plain_text._UNSEEN_IN_FRAME)).to_list()
    assert of_table == [letter for letter in letters if plain(letter) != letter]
