"""Sites in a shard's tags, and what their own spellings mean."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tagsight.reading.site_tags import with_sites, with_spellings
from tagsight.terms.body_parts import BodyParts
from tagsight.terms.spelling_table import spelling_table

LISTING = pl.DataFrame(
    {"path": ["a/1", "b/2", "c/x.tar", "d/4"], "site": ["north", "south", "south", None]}
)


def spellings(folder, name, text):
    (folder / name).write_text(f"spelling,term\n{text}", encoding="utf-8")
    return BodyParts(spelling_table(folder / name))


def test_members_are_of_the_site_of_their_container():
    tags = pl.LazyFrame(
        {
            "image": list("54321"),
            "site": pl.Series([None] * 5, dtype=pl.String),
            "path": ["d/4", "c/x.tar!b/\n!2", "b/2", "a/1", "c/x.tar!1"],
            "KVP": ["1", "2", "3", "4", "5"],
        }
    )
    found = with_sites(tags, LISTING).collect()
    assert found.columns == ["image", "site", "path", "KVP"]
    assert found["site"].to_list() == [None, "south", "south", "north", "south"]
    assert found.drop("site").equals(tags.collect().drop("site"))


def test_without_sites_nothing_is_added():
    tags = pl.LazyFrame({"site": pl.Series([None], dtype=pl.String), "path": ["a/1"]})
    listing = LISTING.with_columns(site=pl.lit(None, pl.String))
    assert with_sites(tags, listing).collect().equals(tags.collect())


def test_a_spelling_means_at_a_site_what_its_table_says(tmp_path):
    own = {
        "north": spellings(tmp_path, "n.csv", "R1,HEAD\nCHEST,CHEST\n"),
        "south": spellings(tmp_path, "s.csv", "R1,KNEE\nBRUST,ABDOMEN\n"),
    }
    values = ["R1", "r1 ", "CHEST", "thorax", None, "odd"]
    rows = [(site, value) for site in ("north", "south", "west", None) for value in values]
    tags = pl.LazyFrame(rows, ["site", "BodyPartExamined"], orient="row")
    found = with_spellings(tags, own).collect()["BodyPartExamined"].to_list()
    unchanged = ["CHEST", "thorax", None, "odd"]
    assert found == [
        *("HEAD", "HEAD", *unchanged),
        *("KNEE", "KNEE", *unchanged),
        *(values + values),
    ]


@given(st.lists(st.sampled_from(["CHEST", "Thorax", "KNEE", "R1", "", "BRUST", "odd"])))
def test_what_no_site_spells_its_own_way_stays_to_the_letter(values):
    tags = pl.LazyFrame({"site": ["north"] * len(values), "BodyPartExamined": values}).cast(
        {"site": pl.String, "BodyPartExamined": pl.String}
    )
    own = {"north": BodyParts(spelling_table(None))}
    assert with_spellings(tags, own).collect().equals(tags.collect())


def test_tags_without_body_parts_stay():
    tags = pl.LazyFrame({"site": ["a"], "KVP": ["1"]})
    assert (
        with_spellings(tags, {"a": BodyParts(spelling_table(None))})
        .collect()
        .equals(tags.collect())
    )
