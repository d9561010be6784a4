"""The spellings of a run: those that ship, and on top of them the user's."""

from pathlib import Path

import pytest

from tagsight.terms.body_parts import BodyParts, read_spellings
from tagsight.terms.spelling_table import spelling_table

SHIPPED = Path(__file__).parents[3] / "tagsight/data/body_parts.csv"


def test_without_a_table_of_the_users_it_is_the_one_that_ships():
    assert spelling_table(None).equals(read_spellings(SHIPPED))


@pytest.mark.parametrize(
    ("row", "spelling", "before", "after"),
    [
        ("QUIRK,KNEE", "QUIRK", None, "KNEE"),
        ("Abd.,CHEST", "ABD", "ABDOMEN", "CHEST"),
        ("ABDOM*,CHEST", "ABDOMQ", "ABDOMEN", "CHEST"),
        ("BERND,", "KNEE AND BERND", None, "KNEE"),
    ],
)
def test_the_users_spellings_are_added_and_win(tmp_path, row, spelling, before, after):
    mine = tmp_path / "mine.csv"
    mine.write_text(f"spelling,term\n{row}\n", encoding="utf-8")
    assert BodyParts(spelling_table(None)).term(spelling) == before
    assert BodyParts(spelling_table(str(mine))).term(spelling) == after
    assert BodyParts(spelling_table(str(mine))).term("KNIEGELENK") == "KNEE"
