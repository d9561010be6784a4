"""Rules: read as they are written and applied to the images, they do what is said of them."""

import json
import re

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from tagsight.interpretation.conditions import quoted
from tagsight.interpretation.rules import rules, to_yaml
from tagsight.tags.encoding import Column, Encoding

TEXTS = ("CT", "MR", "CHEST and ABDOMEN", "(rare 0123456789ab)", "missing")
ENCODING = Encoding(
    "linear",
    (
        Column("Modality", "Modality", "categorical", "category", categories=TEXTS),
        Column("SliceThickness", "SliceThickness", "numeric", "number", minimum=0.0, maximum=9.0),
        Column("EchoTime", "EchoTime", "numeric", "number", minimum=0.0, maximum=9.0),
        Column(
            "Modality?", "Modality", "categorical", "presence", categories=("absent", "present")
        ),
        Column("KVP?", "KVP", "categorical", "presence", categories=("absent", "present")),
    ),
)


def sample(rng, n=200, patients=40):
    """Numbers and categories, some missing; new categories have the code after the last."""
    ids = [f"{rng.integers(1e9)}-{i}" for i in range(n)]
    people = [f"p{p}" for p in rng.integers(0, patients, n)]
    codes = rng.choice([-1, 0, 1, 2, 3, 4, 5], n, p=[0.1, 0.3, 0.3, 0.1, 0.1, 0.05, 0.05])
    thick, echo = (np.where(rng.random(n) < 0.2, np.nan, rng.gamma(2, 1, n).round(2)) for _ in "ab")
    frame = pl.DataFrame(
        {
            "image": ids,
            "series": ids,
            "study": ids,
            "patient": people,
            "Modality": [None if c < 0 else int(c) for c in codes],
            "SliceThickness": thick.astype(np.float32),
            "EchoTime": echo.astype(np.float32),
            "Modality?": (codes >= 0).astype(np.int32),
            "KVP?": rng.integers(0, 2, n).astype(np.int32),
        },
        schema_overrides={"Modality": pl.Int32},
    )
    return frame.with_columns(pl.col("SliceThickness", "EchoTime").fill_nan(None))


def planted(frame):
    """Clusters that tags do say, with some images in the wrong one."""
    thick = pl.col("SliceThickness")
    cluster = (
        pl.when((pl.col("Modality") == 0) & (thick <= 2.5))
        .then(1)
        .when(pl.col("Modality") == 2)
        .then(2)
        .when(thick.is_null())
        .then(3)
        .otherwise(4)
    )
    wrong = pl.int_range(pl.len()) % 17 == 0
    return frame.select("image", cluster=pl.when(wrong).then(4).otherwise(cluster))


