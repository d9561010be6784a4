"""Spellings of tags as words of facets: patterns, order of rows, a user's rows."""

import csv
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.dicom.dictionary import attribute
from tagsight.run.package_data import rows_of
from tagsight.terms.facet_words import FacetWords, facet_words

ROWS = rows_of("facet_words.csv")
PLAIN = [row for row in ROWS if row["word"] and not re.search(r"[*?[]", row["items"])]


def row(word, items, keyword="ImageType", kinds=""):
    return {"facet": "f", "word": word, "keyword": keyword, "items": items, "kinds": kinds}


@pytest.mark.parametrize(
    ("items", "item", "fits"),
    [
        ("SUB", "SUB", True),
        ("SUB", "SUBTRACT", False),
        ("SUB*", "SUBTRACT", True),
        ("*SUB", "SUBTRACT", False),
        ("?FS", "HFS", True),
        ("?FS", "FS", False),
        ("*TFI[0-9]*", "*TFI2D1", True),
        ("*TFI[0-9]*", "TFIX", False),
        ("[*]EP_B*", "*EP_B1000", True),
        ("a|MAX_IP", "MAX_IP", True),
        ("fatsat", "FATSAT", True),
        ("A.B", "AXB", False),  # no regular expression
    ],
)
def test_items_are_patterns_of_a_shell_for_the_whole_item(items, item, fits):
    table = FacetWords([row("yes", items)])
    assert table.telling("f", "CT", ImageType=[item]) == ("yes" if fits else None)


def test_the_first_row_counts_and_one_without_a_word_says_that_there_is_none():
    table = FacetWords([row("A", "X"), row("", "Y"), row("B", "Y|Z")])
    assert table.telling("f", "CT", ImageType=["Z", "X"]) == "A"
    assert table.first("f", "CT", ImageType=["Z", "X"]) == "B"
    assert table.telling("f", "CT", ImageType=["Z", "Y"]) == ""
    assert table.first("f", "CT", ImageType=["Y"]) is None
    assert table.telling("g", "CT", ImageType=["X"]) is None
    assert table.words("f") == ("A", "B")


def test_a_row_counts_for_its_tags_and_kinds():
    table = FacetWords([row("A", "X", "ImageType|ScanOptions", "CT|MR"), row("B", "X")])
    assert table.telling("f", "MR", ScanOptions=["X"]) == "A"
    assert table.telling("f", "NM", ImageType=["X"]) == "B"
    assert table.telling("f", "NM", ScanOptions=["X"]) is None


def test_a_users_rows_stand_before_the_librarys(tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_text(
        "facet,word,keyword,items\nview,LAT,ViewPosition,XL\nview,AX,ViewPosition,PA\n",
        encoding="utf-8",
    )
    table = facet_words(mine)
    assert table.first("view", "DX", ViewPosition=["XL"]) == "LAT"
    assert table.first("view", "DX", ViewPosition=["PA"]) == "AX"
    assert table.first("view", "DX", ViewPosition=["AP"]) == "AP"
    assert facet_words().first("view", "DX", ViewPosition=["XL"]) is None


@given(st.sampled_from(PLAIN), st.data())
def test_a_spelling_of_the_table_has_its_word(entry, data):
    """As a plain look-up says that knows nothing of patterns."""
    item = data.draw(st.sampled_from(entry["items"].split("|")))
    keyword = data.draw(st.sampled_from(entry["keyword"].split("|")))
    kind = data.draw(st.sampled_from((entry["kinds"] or "DX").split("|")))
    words = [
        other["word"]
        for other in ROWS
        if other["facet"] == entry["facet"]
        and keyword in other["keyword"].split("|")
        and kind in (other["kinds"] or kind).split("|")
        and item in other["items"].split("|")
    ]
    assert facet_words().telling(entry["facet"], kind, **{keyword: [item]}) == words[0]


def test_every_row_is_of_the_standards_tags_and_no_spelling_is_there_twice():
    seen = set()
    for entry in ROWS:
        assert entry["source"]
        for keyword in entry["keyword"].split("|"):
            assert attribute(keyword).tag
            for item in entry["items"].split("|"):
                place = entry["facet"], keyword, entry["kinds"], item.upper()
                assert place not in seen
                seen.add(place)


def test_the_table_is_a_table_that_a_user_may_copy(tmp_path):
    copy = tmp_path / "copy.csv"
    with copy.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ROWS[0])
        writer.writeheader()
        writer.writerows(ROWS)
    facets = {entry["facet"] for entry in ROWS}
    assert all(facet_words(copy).words(name) == facet_words().words(name) for name in facets)
