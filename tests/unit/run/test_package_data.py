"""The tables that come with the library: where what they say is from."""

from pathlib import Path

import pytest

from tagsight.run.package_data import rows_of

DATA = Path(__file__).parents[3] / "tagsight/data"
# Tables that are not of knowledge about words, or have one source for all of their rows.
WITHOUT = {
    "annex_l": "it is the standard's own table",
    "modules": "it is the standard's own table",
    "body_parts": "spellings of archives, each with a term of Annex L, which is checked",
    "manufacturers": "names as makers write them",
    "missing_codes": "codes for nothing, as devices write them",
    "other_units": "arithmetic of units",
    "plausible": "limits of numbers, not words",
    "demo_devices": "invented",
    "demo_protocols": "invented",
    "demo_spellings": "invented",
    "demo_words": "invented",
}


@pytest.mark.parametrize(
    "name", sorted({path.stem for path in DATA.glob("*.csv")} - WITHOUT.keys())
)
def test_every_row_that_says_what_words_mean_has_a_source(name):
    rows = rows_of(f"{name}.csv")
    assert rows
    assert [row for row in rows if not (row.get("source") or "").strip()] == []


def test_the_tables_without_sources_are_there_and_have_none():
    for name in WITHOUT:
        assert "source" not in rows_of(f"{name}.csv")[0]
