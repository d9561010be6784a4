"""The result in sentences: they follow from the interval, and say when labels are scanners."""

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pair_figures import figures, nothing, pair

from tagsight.evaluation.pair import pair as pair_of
from tagsight.evaluation.pair_tests import told
from tagsight.report import pair_sentences
from tagsight.report.eye_tables import eye_table
from tagsight.report.pair_tables import pair_table

WORDS = 25  # at most, of a first sentence


def said(unit="label", **others):
    return [text.replace("\xa0", " ") for text in pair_sentences.result(pair(**others), {}, unit)]


def headline(own, **others):
    return said(labels__modality=own, **others)[0]


def test_a_result_is_one_sentence_with_one_subject_and_no_interval():
    first, second = said()
    assert first == (
        "Images of one label look more alike than others of their modality: these labels explain "
        "47 % of how far such images differ."
    )
    assert second == (
        "Of the same distance modality and region explain 27 %, the maker nothing that could be "
        "shown, as many groups of the pictures themselves 65 %."
    )


def test_baselines_are_said_as_their_intervals_allow():
    others = {
        "modality_region__modality": figures(0.01, 0.001),
        "embedding__modality": figures(None),
    }
    (_, second) = said(**others, manufacturer__modality=figures(-0.1, 0.01))
    assert second == (
        "Of the same distance modality and region explain less than 3 %, the maker nothing that "
        "could be shown."
    )


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (figures(0.05, 0.01), "explain 5.0 % of how far"),
        (figures(0.05, 0.04), "could not be shown to look more alike"),
        (figures(0.0, 0.04), "could not be shown to look more alike"),
        (figures(0.01, 0.001), "explain less than 3 % of how far"),
        (figures(-0.001, 0.005), "explain less than 3 % of how far"),
        (figures(-0.1, 0.01), "look less alike than others"),
        (
            figures(0.3, df=0),
            "explain 30 % of how far images of a modality differ in a single trial",
        ),
        (figures(0.0, 0), "divide no modality"),
        (figures(None), "could not be tested: no modality has pictures of two patients"),
    ],
)
def test_words_follow_from_the_interval(own, words):
    assert words in headline(own)


@given(
    st.floats(-0.3, 0.9),
    st.floats(0.0001, 0.2),
    st.integers(1, 12),
    st.sampled_from(["label", "cluster"]),
)
def test_no_first_sentence_is_long_or_claims_what_the_interval_does_not(explained, error, df, unit):
    own = figures(explained, error, df)
    first = said(unit, labels__modality=own)[0]
    assert len(first.split()) <= WORDS + 3  # of which three are units of numbers at most
    assert "CI" not in first
    assert "tags" not in first
    assert "add nothing" not in first
    assert (f"these {unit}s explain" in first) == (own.ci95[0] > 0 or own.ci95[1] < 0.03)
    claimed = re.search(r"explain \d", first)
    assert bool(claimed) <= (own.ci95[0] > 0)


def test_what_could_not_be_shown_says_what_would_have_been_seen():
    _, second = said(labels__modality=figures(0.02, 0.03))
    assert re.fullmatch(r"[\d.]+ % or more would have been found, four times in five\.", second)


SCANNERS = {
    "shares": dict.fromkeys(("labels", "manufacturer"), 0.2)
    | {"modality": 0.0, "modality_region": 0.1, "modality_region_plane": 0.1, "embedding": 0.5},
    "labels__modality_manufacturer": figures(0.01, 0.02),
}


def test_labels_that_are_scanners_are_called_so():
    sentence = said(**SCANNERS)[1]
    assert sentence == (
        "But they are scanners more than anatomy: among images of one maker these labels explain "
        "1.0 %."
    )
    rows = {
        (group["name"], row["labelling"]): row["note"]
        for group in pair_table(pair(**SCANNERS), "label")
        for row in group["rows"]
    }
    assert "scanners" in rows["Inside a modality of one maker", "these labels"]
    assert "as much as these labels" in rows["Inside a modality", "maker"]
    undivided = SCANNERS | {"labels__modality_manufacturer": figures(0.0, 0)}
    assert "scanners more than anatomy" in said(**undivided)[1]


@pytest.mark.parametrize(
    "left", [figures(0.19, 0.02), figures(0.01, 0.2), figures(None), figures(0.02, df=0)]
)
def test_labels_are_not_called_scanners_where_that_cannot_be_told(left):
    """What is left is most of it, or not known well enough."""
    others = SCANNERS["shares"] | {"manufacturer": 0.01}
    sentences = said(shares=others, labels__modality_manufacturer=left)
    assert not [text for text in sentences if "scanners" in text]


