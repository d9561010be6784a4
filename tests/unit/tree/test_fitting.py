"""Selection and encoding inside kinds, on a small table of CT and DX images."""

import json

import numpy as np
import polars as pl
import pytest

from tagsight.tags import kind_frequencies as by_kinds
from tagsight.tags.encoding import PRESENCE, to_features
from tagsight.tags.frequencies import frequencies
from tagsight.tags.kind_selection import kind_selection
from tagsight.terms.spelling_table import spelling_table
from tagsight.tree.encodings import Tree
from tagsight.tree.fitting import Shares, apply_tree, fit_tree

N = 40
TABLE, KEY = spelling_table(None), bytes(32)
ROLES = {"Manufacturer": "equipment"}
ASKED = {"method": "missing", "count": 70, "max_missing": 0.95, "max_categories": 300}
SHARES = Shares(region=0.35, facets=0.3, presence=1.0)


def archive():
    """20 CT with a thickness (one stray), 15 DX with a view, 5 SR; half of the regions known."""
    kinds = ["CT"] * 20 + ["DX"] * 15 + ["SR"] * 5
    ids = {
        "image": [f"{i:032x}" for i in range(N)],
        **{level: [f"{level}{i}" for i in range(N)] for level in ("series", "study", "patient")},
    }
    tags = {
        **ids,
        "Modality": kinds,
        "Manufacturer": ["A", "B"] * 20,
        "SliceThickness": [*(str(1 + i % 5) for i in range(19)), "750", *[None] * 20],
        "ViewPosition": [*[None] * 20, *(["AP", "PA", "LL"] * 5), *[None] * 5],
        "ConvolutionKernel": [*["B30f"] * 10, *["B70f"] * 10, *[None] * 20],
        "KVP": [*(str(100 + i) for i in range(35)), *[None] * 5],
        "WindowCenter": [*(str(40 + i) for i in range(9)), *[None] * 11, *["7"] * 20],
        "ContentLabel": [*[None] * 35, *"abcde"],
    }
    content = {
        "image": ids["image"],
        "kind": kinds,
        "picture": [kind != "SR" for kind in kinds],
        "region": [*["CHEST", "HEAD"] * 10, *["CHEST"] * 10, *[None] * 10],
        "kernel": [*["soft"] * 10, *["bone"] * 10, *[None] * 20],
        "localizer": [*["scout"] * 3, *[None] * 37],
    }
    text = dict.fromkeys([*tags, *content], pl.String) | {"picture": pl.Boolean}
    make = lambda columns: pl.DataFrame(columns, {name: text[name] for name in columns})  # noqa: E731
    return make(tags), make(content)


TAGS, CONTENT = archive()


@pytest.fixture(scope="module")
def both():
    return by_kinds.with_content([TAGS.lazy()], [CONTENT.lazy()])


@pytest.fixture(scope="module")
def counted(both):
    return by_kinds.kind_frequencies(both, frequencies(TAGS.lazy(), 1))


def selected(both, counted, in_words=None, **asked):
    return kind_selection(
        counted,
        frequencies(TAGS.lazy(), 1),
        both,
        TABLE,
        roles=ROLES,
        wanted=["content"],
        in_words=in_words or {"CT": {"ConvolutionKernel"}},
        per_module=None,
        drop=[],
        **{**ASKED, **asked},
    )


@pytest.fixture(scope="module")
def tree(both, counted):
    return fit_tree(
        both,
        counted,
        selected(both, counted),
        by_kinds.words(CONTENT.lazy()),
        distance="linear",
        scale="rank",
        shares=SHARES,
        body_parts=TABLE,
        key=KEY,
        min_patients=1,
    )


def test_shares_and_values_are_those_inside_a_kind(counted):
    for kind, tags in TAGS.with_columns(CONTENT["kind"]).group_by("kind"):
        rows = counted.filter(pl.col("kind") == kind[0])
        if kind[0] == "SR":
            assert rows.is_empty()
        for row in rows.to_dicts():
            stored = tags[row["keyword"]].drop_nulls()
            assert (row["present"], row["images"]) == (len(stored), len(tags))
            assert row["missing_share"] == pytest.approx(1 - len(stored) / len(tags))
            assert row["distinct"] == stored.n_unique()


def test_equal_partitions_have_equal_fingerprints_inside_a_kind(counted):
    of = {row["keyword"]: row for row in counted.filter(kind="CT").to_dicts()}
    assert of["Modality"]["presence"] == of["KVP"]["presence"] != of["WindowCenter"]["presence"]
    assert of["Modality"]["fingerprint"] != of["Manufacturer"]["fingerprint"]


