"""Words of technique in descriptions: what people write, and that nothing else comes out."""

import csv
import pickle
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.errors import ConfigError
from tagsight.terms import technique_words as module
from tagsight.terms.technique_words import (
    TechniqueWords,
    by_facet,
    for_kind,
    joined,
    known_words,
    read_rows,
    shipped_rows,
    technique_words,
    user_words,
)

HERE = Path(__file__).parent
TABLE = HERE.parents[2] / "tagsight/data/technique_words.csv"
EXAMPLES = list(csv.DictReader((HERE / "technique_examples.csv").read_text("utf-8").splitlines()))
KINDS = ["CT", "MR", "PT", "NM", "US", "XA", "RF", "CR", "DX", "MG", ""]
SPELLINGS = [
    (spelling, kind)
    for _, _, spellings, kinds, _ in shipped_rows()
    for spelling in spellings.split("|")
    for kind in (kinds or "CT").split("|")[:1]
]
SEPARATORS = st.sampled_from([" ", "_", "  ", "/", ", ", " - ", ";"])
HEADER = "facet,word,spellings,kinds\n"


def words(text, kind=None, extra=()):
    return dict(technique_words(text, kind, extra))


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: f"{row['kind']} {row['text']}")
def test_what_people_write(row):
    assert (joined(technique_words(row["text"], row["kind"])) or "").split("\\") == (
        row["words"].split(" ")
    )


def test_there_are_examples_of_every_modality_and_many():
    assert len(EXAMPLES) >= 150
    assert {row["kind"] for row in EXAMPLES} >= {"CT", "MR", "PT", "NM", "US", "XA", "DX", "MG"}


@given(st.text(max_size=60), st.sampled_from([*KINDS, None]))
def test_only_words_of_the_table_come_out_whatever_the_text(text, kind):
    found = technique_words(text, kind)
    assert set(found) <= known_words().pairs(kind)
    assert len(dict(found)) == len(found)
    assert list(found) == sorted(found)


@given(st.lists(st.sampled_from(SPELLINGS), max_size=4), st.text(max_size=20))
def test_nothing_of_the_text_leaks(spellings, secret):
    """What stands beside known words changes what they mean, and never what can come out."""
    text = " ".join([secret, *(spelling for spelling, _ in spellings), secret])
    assert set(technique_words(text)) <= known_words().pairs()


@given(
    st.lists(
        st.sampled_from([s for s, _ in SPELLINGS if s.replace(" ", "").isalnum()]), max_size=4
    ),
    SEPARATORS,
    st.sampled_from(KINDS),
)
def test_case_and_separators_make_no_difference(spellings, separator, kind):
    plain = " ".join(spellings)
    assert technique_words(plain.lower(), kind) == technique_words(plain, kind)
    assert technique_words(separator.join(plain.split(" ")), kind) == technique_words(plain, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_comes_out_for_a_modality_is_announced(kind):
    seen = {pair for spelling, _ in SPELLINGS for pair in technique_words(spelling, kind)}
    assert seen <= for_kind(kind)


def test_every_spelling_says_what_its_row_says():
    """In an image of its kinds; those that outrank, or mean two things, aside."""
    missed = []
    for facet, word, spellings, kinds, rank in shipped_rows():
        for spelling in spellings.split("|") if word and rank != "5" else ():
            spelling = f"{spelling[:-1]}X" if module._STEM.fullmatch(spelling) else spelling
            found = words(spelling, kinds.split("|")[0] or "CT")
            if found.get(facet) != word:
                missed.append((facet, word, spelling, found.get(facet)))
    assert missed == []


def test_no_spelling_means_two_words_of_a_facet_but_both_of_contrast():
    meanings = defaultdict(set)
    for facet, word, spellings, kinds, rank in shipped_rows():
        for spelling in spellings.split("|"):
            for kind in kinds.split("|"):
                meanings[tuple(module._tokens(spelling)), facet, kind].add((word, rank))
    twice = {key: found for key, found in meanings.items() if len(found) > 1}
    assert all(found == {("C+", "5"), ("C-", "5")} for found in twice.values())
    assert len(twice) > 100


def test_every_row_has_a_source_and_closed_words():
    rows = list(csv.DictReader(TABLE.read_text("utf-8").splitlines()))
    assert all(row["source"] for row in rows)
    assert all(module._FACET.fullmatch(row["facet"]) for row in rows if row["facet"])
    assert all(module._CLOSED.fullmatch(row["word"]) for row in rows if row["word"])
    assert {kind for row in rows for kind in row["kinds"].split("|")} - set(KINDS) <= {
        *("PX", "IO", "OP", "OPT", "OPV", "OPM", "OCT", "KER")
    }


def test_an_unknown_modality_takes_only_what_counts_for_all():
    assert words("PA T1 lung left", "") == {"side": "L"}
    assert words("PA T1 lung left", "DX") == {"side": "L", "view": "PA"}
    assert words("PA T1 lung left", "CT") == {"side": "L", "kernel": "lung"}


def test_a_value_is_taken_apart_as_it_was_joined():
    found = technique_words("t2_tse_sag_fs", "MR")
    assert joined(found) == "plane=SAG\\suppression=FS\\weighting=T2"
    assert by_facet("plane=SAG\\suppression=FS\\weighting=T2") == dict(found)
    assert joined(()) is None
    assert by_facet("") == {}


def test_a_users_rows_are_laid_on_top():
    extra = (("weighting", "T2", "HOUSE SPECIAL|LUNG", "", ""), ("sponsor", "X1", "TRIAL", "", ""))
    assert words("house_special sag", "MR", extra) == {"plane": "SAG", "weighting": "T2"}
    assert words("lung", "CT", extra) == {"weighting": "T2"}  # theirs counts, not the table's
    assert words("trial", "CT", extra) == {"sponsor": "X1"}
    assert ("sponsor", "X1") in for_kind("CT", extra) - for_kind("CT")
    assert words("lung", "CT") == {"kernel": "lung"}


def test_a_users_table_is_read(tmp_path):
    place = tmp_path / "mine.csv"
    place.write_text(HEADER + "kernel,lung,PLUCIC|PLUCNI PROZOR,CT\n,,NIKAKO,\n", encoding="utf-8")
    table = user_words(place)
    assert dict(table.words("plucni_prozor", "CT")) == {"kernel": "lung"}
    assert dict(table.words("nikako kontrast", "CT")) == {"contrast": "C-"}
    assert user_words(None) is known_words()
    assert user_words(place) is table  # hashable rows: built once


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("facet,word\nkernel,lung\n", "the first line must be facet,word,spellings,kinds"),
        (HEADER + "Kernel,lung,X,\n", "Kernel is no facet"),
        (HEADER + "kernel,a=b,X,\n", "a=b is no word"),
        (HEADER + "kernel,a very long word of text,X,\n", "is no word"),
        (HEADER.replace("\n", ",rank\n") + "kernel,lung,X,,high\n", "high is no rank"),
    ],
)
def test_a_users_table_that_cannot_be_used_is_refused(tmp_path, text, said):
    place = tmp_path / "mine.csv"
    place.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_rows(place)


def test_the_table_survives_the_way_to_another_process():
    copy = pickle.loads(pickle.dumps(TechniqueWords()))
    assert copy.words("t2 sag", "MR") == (("plane", "SAG"), ("weighting", "T2"))