def test_a_maker_that_explains_more_than_labels_is_said_to():
    shares = SCANNERS["shares"] | {"labels": 0.05}
    assert "images differ by scanners more than by these labels" in said(shares=shares)[1]


def test_nothing_to_compare_claims_nothing():
    (only,) = pair_sentences.result(nothing(), {}, "cluster")
    assert "could not be tested" in only
    assert "look alike" in only


def test_the_table_has_every_labelling_in_every_stratum_with_what_was_not_tested():
    table = pair_table(pair(), "cluster")
    rows = {(group["name"], row["labelling"]): row for group in table for row in group["rows"]}
    assert len(rows) == sum(len(of) for of in pair().values())
    own = rows["Inside a modality", "these clusters"]
    assert own["share"].replace("\xa0", " ") == "47 % (44 to 50 %)"
    assert own["own"]
    assert rows["Inside a modality", "modality"]["undivided"]
    assert told({}) == {}


def eye(own, **retrieval):
    """One eye of evaluation.json by which the labels have these figures inside modality."""
    found = {"agreement": 0.8, "chance": 0.2, "n": 100}
    names = ("modality", "region", "manufacturer_inside_modality")
    return {
        "pair": pair(labels__modality=own),
        "retrieval": {name: found | retrieval.get(name, {}) for name in names},
    }


def test_a_result_says_on_how_many_eyes_it_rests():
    sees, blind = eye(figures(0.4)), eye(figures(0.01, 0.05))
    eyes = {"autoencoder": sees, "hog": sees, "pca": sees}
    said_by = pair_sentences.result(sees["pair"], eyes, "label")
    assert said_by[1] == "This rests on 3 of 3 eyes."
    (one,) = pair_sentences.rests_on({"autoencoder": sees})
    assert one == "This rests on 1 of 1 eye."
    (other,) = pair_sentences.rests_on(eyes | {"hog": blind, "own": blind})
    assert other == "This rests on 2 of 4 eyes; by hog and own it is otherwise."
    (nothing_seen,) = pair_sentences.rests_on(dict.fromkeys(eyes, blind))
    assert nothing_seen == "This rests on 3 of 3 eyes."
    assert pair_sentences.rests_on({"autoencoder": eye(figures(None)), "hog": sees}) == []
    assert pair_sentences.rests_on({}) == []


def test_the_table_of_eyes_begins_with_the_autoencoder_and_says_what_each_sees():
    none = {"agreement": None, "chance": None, "n": 0}
    rows = eye_table({"hog": eye(figures(0.2), region=none), "autoencoder": eye(figures(0.4))})
    assert [row["name"] for row in rows] == ["autoencoder", "gradients (hog)"]
    assert rows[0]["share"].startswith("40\xa0%")
    assert rows[1]["seen"][0] == {"agreement": "80\xa0%", "chance": "20\xa0%"}
    assert rows[1]["seen"][1] == {"agreement": "–", "chance": "–"}


def made_up(known, follow, seed=0):
    """A made-up archive: labels know one column of images, looks follow modality and another."""
    rng = np.random.default_rng(seed)
    patient = np.arange(600) // 2
    images = {name: rng.integers(0, 3, 300)[patient] for name in ("maker", "part")}
    modality = rng.integers(0, 2, 300)[patient]
    frame = pl.DataFrame(
        {
            "trial": patient // 50,
            "patient": patient.astype(str),
            "label": modality * 3 + images[known],
            "modality": modality.astype(str),
            "body_part": images["part"].astype(str),
            "manufacturer": images["maker"].astype(str),
        }
    )
    seen = rng.normal(size=(2, 8))[modality] + 1.5 * rng.normal(size=(3, 8))[images[follow]]
    pictures = (seen + rng.normal(size=(600, 8))).astype(np.float32)
    trials = np.split(pictures, 6)
    return pair_of(trials, pictures[:90], frame)


@pytest.mark.parametrize("follow", ["maker", "part"])
def test_labels_of_a_made_up_archive_are_called_scanners_if_they_are(follow):
    scanners = pair_sentences.result(made_up("maker", follow), {}, "label")
    anatomy = pair_sentences.result(made_up("part", follow), {}, "label")
    called = "But they are scanners more than anatomy"
    if follow == "maker":
        assert scanners[1].startswith(called)
        assert "images differ by scanners more than by these labels" in anatomy[1]
    else:
        assert "could not be shown" in scanners[0] or "less than 3" in scanners[0]
        assert "look more alike" in anatomy[0]
        assert not [text for text in anatomy if "scanners" in text]
