"""Confounding: scanners that clusters follow are told, and anatomy that they follow."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from tagsight.interpretation.confounding import MARGIN, confounding, verdict, with_makers
from tagsight.report.sentences import confounding_basis, confounding_sentence

RNG = np.random.default_rng(0)
N = 400
PART, MODEL = RNG.integers(0, 4, N), RNG.integers(0, 4, N)
MODALITY = MODEL // 2  # a scanner has one


def texts(codes):
    return pl.Series([f"value {code}" for code in codes])


OUTSIDE = {
    "body_part": texts(PART),
    "modality": texts(MODALITY),
    "model": texts(MODEL),
    "manufacturer": texts(RNG.integers(0, 3, N)),
}


@pytest.mark.parametrize(
    ("labels", "expected", "said"),
    [
        (MODEL, "scanner", "read them as scanners rather than anatomy"),
        (PART, "anatomy", "read them as anatomy rather than scanners"),
        (MODALITY, "modality", "read them as modalities first"),
        (PART * 4 + MODEL, "both", "mixed"),
        (RNG.integers(0, 5, N), "neither", "neither"),
    ],
)
def test_planted_confounding_is_told(labels, expected, said):
    found = confounding(labels, OUTSIDE)
    assert found["verdict"] == expected
    assert said in confounding_sentence(found)


def test_each_label_of_the_scanner_is_reported_on_the_images_that_state_all():
    known = {name: RNG.random(N) < 0.7 for name in OUTSIDE}
    some = {name: OUTSIDE[name].set(pl.Series(~known[name]), None) for name in OUTSIDE}
    found = confounding(MODEL, some)["compared"]
    assert [row["label"] for row in found] == ["model", "manufacturer"]
    codes = {"anatomy": "body_part", "modality": "modality"}
    for row in found:
        of = codes | {"scanner": row["label"]}
        there = np.all([known[name] for name in of.values()], axis=0)
        assert row["rows"] == there.sum()
        for kind, name in of.items():
            values = OUTSIDE[name].to_numpy()[there]
            expected = adjusted_mutual_info_score(values, MODEL[there])
            assert row[kind] == pytest.approx(expected)
            assert row["levels"][kind] == len(set(values))


def test_the_largest_of_the_scanners_labels_is_not_picked():
    """Of three labels one agrees by chance; the verdict went by whichever agreed most."""
    labels = np.arange(N) % 3
    site, model = texts(labels), texts(RNG.integers(0, 4, N))
    found = confounding(labels, {**OUTSIDE, "model": model, "site": site})
    assert found["verdict"] == "neither"
    assert {row["label"]: row["scanner"] > 0.9 for row in found["compared"]} == {
        "model": False,
        "manufacturer": False,
        "site": True,
    }


@pytest.mark.parametrize(
    ("missing", "name"), [(["model"], "maker"), (["model", "manufacturer"], "site")]
)
def test_where_no_model_is_stated_another_label_stands_for_the_scanner(missing, name):
    none = pl.Series([None] * N, dtype=pl.String)
    found = confounding(MODEL, {**OUTSIDE, "site": texts(MODEL), **dict.fromkeys(missing, none)})
    assert f"the {name} (" in confounding_sentence(found)
    assert f" {name}s, 4 body parts" in confounding_basis(found)


def test_with_one_modality_alone_it_is_no_part_of_the_comparison():
    one = texts(np.zeros(N, int)).set(pl.Series(np.arange(N) < 9), None)
    found = confounding(MODEL, {**OUTSIDE, "modality": one})
    (first, _), without = found["compared"], {k: v for k, v in OUTSIDE.items() if k != "modality"}
    assert first["modality"] is None
    assert first["rows"] == N
    assert found == confounding(MODEL, without)
    assert "modalities" not in confounding_basis(found)


def test_what_is_not_stated_cannot_be_told():
    none = pl.Series([None] * N, dtype=pl.String)
    found = confounding(MODEL, {**OUTSIDE, "body_part": none})
    assert found == {"verdict": "unknown", "compared": []}
    assert "cannot be told" in confounding_sentence(found)
    assert confounding_basis(found) == ""


@pytest.mark.parametrize(
    ("scanner", "anatomy", "modality", "expected"),
    [
        (0.5, 0.41, None, "both"),
        (0.5, 0.39, None, "scanner"),
        (0.39, 0.5, 0.59, "anatomy"),
        (0.39, 0.5, 0.61, "modality"),
        (0.09, 0.02, 0.11, "neither"),
        (-0.05, -0.04, 0.08, "neither"),
        (0.09, 0.02, 0.0, "neither"),
    ],
)
def test_a_margin_decides(scanner, anatomy, modality, expected):
    assert MARGIN == 0.1
    found = {"scanner": scanner, "anatomy": anatomy, "modality": modality}
    assert verdict(found) == expected


def test_scores_are_written_as_articles_write_them():
    first = {"label": "model", "rows": 1200, "scanner": 0.8, "anatomy": 0.412, "modality": -0.02}
    first["levels"] = {"scanner": 1010, "anatomy": 20, "modality": 7}
    found = {"verdict": "scanner", "compared": [first]}
    assert "the scanner model (AMI .80) than with the body part (.41)" in confounding_sentence(
        found
    )
    assert confounding_basis(found) == (
        "On the 1,200 images that state them: 1,010 scanner models, 20 body parts, "
        "7 modalities (AMI \N{MINUS SIGN}.02)."
    )


def of_makers(makers, modality="CT", patients=None):
    n = len(makers)
    return pl.DataFrame(
        {
            "image": [f"{modality} {i}" for i in range(n)],
            "series": [f"{modality} {i}" for i in range(n)],
            "study": [f"{modality} {i}" for i in range(n)],
            "patient": [f"{modality} {p}" for p in (patients or range(n))],
            "modality": modality,
            "manufacturer": makers,
        },
        schema_overrides={"manufacturer": pl.String},
    )


def makers(images, clusters):
    members = images.select("image", cluster=pl.Series(clusters))
    cards = [{"label": c} for c in sorted(set(clusters))]
    return [card["maker"] for card in with_makers(cards, "label", images, members, 3)]


def test_a_label_of_one_maker_among_others_of_its_modality_is_told():
    images = of_makers(["A"] * 10 + ["B"] * 8 + ["A"] * 2)
    one, other = makers(images, [1] * 10 + [2] * 10)
    assert one == {"inside": 1.0, "outside": 0.2, "one": True}
    assert other == {"inside": 0.8, "outside": 0.0, "one": False}


def test_makers_of_another_modality_are_not_compared():
    """All CT are of A, whatever their label: that tells nothing of labels."""
    images = pl.concat([of_makers(["A"] * 10), of_makers(["B"] * 10, "MR")])
    first, second, third = makers(images, [1] * 5 + [2] * 5 + [3] * 10)
    assert first == second == {"inside": 1.0, "outside": 1.0, "one": False}
    assert third is None


def test_few_patients_and_unknown_makers_tell_nothing():
    images = of_makers(["A"] * 6 + ["B"] * 6, patients=[0, 0, 0, 1, 1, 1, *range(2, 8)])
    assert makers(images, [1] * 6 + [2] * 6)[0] is None
    assert makers(of_makers([None] * 8), [1] * 4 + [2] * 4) == [None, None]


def test_the_most_frequent_maker_counts_and_order_does_not():
    rng = np.random.default_rng(0)
    images = of_makers(rng.choice(["A", "B", "C"], 60).tolist())
    clusters = rng.integers(1, 4, 60).tolist()
    for one in makers(images, clusters):
        assert 0 <= one["outside"] <= 1
        assert one["inside"] >= 1 / 3
    order = rng.permutation(60)
    shuffled = images[order]
    assert makers(shuffled, [clusters[i] for i in order]) == makers(images, clusters)
