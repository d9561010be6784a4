"""The result in sentences: they follow from the interval, and say when labels are scanners."""

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pair_figures import figures, nothing, pair, scanners

from tagsight.evaluation import scanners as decision
from tagsight.evaluation.pair import UNSTATED
from tagsight.evaluation.pair import pair as pair_of
from tagsight.evaluation.pair_statistic import ALONE, Explained
from tagsight.evaluation.pair_tests import told
from tagsight.report import pair_sentences
from tagsight.report.eye_tables import eye_table
from tagsight.report.pair_tables import pair_table

WORDS = 25  # at most, of a first sentence


def said(unit="label", by_looks=None, **others):
    found = pair(**others)
    by_looks = by_looks or scanners(found, left=figures(0.4))
    return [text.replace("\xa0", " ") for text in pair_sentences.result(found, {}, by_looks, unit)]


def headline(own, **others):
    return said(labels__modality=own, **others)[0]


def test_a_result_is_one_sentence_with_one_subject_and_no_interval():
    first, second = said()
    assert first == "These labels explain 47 % of how far images of one modality differ in looks."
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
        (figures(0.05, 0.04), "could not be shown to explain"),
        (figures(0.0, 0.04), "could not be shown to explain"),
        (figures(0.01, 0.001), "explain less than 3 % of how far"),
        (figures(-0.001, 0.005), "explain less than 3 % of how far"),
        (figures(-0.1, 0.01), "look less alike than others"),
        (figures(0.3, df=0), "differ in looks, in a single trial and so without a test"),
        (figures(0.0, 0), "divide no modality"),
        (
            figures(None),
            "could not be held against looks: no modality has pictures of two patients",
        ),
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
    assert "CI" not in first
    assert "tags" not in first
    assert "add nothing" not in first
    below = 0 <= own.ci95[1] < 0.03
    assert (f"These {unit}s explain" in first) == (own.ci95[0] > 0 or below)
    claimed = re.search(r"explain \d", first)
    assert bool(claimed) <= (own.ci95[0] > 0)


@pytest.mark.parametrize("unit", ["label", "cluster"])
@pytest.mark.parametrize("verdict", list(pair_sentences.SENTENCES))
def test_no_first_sentence_has_more_words_than_are_read_or_another_subject(verdict, unit):
    reasons = [ALONE, "all pictures look the same"]
    of = {
        "explain": [figures(0.4)],
        "little": [figures(0.01, 0.001)],
        "unshown": [figures(0.05, 0.04)],
        "apart": [figures(-0.1, 0.01)],
        "untested": [figures(-0.3, df=0)],
        "undivided": [figures(0.0, 0)],
        "undefined": [Explained(None, None, None, None, None, 0, 0, reason=r) for r in reasons],
    }
    for own in of[verdict]:
        found = pair(labels__modality=own)
        first = pair_sentences.headline(found, unit)
        template = pair_sentences.SENTENCES[verdict].replace("UNIT", unit)
        assert re.match(re.escape(template.split(" {")[0]), first)
        assert first.startswith(f"These {unit}s ")
        assert len(first.split()) <= WORDS


def test_what_could_not_be_shown_says_what_would_have_been_seen():
    _, second = said(labels__modality=figures(0.02, 0.03))
    assert re.fullmatch(
        r"[\d.]+ % or more, if it were true, would have been found four times in five\.", second
    )


def test_where_nothing_could_have_been_seen_that_is_said():
    _, second = said(labels__modality=figures(0.02, 0.4))
    assert second == "These images are too few to show any share, however large."


SCANNERS = {
    "shares": dict.fromkeys(("labels", "manufacturer", "model"), 0.2)
    | {"modality": 0.0, "modality_region": 0.1, "modality_region_plane": 0.1, "embedding": 0.5},
}


@pytest.mark.parametrize(("by", "machine"), [("manufacturer", "maker"), ("model", "scanner model")])
def test_labels_that_are_scanners_are_called_so(by, machine):
    found = pair(**SCANNERS)
    for left, share in ((figures(0.01, 0.02), "1.0 %"), (figures(0.0, 0), "0 %")):
        by_looks = scanners(found, left=left, by=by)
        assert said(by_looks=by_looks, **SCANNERS)[1] == (
            f"But they are scanners more than anatomy: among images of one {machine} these labels "
            f"explain {share}."
        )
        rows = {
            (group["name"], row["labelling"]): row["note"]
            for group in pair_table(found, by_looks, "label")
            for row in group["rows"]
        }
        assert "scanners" in rows[f"Inside a modality of one {machine}", "these labels"]
        assert "as much as these labels" in rows["Inside a modality", machine]


@pytest.mark.parametrize(
    ("left", "words"), [(figures(0.0, 0), "coincide"), (figures(0.02), "largely coincide")]
)
def test_labels_that_may_be_either_are_called_neither(left, words):
    """Inside a region they explain nothing that is left, either."""
    one = figures(0.0, 0)
    by_looks = scanners(pair(**SCANNERS), left=left, in_region=one)
    assert said(by_looks=by_looks, **SCANNERS)[1] == (
        f"These labels and makers {words}: whether they are scanners or anatomy cannot be told."
    )


@pytest.mark.parametrize(
    "left", [figures(0.19, 0.02), figures(0.01, 0.2), figures(None), figures(0.02, df=0)]
)
def test_labels_are_not_called_scanners_where_that_cannot_be_told(left):
    """What is left is most of it, or not known well enough."""
    others = {"shares": SCANNERS["shares"] | {"manufacturer": 0.19}}
    sentences = said(by_looks=scanners(pair(**others), left=left), **others)
    assert not [text for text in sentences if "scanners" in text]


