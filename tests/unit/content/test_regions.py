"""Regions: every term of Annex L has one or none; sources vote, parts win over wholes."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.content.regions import SOURCES, Regions, regions
from tagsight.run.package_data import rows_of
from tagsight.terms.annex_l import annex_l
from tagsight.terms.spelling_table import spelling_table

TABLE = Regions(pl.DataFrame(rows_of("regions.csv")))
PLACELESS = {"ARTERY", "VEIN", "JOINT", "LUMEN", "ENDOARTERIAL", "ENDOVASCULAR", "ENDOVENOUS"}
TRUNK = ["NECK", "THYROID", "CHEST", "HEART", "BREAST", "ABDOMEN", "PELVIS"]
LIMBS = ["SHOULDER", "ELBOW", "WRIST", "HAND", "HIP", "KNEE", "ANKLE", "FOOT"]
APART = ["HEAD", *TRUNK, "CSPINE", "TSPINE", "LSPINE", *LIMBS, "WHOLEBODY"]


def test_every_term_of_annex_l_has_a_region_unless_it_names_no_place():
    assert set(TABLE.of_term) == set(annex_l())
    assert {term for term, region in TABLE.of_term.items() if region is None} == PLACELESS


def test_regions_are_few_and_the_parts_that_radiologists_tell_apart_stay_so():
    assert len(TABLE.names()) <= 32
    assert [TABLE.region([term]) for term in APART] == APART


def test_parts_are_regions_too():
    parts = {part for region in TABLE.of_term.values() if region for part in region.parts}
    assert parts <= TABLE.names()


@pytest.mark.parametrize(
    ("terms", "region"),
    [
        (["BRAIN"], "HEAD"),
        (["LUNG", "CHEST"], "CHEST"),
        (["CHEST", "CHEST", "HEART"], "HEART"),  # a part of it
        (["CHESTABDPELVIS", "ABDOMEN"], "ABDOMEN"),
        (["ABDOMENPELVIS", "PELVIS"], "PELVIS"),
        (["SPINE", "LSPINE"], "LSPINE"),
        (["LOWERLIMB", "KNEE"], "KNEE"),
        (["KNEE", "HEAD", "HEAD"], "HEAD"),  # the majority
        (["KNEE", "HEAD"], "KNEE"),  # the first source
        (["ARTERY", "HEAD"], "HEAD"),
        ([None, None], None),
        (["ARTERY"], None),
        ([], None),
    ],
)
def test_the_majority_counts_and_a_part_before_its_whole(terms, region):
    assert TABLE.region(terms) == region


@given(st.lists(st.none() | st.sampled_from(sorted(annex_l())), max_size=6))
def test_a_region_is_one_of_a_source(terms):
    region = TABLE.region(terms)
    named = {TABLE.of_term[t].name for t in terms if t and TABLE.of_term[t]}
    assert region in named if named else region is None


@given(st.sampled_from(sorted(annex_l())), st.integers(1, 6))
def test_sources_that_agree_decide(term, n):
    assert TABLE.region([term] * n) == TABLE.region([term])


def test_spellings_are_read_and_rows_kept_in_order():
    tags = pl.DataFrame(
        {
            "image": list("abcde"),
            "BodyPartExamined": ["SCHAEDEL", "T SPINE", "XYZZY", None, "THORAX"],
            "AnatomicRegionSequence": [None, None, None, "Knee", None],
            "SeriesDescriptionRegion": [None, None, None, "HEAD", "HEART"],
        }
    )
    found = regions(tags, TABLE, spelling_table(None))
    assert found.to_list() == ["HEAD", "TSPINE", None, "KNEE", "HEART"]


def test_an_archive_without_any_source_has_no_regions():
    tags = pl.DataFrame({"image": ["a", "b"]})
    assert regions(tags, TABLE, spelling_table(None)).to_list() == [None, None]


def test_sources_are_read_once_each():
    assert len(set(SOURCES)) == len(SOURCES)