def conditions(text):
    """Cut a rule at its `and`s, but for those in quotation marks."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', text)
    marked = "".join(p if i % 2 else p.replace(" and ", "\0") for i, p in enumerate(parts))
    return marked.split("\0")


def apply(text, frame, kind=np.float32):
    """Which rows a written rule holds for, knowing nothing but how rules are written."""
    held = np.ones(len(frame), bool)
    for condition in conditions(text):
        held &= one(condition, frame, kind)
    return held


def one(condition, frame, kind=np.float32):
    loose = re.fullmatch(r"\((.*) or missing\)", condition)
    text = loose[1] if loose else condition
    between = re.fullmatch(r"(\S+) < (\S+) <= (\S+)", text)
    above = re.fullmatch(r"(\S+) > (\S+)", text)
    below = re.fullmatch(r"(\S+) <= (\S+)", text)
    if between:
        low, name, high = between.groups()
    elif above:
        name, low, high = above[1], above[2], "inf"
    elif below:
        name, low, high = below[1], "-inf", below[2]
    else:
        return category(text, frame)
    values = frame[name].fill_null(np.nan).to_numpy().astype(kind)
    within = (values > kind(low)) & (values <= kind(high))
    return within | (np.isnan(values) & bool(loose))


def category(text, frame):
    name, no, value = re.fullmatch(r"(\S+) is (not )?(.*)", text).groups()
    if name not in frame.columns:  # nothing is known of the tag but whether it is there
        return (frame[f"{name}?"] == ["missing", "there"].index(value)).to_numpy()
    column = frame[name]
    if value in ("missing", "there"):
        return (column.is_null() if value == "missing" else column.is_not_null()).to_numpy()
    value = json.loads(value) if value.startswith('"') else value
    of = next(column for column in ENCODING.columns if column.name == name)
    same = (column == of.categories.index(value)).fill_null(False).to_numpy()
    return ~same if no else same


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_rule_as_written_has_the_purity_and_coverage_that_it_tells(seed, told):
    rng = np.random.default_rng(seed)
    here, there = sample(rng), sample(rng)
    if told:
        own, others = planted(here), planted(there)
    else:
        own, others = (
            frame.select("image", cluster=pl.Series(rng.integers(0, 4, len(frame))))
            for frame in (here, there)
        )
    for row in rules(here, own, there, others, ENCODING, min_patients=3):
        for prefix, frame, clusters in (("", here, own), ("heldout_", there, others)):
            held = apply(row["rule"], frame)
            right = (held & (clusters["cluster"] == row["cluster"]).to_numpy()).sum()
            members = (clusters["cluster"] == row["cluster"]).sum()
            purity, coverage = row[f"{prefix}purity"], row[f"{prefix}coverage"]
            assert purity == (pytest.approx(right / held.sum(), abs=1e-4) if held.any() else None)
            assert coverage == pytest.approx(right / members, abs=1e-4)


def test_planted_rules_are_found_and_hold_for_other_patients():
    rng = np.random.default_rng(1)
    here, there = sample(rng, 2000), sample(rng, 2000)
    found = rules(here, planted(here), there, planted(there), ENCODING)
    assert {row["cluster"]: row["rule"] for row in found}[2] == 'Modality is "CHEST and ABDOMEN"'
    assert "Modality is CT" in found[0]["rule"]
    assert "SliceThickness <= 2.5" in found[0]["rule"]
    assert "SliceThickness is missing" in found[2]["rule"]
    assert all(row["heldout_purity"] > 0.9 and row["heldout_coverage"] > 0.9 for row in found[:3])


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
def test_no_rule_names_what_few_patients_have(seed, min_patients):
    rng = np.random.default_rng(seed)
    here = sample(rng, n=60, patients=20)
    own = here.select("image", cluster=pl.Series(rng.integers(1, 4, len(here))))
    for row in rules(here, own, here, own, ENCODING, min_patients):
        if row["rule"] is None:
            continue
        assert "rare" not in row["rule"]
        assert (
            here.filter(pl.Series(apply(row["rule"], here)))["patient"].n_unique() >= min_patients
        )
        for condition in conditions(row["rule"]):
            name = re.search(r"[A-Z]\w+\??", condition)[0]
            if "<" in condition or ">" in condition:
                thresholds = re.findall(r"(?<![\w])\d[\d.]*", condition)
                for threshold in map(np.float32, thresholds):
                    for side in (pl.col(name) <= threshold, pl.col(name) > threshold):
                        assert here.filter(side)["patient"].n_unique() >= min_patients
            elif not condition.endswith((" missing", " there")):
                held = one(condition.replace(" is not ", " is "), here)
                assert here.filter(pl.Series(held))["patient"].n_unique() >= min_patients


def test_thresholds_are_round_and_lie_between_the_values():
    frame = sample(np.random.default_rng(3), 400).with_columns(
        SliceThickness=pl.Series(np.repeat([0.1, 0.2, 1.2345678, 1.2345689], 100)).cast(pl.Float32)
    )
    own = frame.select("image", cluster=pl.Series(np.repeat([1, 2, 3, 3], 100)))
    told = {row["cluster"]: row["rule"] for row in rules(frame, own, frame, own, ENCODING)}
    assert told == {
        1: "SliceThickness <= 0.15",
        2: "0.15 < SliceThickness <= 0.7",
        3: "SliceThickness > 0.7",
    }


@st.composite
def near_values(draw):
    """Three clusters whose numbers differ by a few steps of float32, some missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    base = np.float32(draw(st.sampled_from([0.1, 1.2345678, 2.5, 123456.7, -3.3, 16777216])))
    steps = np.cumsum(rng.integers(1, draw(st.sampled_from([2, 9, 9999])), 12))
    number = (base.view(np.int32) + steps.astype(np.int32)).view(np.float32)
    frame = sample(rng, 80).with_columns(SliceThickness=pl.Series(rng.choice(number, 80)))
    frame = frame.with_columns(pl.when(pl.Series(rng.random(80) > 0.2)).then("SliceThickness"))
    ranks = frame["SliceThickness"].rank("dense").fill_null(0).to_numpy()
    cluster = np.where(rng.random(80) < 0.1, 1, ranks // 4 + 1).astype(int)
    return frame, frame.select("image", cluster=pl.Series(cluster))


@settings(max_examples=40)
@given(near_values())
def test_a_written_rule_holds_where_the_tree_says_so_however_near_the_values(near):
    frame, own = near
    thick = Encoding("linear", ENCODING.columns[1:2])
    values = frame["SliceThickness"]
    seen = values.fill_null(np.nan).to_numpy()[:, None].copy()
    written_as = values.cast(pl.Float64), values.cast(pl.String).cast(pl.Float64)
    for row in rules(frame, own, frame, own, thick, min_patients=1):
        cluster = (own["cluster"] == row["cluster"]).to_numpy()
        tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(seen, cluster)
        nodes = tree.decision_path(seen).toarray().astype(bool).T
        held = apply(row["rule"], frame)
        assert any((held == node).all() for node in nodes)
        for exact in written_as:
            again = frame.with_columns(SliceThickness=exact)
            np.testing.assert_array_equal(apply(row["rule"], again, np.float64), held)
        right = int((held & cluster).sum())
        assert row["purity"] == round(right / int(held.sum()), 4)
        assert row["coverage"] == round(right / int(cluster.sum()), 4)


def test_a_threshold_has_the_digits_that_near_values_need():
    """It was cut to four, and then divided nothing, or elsewhere."""
    frame = sample(np.random.default_rng(3), 400).with_columns(
        SliceThickness=pl.Series(np.repeat([1.23451, 1.23452], 200)).cast(pl.Float32)
    )
    own = frame.select("image", cluster=pl.Series(np.repeat([1, 2], 200)))
    told = rules(frame, own, frame, own, ENCODING)
    assert [row["rule"] for row in told] == [
        "SliceThickness <= 1.23451",
        "SliceThickness > 1.23451",
    ]
    assert [(row["purity"], row["coverage"]) for row in told] == [(1, 1), (1, 1)]


def test_of_a_tag_of_which_only_presence_is_known_it_is_said_that_it_is_there():
    frame = sample(np.random.default_rng(4), 200)
    own = frame.select("image", cluster=pl.col("KVP?") + 1)
    told = rules(frame, own, frame, own, ENCODING)
    assert [row["rule"] for row in told] == ["KVP is missing", "KVP is there"]


@pytest.mark.parametrize("text", ["CT", "A.B-C", "1\\2"])
def test_plain_values_stand_as_they_are(text):
    assert quoted(text) == text


@given(st.text(min_size=1))
def test_other_values_can_be_read_back(text):
    written = quoted(text)
    assert (json.loads(written) if written.startswith('"') else written) == text
    assert written not in ("missing", "there")
    assert '"' in written or " " not in written


def test_the_file_is_yaml_with_the_names_of_the_cards():
    rng = np.random.default_rng(5)
    here = sample(rng)
    found = rules(here, planted(here), here, planted(here), ENCODING)
    cards = [{"cluster": c, "name": f"CT · {c}"} for c in (1, 2, 3, 4)]
    read = yaml.safe_load(to_yaml(found, cards, 4))
    assert read["k"] == 4
    assert [row["name"] for row in read["clusters"]] == [card["name"] for card in cards]
    assert [row["rule"] for row in read["clusters"]] == [row["rule"] for row in found]


def test_a_cluster_without_an_image_in_the_sample_is_in_the_file_without_a_rule():
    """As `cluster.on: all` may find one: the file had fewer clusters than there are."""
    here = sample(np.random.default_rng(5))
    found = rules(here, planted(here), here, planted(here), ENCODING)
    cards = [{"cluster": c, "name": f"CT · {c}"} for c in (1, 2, 3, 4, 5)]
    read = yaml.safe_load(to_yaml(found, cards, 5))["clusters"]
    assert [row["cluster"] for row in read] == [1, 2, 3, 4, 5]
    assert {**read[4], "cluster": 1, "name": "x"}.keys() == read[0].keys()
    assert set(read[4].values()) == {5, "CT · 5", None}


def test_a_cluster_of_too_few_patients_has_no_rule():
    frame = sample(np.random.default_rng(6), n=20, patients=2)
    own = frame.select("image", cluster=pl.lit(1))
    (row,) = rules(frame, own, frame, own, ENCODING, min_patients=3)
    assert row["rule"] is row["purity"] is row["heldout_coverage"] is None
