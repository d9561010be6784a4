"""Factors of mixed data against PCA, correspondence analysis, Pagès' criterion, and prince."""

import tracemalloc

import numpy as np
import pytest
from feature_tables import features
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from tagsight.clustering import famd
from tagsight.gower.features import Features


def only(table, *, numeric=False, categorical=False):
    return Features(
        table.numeric if numeric else table.numeric[:, :0],
        table.categorical if categorical else table.categorical[:, :0],
        table.numeric_weight if numeric else table.numeric_weight[:0],
        table.categorical_weight if categorical else table.categorical_weight[:0],
    )


def test_of_numbers_alone_it_is_pca_of_standardised_ones():
    table, _ = features(0, 200, numeric=8, noise=0.2)
    placed, variances = famd.factors(only(table, numeric=True))
    x = table.numeric.astype(np.float64)
    reference = PCA(len(variances)).fit((x - x.mean(axis=0)) / x.std(axis=0))
    np.testing.assert_allclose(variances, reference.explained_variance_ * 199 / 200, rtol=1e-6)
    expected = reference.transform((x - x.mean(axis=0)) / x.std(axis=0))
    np.testing.assert_allclose(np.abs(placed), np.abs(expected), atol=1e-6)


def test_of_categories_alone_it_is_multiple_correspondence_analysis():
    table, _ = features(1, 150, categorical=6, noise=0.3)
    _, variances = famd.factors(only(table, categorical=True))
    indicators = np.hstack([np.eye(c.max() + 1)[c] for c in table.categorical.T])
    indicators = indicators[:, indicators.any(axis=0)]
    p = indicators / indicators.sum()
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    residuals = (p - np.outer(rows, columns)) / np.sqrt(np.outer(rows, columns))
    inertias = np.linalg.svd(residuals, compute_uv=False) ** 2
    expected = 6 * inertias[: len(variances)]  # an inertia is the mean over the 6 tags
    np.testing.assert_allclose(variances, expected, rtol=1e-6)


def correlation_ratio(codes, factor):
    between = [(codes == c).sum() * factor[codes == c].mean() ** 2 for c in np.unique(codes)]
    return sum(between) / (factor**2).sum()


def test_a_factors_variance_is_what_it_shares_with_each_tag():
    table, _ = features(2, 180, noise=0.25)
    placed, variances = famd.factors(table)
    assert len(variances) >= 2
    for factor, variance in zip(placed.T, variances, strict=True):
        shared = sum(np.corrcoef(x, factor)[0, 1] ** 2 for x in table.numeric.T)
        shared += sum(correlation_ratio(codes, factor) for codes in table.categorical.T)
        assert variance == pytest.approx(shared, rel=1e-5)


def test_more_columns_than_rows_are_the_same_as_their_repetition():
    """The other way round: from products of rows instead of columns."""
    table, _ = features(3, 60, numeric=10, categorical=0, noise=0.3)
    many = Features(
        np.tile(table.numeric, (1, 8)), table.categorical, np.ones(80, np.float32), np.ones(0)
    )
    few, few_variances = famd.factors(table)
    placed, variances = famd.factors(many)
    d = len(few_variances)
    np.testing.assert_allclose(variances[:d], 8 * few_variances, rtol=1e-6)
    np.testing.assert_allclose(pdist(placed[:, :d]), np.sqrt(8) * pdist(few), rtol=1e-5)


def test_weights_are_repetitions():
    table, _ = features(4, 100, noise=0.3)
    twice = Features(
        np.hstack([table.numeric, table.numeric[:, :1]]),
        np.hstack([table.categorical, table.categorical[:, :1]]),
        np.ones(5, np.float32),
        np.ones(5, np.float32),
    )
    weight = np.array([2, 1, 1, 1], np.float32)
    weighted = Features(table.numeric, table.categorical, weight, weight)
    np.testing.assert_allclose(famd.factors(weighted)[1], famd.factors(twice)[1], rtol=1e-6)


def test_a_row_that_lacks_everything_is_at_the_mean():
    table, _ = features(5, 80, missing=0.2)
    table.numeric[7], table.categorical[7] = np.nan, -1
    placed, _ = famd.factors(table)
    np.testing.assert_allclose(placed[7], 0, atol=1e-12)
    np.testing.assert_allclose(placed.mean(axis=0), 0, atol=1e-9)


