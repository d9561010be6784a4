import zlib

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics import normalized_mutual_info_score

from tagsight.gower.features import Features
from tagsight.tags.frequencies import frequencies
from tagsight.tags.ranking import (
    LEVELS,
    NEIGHBOURS,
    Graph,
    draw_images,
    entropy,
    laplacian,
    neighbours,
    rank,
    symmetric_uncertainty,
)

LEVELLED = st.lists(st.lists(st.integers(0, LEVELS), min_size=3, max_size=3), min_size=2).map(
    np.array
)


@given(LEVELLED)
def test_entropy_is_scipys_of_what_is_present(levels):
    for column, found in zip(levels.T, entropy(levels), strict=True):
        present = column[column < LEVELS]
        told = scipy_entropy(np.bincount(present)) if len(present) else 0
        share = len(present) / len(column)
        assert found == pytest.approx(told * share / np.log(LEVELS), abs=1e-12)


@given(LEVELLED)
def test_symmetric_uncertainty_is_scikit_learns(levels):
    found = symmetric_uncertainty(levels)
    for a in range(3):
        for b in range(3):
            x, y = levels[:, a], levels[:, b]
            either = len(set(x)) > 1 or len(set(y)) > 1
            told = normalized_mutual_info_score(x, y) if either else 0
            assert found[a, b] == pytest.approx(told, abs=1e-9)


def laplacian_score(variables, graph, n):
    """He, Cai & Niyogi's formulas, as they stand: sums over a variable's indicators."""
    s = np.zeros((n, n))
    s[graph.a, graph.b] = s[graph.b, graph.a] = graph.s
    d, one = np.diag(s.sum(axis=0)), np.ones(n)
    top = bottom = 0.0
    for f in variables:
        f = f - (f @ d @ one) / (one @ d @ one)
        top, bottom = top + f @ (d - s) @ f, bottom + f @ d @ f
    return top / bottom if bottom > 1e-12 else 1.0


def features(numbers, codes):
    return Features(
        np.asarray(numbers, np.float32)[:, None],
        np.asarray(codes, np.int32)[:, None],
        np.ones(1, np.float32),
        np.ones(1, np.float32),
    )


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_the_laplacian_score_is_the_articles(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 30))
    numbers = np.where(rng.random(n) < 0.3, np.nan, rng.random(n)).astype(np.float32)
    codes = rng.integers(-1, 4, n)
    pairs = [(i, j) for i in range(n) for j in range(i) if rng.random() < 0.3]
    a, b = np.array(pairs, int).reshape(-1, 2).T
    graph = Graph(a, b, rng.uniform(0.1, 1, len(pairs)))
    by_number, by_code = laplacian(features(numbers, codes), graph)
    for found, x, there in ((by_number, numbers, ~np.isnan(numbers)), (by_code, codes, codes >= 0)):
        both = there[a] & there[b]
        inside = Graph(*(each[both] for each in graph))
        joined = np.bincount(np.concatenate([inside.a, inside.b]), minlength=n) > 0
        if not joined.any():
            assert found == 0
            continue
        values = np.where(joined, np.nan_to_num(x.astype(float)), 0)
        indicators = [values] if x is numbers else [(x == c) * joined for c in range(4)]
        score = laplacian_score([v.astype(float) for v in indicators], inside, n)
        assert found == pytest.approx((1 - score) * there.mean(), abs=1e-6)


def test_neighbours_are_the_nearest_and_each_pair_is_joined_once():
    rows = features(np.arange(40) / 39, np.zeros(40))
    graph = neighbours(rows)
    assert len(set(zip(graph.a, graph.b, strict=True))) == len(graph.a)
    assert (graph.a < graph.b).all()
    assert (graph.b - graph.a).max() == NEIGHBOURS  # at the ends
    np.testing.assert_allclose(graph.s, 1 - (graph.b - graph.a) / 39 / 2, atol=1e-6)