def fate(selection, kind, keyword):
    return selection.filter(kind=kind, keyword=keyword)["reason"].item()


def test_tags_are_chosen_inside_each_kind_by_their_role(both, counted):
    selection = selected(both, counted)
    assert fate(selection, "CT", "SliceThickness") == "kept"
    assert fate(selection, "DX", "ViewPosition") == "kept"
    assert fate(selection, "CT", "Manufacturer") == "not content"
    assert fate(selection, "CT", "ConvolutionKernel") == "in words"
    assert fate(selection, "CT", "Modality") == "constant"
    assert selection.filter(keyword="SliceThickness")["kind"].to_list() == ["CT"]
    reports = selection.filter(keyword="ContentLabel")
    assert (reports["kind"].item(), reports["reason"].item()) == (None, "in no picture")


def test_every_tag_of_the_archive_has_a_fate(both, counted):
    fates = selected(both, counted)
    assert set(fates["keyword"]) == set(frequencies(TAGS.lazy(), 1)["keyword"])
    assert fates["reason"].null_count() == 0


def test_the_groups_share_the_weight_as_asked(tree):
    columns = tree.of("CT").columns
    weight = dict.fromkeys(("region", "facets", "tags"), 0.0)
    for column in columns:
        words = column.name.startswith("word.")
        weight["region" if column.keyword == "region" else "facets" if words else "tags"] += (
            column.weight
        )
    assert weight == pytest.approx({"region": 0.35, "facets": 0.3, "tags": 0.35})


def test_a_kind_has_the_columns_that_divide_it(tree):
    names = {kind: [column.name for column in tree.of(kind).columns] for kind in tree.branches}
    assert names["SR"] == []
    assert {"word.region", "word.kernel", "word.localizer?", "SliceThickness"} <= set(names["CT"])
    assert "ConvolutionKernel" not in names["CT"]
    assert "WindowCenter?" in names["CT"]
    # One region and missing ones tell nothing of a kind.
    assert not [name for name in names["DX"] if "region" in name]


def test_numbers_are_ranked_inside_their_kind(tree):
    features = apply_tree(TAGS, CONTENT, tree, TABLE, KEY)
    kvp = next(c for c in tree.of("DX").columns if c.name == "KVP")
    assert (kvp.minimum, kvp.maximum) == (120, 134)
    thickness = next(c for c in tree.of("CT").columns if c.name == "SliceThickness")
    spread = thickness.scale
    assert spread.maximum == 750
    scaled = to_features(features.filter(kind="CT"), tree.of("CT")).numeric
    numeric = [c.name for c in tree.of("CT").columns if c.kind == "numeric"]
    values = scaled[:, numeric.index("SliceThickness")]
    assert np.ptp(values[:5]) > 0.5  # 1 to 5 mm are not one, beside a stray 750


def test_features_hold_codes_of_words_and_null_where_there_is_none(tree):
    features = apply_tree(TAGS, CONTENT, tree, TABLE, KEY)
    region = next(c for c in tree.columns if c.name == "word.region")
    read = [None if code is None else region.categories[code] for code in features["word.region"]]
    assert read == CONTENT["region"].to_list()
    assert features["word.localizer?"].to_list() == [1] * 3 + [0] * 37
    assert features["kind"].to_list() == CONTENT["kind"].to_list()


def test_a_word_that_the_fit_has_not_seen_is_a_code_of_its_own(tree):
    new = CONTENT.with_columns(region=pl.lit("KNEE"))
    codes = apply_tree(TAGS, new, tree, TABLE, KEY)["word.region"]
    region = next(c for c in tree.columns if c.name == "word.region")
    assert codes.unique().to_list() == [len(region.categories)]


def test_a_tree_is_stored_as_json_and_comes_back_the_same(tree):
    stored = json.loads(json.dumps(tree.to_json()))
    assert Tree.from_json(stored) == tree
    assert "columns" not in stored


def test_equal_columns_of_several_kinds_have_the_same_categories(tree):
    for column in tree.columns:
        same = [
            c for b in tree.branches.values() for c in b.encoding.columns if c.name == column.name
        ]
        assert {c.categories for c in same} == {column.categories}


def test_presence_is_left_out_where_it_weighs_nothing(both, counted):
    none = fit_tree(
        both,
        counted,
        selected(both, counted),
        by_kinds.words(CONTENT.lazy()),
        distance="linear",
        scale="rank",
        shares=Shares(0.35, 0.3, 0.0),
        body_parts=TABLE,
        key=KEY,
        min_patients=1,
    )
    presence = [c.name for c in none.of("CT").columns if c.parser == PRESENCE]
    assert presence == ["word.localizer?"]