def test_constant_columns_say_nothing():
    table, _ = features(6, 50)
    with pytest.raises(ValueError, match="no column"):
        famd.factors(table.take(np.zeros(10, int)))


def plainly(table):
    """The standardised table of a few columns, all at once, from its definition."""
    columns = []
    for x, weight in zip(table.numeric.T.astype(float), table.numeric_weight, strict=True):
        columns.append(np.nan_to_num((x - np.nanmean(x)) / np.nanstd(x)) * np.sqrt(weight))
    for codes, weight in zip(table.categorical.T, table.categorical_weight, strict=True):
        for value in np.unique(codes[codes >= 0]):
            share = (codes == value).sum() / (codes >= 0).sum()
            indicator = ((codes == value) - share) / np.sqrt(share) * np.sqrt(weight)
            columns.append(np.where(codes >= 0, indicator, 0))
    return np.column_stack(columns)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 130), st.integers(1, 40))
def test_made_some_rows_at_a_time_it_is_the_svd_of_the_whole_table(seed, n, rows):
    table, _ = features(seed, n, missing=0.2, noise=0.3)
    weights = np.array([1, 0.5, 3, 2], np.float32)
    table = Features(table.numeric, table.categorical, weights, weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(famd, "ROWS", rows)
        try:
            placed, variances = famd.factors(table)
        except ValueError:
            return  # a row or so, all alike
    left, values, _ = np.linalg.svd(plainly(table), full_matrices=False)
    d = len(variances)
    np.testing.assert_allclose(variances, values[:d] ** 2 / n, rtol=1e-6)
    np.testing.assert_allclose(
        placed @ placed.T, (left * values**2)[:, :d] @ left[:, :d].T, atol=1e-6
    )


def test_the_standardised_table_is_never_there_whole(monkeypatch):
    monkeypatch.setattr(famd, "ROWS", 512)
    rng = np.random.default_rng(8)
    codes = rng.integers(0, 6, (10_000, 60)).astype(np.int32)
    weights = np.ones(0, np.float32), np.ones(60, np.float32)
    table = Features(np.empty((10_000, 0), np.float32), codes, *weights)
    tracemalloc.start()
    placed, _ = famd.factors(table)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - placed.nbytes < 10_000 * 360 * 8 / 4


def test_many_rows_are_clustered_from_the_centres_of_some(monkeypatch):
    table, group = features(9, 3000, groups=7, numeric=8, categorical=8, missing=0.05)
    (whole,) = famd.labellings(table, [7])
    monkeypatch.setattr(famd, "SAMPLE", 200)
    (some,) = famd.labellings(table, [7])
    assert adjusted_rand_score(whole, group) > 0.95
    assert adjusted_rand_score(some, whole) == 1
    assert np.bincount(some).min() > 0


def test_equal_rows_are_no_more_places_than_they_are_wherever_they_stand():
    """The last digits of a product depend on where in it a row stands."""
    table, _ = features(10, 5, groups=5, numeric=9, categorical=9)
    many = table.take(np.random.default_rng(0).integers(0, 5, 5000))
    assert [len(np.unique(labels)) for labels in famd.labellings(many, [3, 5, 6, 9])] == [3, 5]


def test_prince_agrees():
    prince, pl = pytest.importorskip("prince"), pytest.importorskip("pandas")
    table, _ = features(7, 160, noise=0.25)
    frame = pl.DataFrame(table.numeric.astype(float), columns=list("abcd"))
    for name, codes in zip("wxyz", table.categorical.T, strict=True):
        frame[name] = [f"value {c}" for c in codes]
    placed, variances = famd.factors(table)
    placing = prince.FAMD(n_components=len(variances), engine="scipy").fit(frame)
    expected = placing.row_coordinates(frame).to_numpy()
    # Up to the sign and one scale, which prince takes otherwise.
    scale = pdist(expected).mean() / pdist(placed).mean()
    np.testing.assert_allclose(pdist(expected), scale * pdist(placed), rtol=0.02)