def archive(n=400, seed=0):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, n)
    kvp = kind * 20 + 80 + rng.integers(0, 3, n)
    columns = {
        "image": [f"{i:032x}" for i in range(n)],
        "series": [f"s{i // 2}" for i in range(n)],
        "study": [f"s{i // 4}" for i in range(n)],
        "patient": [f"p{i // 4}" for i in range(n)],
        "Modality": np.array(["CT", "MR", "US", "CR"])[kind].tolist(),
        "SOPClassUID": np.array(["1.2", "1.3", "1.4", "1.5"])[kind].tolist(),
        "KVP": [str(v) for v in kvp],
        "PatientAge": [f"{a:03d}Y" for a in rng.integers(20, 90, n)],
        "PatientSex": ["F" if x < 0.03 else "M" for x in rng.random(n)],
        "Exposure": [str(e) if e > 80 else None for e in rng.integers(0, 100, n)],
    }
    return pl.DataFrame(columns)


KEYWORDS = ["Modality", "SOPClassUID", "KVP", "PatientAge", "PatientSex", "Exposure"]


def ranked(method, tags):
    found = rank(method, tags.lazy(), frequencies(tags.lazy()), KEYWORDS, pl.DataFrame(TABLE), 1)
    return dict(zip(KEYWORDS, found.score, strict=True)), found.repeats


TABLE = {"spelling": ["HEAD"], "term": ["HEAD"]}


def test_entropy_puts_first_what_varies_most_where_it_is_there():
    score, repeats = ranked("entropy", archive())
    assert sorted(KEYWORDS, key=score.get)[::-1][:2] == ["PatientAge", "KVP"]
    assert score["Exposure"] < score["Modality"]
    assert score["PatientSex"] < 0.1
    assert repeats[KEYWORDS.index("SOPClassUID"), KEYWORDS.index("Modality")] == pytest.approx(1)
    assert repeats[KEYWORDS.index("PatientAge"), KEYWORDS.index("Modality")] < 0.3


def test_laplacian_puts_first_what_neighbours_share():
    score, _ = ranked("laplacian", archive())
    assert score["Modality"] == pytest.approx(score["SOPClassUID"])
    assert sorted(KEYWORDS, key=score.get)[::-1][2] == "KVP"
    assert score["Modality"] > 0.9


@pytest.mark.parametrize("method", ["entropy", "laplacian"])
def test_the_order_of_the_rows_makes_no_difference(method):
    tags = archive()
    first, second = (ranked(method, each) for each in (tags, tags[::-1]))
    assert first[0] == second[0]
    assert (first[1] == second[1]).all()


@pytest.mark.parametrize("method", ["entropy", "laplacian"])
def test_where_images_are_all_alike_no_tag_scores(method):
    scores, repeats = ranked(method, archive()[:1])
    assert set(scores.values()) == {0}
    assert not repeats.any()


def test_a_sample_has_one_image_of_a_series_and_depends_on_the_seed_alone():
    tags = archive().with_columns(series=pl.when(pl.int_range(pl.len()) < 380).then("series"))
    few = draw_images(tags.lazy(), 50, seed=1)
    assert few.equals(draw_images(tags[::-1].lazy(), 50, seed=1))
    assert not few.equals(draw_images(tags.lazy(), 50, seed=2))
    first = {}
    for image, series in tags.select("image", "series").sort("image").iter_rows():
        first.setdefault(series or image, image)
    units = sorted(first)
    order = np.random.default_rng([1, zlib.crc32(b"ranking")]).permutation(len(units))
    assert few["image"].to_list() == sorted(first[units[place]] for place in order[:50])
    whole = draw_images(tags.lazy(), 1000, seed=1)
    assert whole["image"].to_list() == sorted(first.values())
    assert len(whole) == 190 + 20


def test_every_series_is_drawn_as_often():
    """As many images or one: over seeds, each series about as often as any other."""
    series = ["a"] * 50 + ["b"] * 5 + list("cdefgh")
    tags = pl.DataFrame({"image": [f"{i:032x}" for i in range(len(series))], "series": series})
    drawings = [draw_images(tags.lazy(), 2, seed)["series"] for seed in range(200)]
    times = pl.concat(drawings).value_counts()["count"]  # 50 each are expected, sd 6
    assert len(times) == 8
    assert 25 < times.min() <= times.max() < 75
