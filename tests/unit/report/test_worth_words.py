"""What labels are worth, on the page: the words follow from the interval."""

import re

import pytest
from tree_run import tree_run

from tagsight.report import page, worth_words

FIGURES = ("flow", "silhouettes", "choice", "tree", "training", "explained")


def rendered(run):
    return page.render(run, dict.fromkeys(FIGURES, "<svg/>"), None, {})


def words(text):
    plain = re.sub("<style>.*?</style>|<.*?>", " ", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", plain.replace("\xa0", " "))


def worth(low=0.03, high=0.09, **others):
    figures = {"accuracy": 0.576, "ci95": [0.54, 0.61]}
    names = ("nothing", "modality", "flat", "labels")
    content = {
        **{"target": "view", "read": True, "learned": 819, "tested": 989, "patients": 468},
        **{"classes": 80, "probe": 100, "draws": 20, "networks": 2, "commonest": 0.044},
        "labellings": {
            name: {"classes": None if name == "nothing" else 52, **figures} for name in names
        },
        "more": {name: {"accuracy": 0.06, "ci95": [low, high]} for name in names[:-1]},
        "reason": None,
    }
    return content | others


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.01, 0.2, "learns more"), (-0.2, -0.01, "learns less"), (-0.1, 0.1, "may learn as much")],
)
def test_the_sentence_follows_from_the_interval(low, high, said):
    sentence = worth_words.sentence(worth(low, high), "label")
    assert said in sentence
    assert len(sentence.split()) <= 25


def test_the_page_has_it_where_it_was_asked_for():
    assert 'id="worth"' not in rendered(tree_run())
    text = rendered(tree_run(worth=worth()))
    assert 'id="worth"' in text
    assert "view (labels are made from it too)" in words(text)
    assert "58 % (54 to 61 %)" in words(text)
    assert "6.0 (3.0 to 9.0)" in words(text)
    assert words(text).index("these labels") < words(text).index("random weights")


def test_why_nothing_could_be_told_is_said():
    text = rendered(tree_run(worth=worth(reason="fewer than 10 other patients", labellings={})))
    assert "could not be told: fewer than 10 other patients." in words(text)


def test_labels_of_the_users_own_are_named_so():
    text = rendered(tree_run(worth=worth(target=None, read=None)))
    assert "labels of your own (worth.labels)" in words(text)
