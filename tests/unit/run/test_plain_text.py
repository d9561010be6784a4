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
        if cell and cell[0] in "=+-@＝＋－＠﹦﹢﹣﹫":
            float(cell)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('a;=HYPERLINK("http://x")', 'a;\'=HYPERLINK("http://x")'),
        *(("1, +cmd", "1, '+cmd"), ("x|@SUM(1)", "x|'@SUM(1)"), ('"=1', "\"'=1"), ("﹦1", "'﹦1")),
        *(("-5;=1", "'-5;'=1"), ("a;-1+cmd", "a;'-1+cmd"), ("-١+1", "'-١+1")),
        *((text, text) for text in ("-12.5", "-1e-3", "2024-05-06", "T1-w, C-arm", "40;-100, -7")),
    ],
)
def test_no_part_of_a_cell_begins_as_a_formula_wherever_cells_are_parted(text, cell):
    assert for_spreadsheets(pl.DataFrame({"a": [text, None, "b"]}))["a"].to_list() == [
        cell,
        None,
        "b",
    ]


def test_no_letter_that_is_not_seen_is_left_and_none_that_a_page_may_not_have():
    """By Unicode's categories of all letters, and those that it never gives a letter to."""
    never = {plane * 0x10000 + last for plane in range(17) for last in (0xFFFE, 0xFFFF)}
    blank = {0x3164, 0x115F, 0x2800, 0x034F} | never | {*range(0xFDD0, 0xFDF0)}
    unseen = ("Cc", "Cf", "Zl", "Zp", "Cs")
    letters = [c for n in range(0x110000) if unicodedata.category(c := chr(n)) in unseen]
    assert not [hex(ord(c)) for c in [*letters, *map(chr, blank)] if plain(c) == c]


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
    places = (*range(0x3200), *range(0xF900, 0x20000), *range(0xE0000, 0xE0200), 0x10FFFF)
    letters = [chr(n) for n in places]
    series = pl.Series(letters)
    of_table = series.filter(series.str.contains(plain_text._UNSEEN_IN_FRAME)).to_list()
    assert of_table == [letter for letter in letters if plain(letter) != letter]