def test_labels_are_no_scanners_where_scanners_explain_nothing():
    for none in (figures(0.01, 0.02), figures(0.01, 0.004)):
        others = SCANNERS | {"manufacturer__modality": none}
        sentences = said(by_looks=scanners(pair(**others)), **others)
        assert not [text for text in sentences if "scanners" in text]


def test_what_is_claimed_beside_the_headline_is_corrected_for():
    """Just below 5 % by itself, and not so as one of many."""
    maker = figures(0.1, 0.0435)
    others = {"shares": SCANNERS["shares"] | {"labels": 0.05}, "manufacturer__modality": maker}
    others["model__modality"] = figures(0.01, 0.02)
    assert maker.ci95[0] > 0
    assert pair(**others)["manufacturer"]["modality"]["p_holm"] > 0.05
    sentences = said(**others)
    assert not [text for text in sentences if "scanners" in text]
    assert "the maker nothing that could be shown" in sentences[-1]


def test_a_maker_that_is_not_stated_is_said_not_to_be():
    reason = f"{UNSTATED}maker"
    none = Explained(None, None, None, None, None, 0, 0, reason=reason)
    sentences = said(manufacturer__modality=none)
    assert sentences[-1] == "The maker is not stated."
    assert "the maker" not in " ".join(sentences[:-1])


def test_a_maker_that_explains_more_than_labels_is_said_to():
    shares = SCANNERS["shares"] | {"labels": 0.05}
    assert "images differ by scanners more than by these labels" in said(shares=shares)[1]


def test_nothing_to_compare_claims_nothing():
    (only,) = pair_sentences.result(nothing(), {}, scanners(nothing()), "cluster")
    assert "could not be held against looks" in only


def test_the_table_has_every_labelling_in_every_stratum_with_what_was_not_tested():
    table = pair_table(pair(), scanners(pair()), "cluster")
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
    said_by = pair_sentences.result(sees["pair"], eyes, scanners(sees["pair"]), "label")
    assert said_by[1] == "This rests on 3 of 3 eyes."
    (one,) = pair_sentences.rests_on({"autoencoder": sees})
    assert one == "This rests on 1 of 1 eye."
    (other,) = pair_sentences.rests_on(eyes | {"hog": blind, "own": blind})
    assert other == "This rests on 2 of 4 eyes; by hog and own it is otherwise."
    cannot = {"own": eye(figures(None)), "pca": eye(figures(0.3, df=0))}
    apart = pair_sentences.rests_on(eyes | {"hog": blind} | cannot)
    assert apart == [
        "This rests on 1 of 2 eyes; by hog it is otherwise.",
        "By pca and own it could not be tested.",
    ]
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


def made_up(known, follow, seed=0, *, values, images=600, trials=6, each_part_by_one=False):
    """A made-up archive: labels know one column of images, looks follow modality and another."""
    rng = np.random.default_rng(seed)
    patient = np.arange(images) // 2
    people = images // 2
    of = {name: rng.integers(0, values[name], people) for name in ("maker", "part")}
    if each_part_by_one:
        of["maker"] = of["part"]
    modality = rng.integers(0, 2, people)
    most = max(values.values())
    frame = pl.DataFrame(
        {
            "trial": patient * trials // people,
            "patient": patient.astype(str),
            "has_patient": True,
            "label": (modality * most + of[known])[patient],
            "modality": modality[patient].astype(str),
            "body_part": of["part"][patient].astype(str),
            "manufacturer": of["maker"][patient].astype(str),
        }
    )
    seen = rng.normal(size=(2, 8))[modality] + 1.5 * rng.normal(size=(most, 8))[of[follow]]
    pictures = (seen[patient] + rng.normal(size=(images, 8))).astype(np.float32)
    by_trial = [pictures[frame["trial"] == trial] for trial in range(trials)]
    found = pair_of(by_trial, pictures[:90], frame)
    explained = told(found.explained)
    by_looks = decision.scanners(explained, found.beyond)
    return pair_sentences.result(explained, {}, by_looks, "label"), by_looks


FEW = {"maker": 3, "part": 3}


@pytest.mark.parametrize("follow", ["maker", "part"])
def test_labels_of_a_made_up_archive_are_called_scanners_if_they_are(follow):
    by_maker, _ = made_up("maker", follow, values=FEW)
    anatomy, _ = made_up("part", follow, values=FEW)
    called = "But they are scanners more than anatomy"
    if follow == "maker":
        assert by_maker[1].startswith(called)
        assert "images differ by scanners more than by these labels" in anatomy[1]
    else:
        assert "could not be shown" in by_maker[0] or "less than 3" in by_maker[0]
        assert "These labels explain" in anatomy[0]
        assert not [text for text in anatomy if "scanners" in text]


def test_where_each_part_is_imaged_by_one_maker_it_cannot_be_told_which_labels_are():
    sentences, _ = made_up("part", "part", values=FEW, each_part_by_one=True)
    assert sentences[1] == (
        "These labels and makers coincide: whether they are scanners or anatomy cannot be told."
    )


@pytest.mark.parametrize("images", [20, 30, 40, 60])
def test_anatomy_is_not_called_scanners_because_images_are_few(images):
    """Of 8 makers and 10 parts, most images have none of their label and maker to compare."""
    values = {"maker": 8, "part": 10}
    for seed in range(4):
        sentences, by_looks = made_up(
            "part", "part", seed, images=10 * images, values=values, trials=10
        )
        assert by_looks["verdict"] in (None, "beyond")
        assert not [text for text in sentences if "scanners" in text]
    share = by_looks["beyond"]["modality_manufacturer"]["share"]
    assert (by_looks["verdict"] is None) == (share < decision.ENOUGH)
