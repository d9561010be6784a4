import numba
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.evaluation.nulls import constant_within, permutations
from tagsight.evaluation.trials import trial

RUNS = 240


def deal(series, strata, count=20, seed=0):
    return permutations(np.asarray(series), np.asarray(strata), count, np.random.default_rng(seed))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=40))
def test_whole_series_move_inside_their_stratum(rows):
    series, strata = np.array(rows).T
    for source in deal(series, strata):
        assert np.array_equal(strata[source], strata)
        for stratum in np.unique(strata):
            givers = {}
            for one in np.unique(series[strata == stratum]):
                block = np.flatnonzero((series == one) & (strata == stratum))
                giver = np.unique(series[source[block]])
                assert len(giver) == 1
                whole = np.flatnonzero((series == giver[0]) & (strata == stratum))
                assert np.array_equal(source[block], np.resize(whole, len(block)))
                givers[one] = giver[0]
            assert sorted(givers.values()) == sorted(givers)


def test_single_images_are_permuted_uniformly():
    found = deal(np.arange(3), np.zeros(3, int), count=6000)
    _, counts = np.unique(found, axis=0, return_counts=True)
    assert len(counts) == 6
    assert counts.min() > 850
    assert counts.max() < 1150


def test_series_of_one_size_keep_the_sizes_of_clusters():
    labels = np.repeat(np.random.default_rng(0).integers(0, 4, 30), 3)
    for source in deal(np.repeat(np.arange(30), 3), np.zeros(90, int)):
        assert np.array_equal(np.bincount(labels[source]), np.bincount(labels))


def test_same_seed_same_draws():
    series, strata = np.arange(40) // 2, np.arange(40) % 3
    assert np.array_equal(deal(series, strata), deal(series, strata))
    assert not np.array_equal(deal(series, strata), deal(series, strata, seed=1))


def test_constant_within():
    strata = np.array([0, 0, 1, 1])
    assert constant_within(np.array([5, 5, 2, 2]), strata)
    assert constant_within(np.array([5, 5, 5, 5]), strata)
    assert not constant_within(np.array([5, 5, 2, 3]), strata)


def rejected(slices, tied):
    """Share of runs with p < 0.05 by null and centre, where tags say nothing beyond modality.

    Looks are independent of tags or, if `tied`, both depend on modality alone.
    """
    hits = []
    for run in range(RUNS):
        rng = np.random.default_rng([11, run])
        modality = rng.integers(0, 3, 90 // slices)
        clusters = rng.integers(0, 4, len(modality))
        looks = rng.normal(1, 1, (len(modality), 5))
        if tied:
            clusters = np.where(rng.random(len(modality)) < 0.7, modality, clusters)
            looks += 3 * rng.normal(size=(3, 5))[modality]
        series = np.repeat(np.arange(len(modality)), slices)
        noise = rng.normal(0, 0.3, (len(series), 5))
        columns = {"series": series, "patient": series, "modality": modality[series]}
        unknown = dict.fromkeys(("body_part", "manufacturer"), pl.lit(None))
        found = trial(
            "trial",
            (looks[series] + noise).astype(np.float32),
            clusters[series],
            pl.DataFrame(columns).with_columns(**unknown).cast(pl.String),
            k=4,
            permutations=39,
            seed=run,
        )
        hits.append(found.filter(labelling="tags").select("null", "centre", "p"))
    # With 39 permutations p = 0.05 is one of the values it can take: 5 % of p are ≤ 0.05.
    share = (pl.col("p") < 0.05 + 1e-9).mean()
    rows = pl.concat(hits).group_by("null", "centre").agg(share).rows()
    return {(null, centre): p for null, centre, p in rows}


KEPT = pytest.approx(0.05, abs=0.03)


@pytest.mark.long
@pytest.mark.parametrize("centre", ["in_sample", "left_out"])
def test_levels_of_the_nulls(centre, levels):
    single, several, tied = levels
    assert [single[null, centre] for null in ("images", "series", "within_modality")] == [KEPT] * 3
    assert several["series", centre] == KEPT
    assert several["within_modality", centre] == KEPT
    assert tied["within_modality", centre] == KEPT
    assert tied["within_modality_body_part", centre] == KEPT
    assert tied["series", centre] > 0.9


@pytest.mark.long
def test_images_null_fails_its_level_with_several_slices(levels):
    assert levels[1]["images", "in_sample"] > 0.5


@pytest.fixture(scope="module")
def levels():
    before = numba.get_num_threads()
    numba.set_num_threads(1)  # so many small parallel regions would crawl on a busy machine
    yield rejected(1, tied=False), rejected(3, tied=False), rejected(1, tied=True)
    numba.set_num_threads(before)
