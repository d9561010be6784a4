"""Equal rows once: exactly the losses and silhouettes of all rows, and optima stay optima."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_metric import drawn, features

from tagsight.clustering import k_medoids, silhouettes
from tagsight.gower import metric
from tagsight.gower.distinct_rows import all_rows, collapse


def repeated(seed, n, *, distinct=12, missing=0.3):
    """n rows, each one of a few; among these there may be equal ones, and empty ones."""
    some = drawn(seed, distinct, 2, 3, missing=missing, levels=3, weights=(0.5, 1.0))
    return some.take(np.random.default_rng(seed).integers(0, distinct, n))


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 60),
    missing=st.sampled_from([0.0, 0.4, 0.9, 1.0]),
)
def test_rows_are_one_where_they_are_at_no_distance_from_each_other_and_alike_from_all(
    seed, n, missing
):
    made = repeated(seed, n, missing=missing)
    found, d = collapse(made), metric.matrix(made)
    same = (d[:, None] == d[None]).all(axis=2) & (d == 0)
    np.fill_diagonal(same, True)
    merged = found.row[:, None] == found.row[None]
    assert not (merged & ~same).any()
    # Rows alike in all distances of this set may differ in a feature; with equal values they don't.
    columns = np.hstack([np.nan_to_num(made.numeric, nan=-1), made.categorical])
    equal = (columns[:, None] == columns[None]).all(axis=2)
    empty = (made.categorical < 0).all(axis=1) & np.isnan(made.numeric).all(axis=1)
    wanted = equal & ~empty[:, None] | np.eye(n, dtype=bool)
    np.testing.assert_array_equal(merged, wanted)
    np.testing.assert_array_equal(found.weight, np.bincount(found.row))
    np.testing.assert_array_equal(found.row[found.first], np.arange(len(found.first)))
    assert (np.diff(found.first) > 0).all()


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(8, 80), k=st.integers(2, 5))
def test_loss_labels_and_silhouettes_are_those_of_all_rows(seed, n, k):
    made = repeated(seed, n)
    few, all_d = collapse(made), metric.matrix(made)
    d = metric.matrix(few.features)
    for found in k_medoids.grid(d, [k], weights=few.weight):
        labels, chosen = found.labels[few.row], few.first[found.medoids]
        assert found.loss == pytest.approx(all_d[np.arange(n), chosen[labels]].sum(dtype=float))
        np.testing.assert_array_equal(
            all_d[np.arange(n), chosen[labels]], all_d[chosen].min(axis=0)
        )
        sizes = np.bincount(labels)
        assert (np.diff(sizes) <= 0).all()
        (narrow,) = silhouettes.widths(d, [found.labels], few.weight)
        (wide,) = silhouettes.widths(all_d, [labels])
        np.testing.assert_allclose(narrow[few.row], wide, atol=1e-6)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(10, 80))
def test_build_adds_what_lowers_the_loss_of_all_rows_most(seed, n):
    made = repeated(seed, n)
    few, d = collapse(made), metric.matrix(made)
    k = min(4, len(few.first))
    chosen = few.first[k_medoids.build(metric.matrix(few.features), k, few.weight)]
    for count in range(k):
        before = d[chosen[:count]].min(axis=0, initial=9)
        least = np.minimum(before, d).sum(axis=1, dtype=float).min()
        assert np.minimum(before, d[chosen[count]]).sum(dtype=float) == pytest.approx(least)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(10, 60), k=st.integers(2, 4))
def test_an_optimum_of_the_few_is_one_of_all(seed, n, k):
    made = repeated(seed, n)
    few, d = collapse(made), metric.matrix(made)
    for found in k_medoids.grid(metric.matrix(few.features), [k], weights=few.weight):
        again = k_medoids.fasterpam(d, few.first[found.medoids])
        assert d[again].min(axis=0).sum(dtype=float) >= found.loss * (1 - 1e-6)


def test_a_tag_without_weight_tells_no_rows_apart_from_nothing():
    made = features([[0.5], [0.5], [np.nan]], [[-1], [-1], [-1]], [0], [1])
    assert len(collapse(made).first) == 3
    assert len(collapse(features([[0.5], [0.5]], [[-1], [-1]])).first) == 1


def test_minus_nought_is_nought_and_infinity_is_missing():
    made = features([[-0.0], [0.0], [np.inf], [np.nan]], [[1], [1], [1], [1]])
    assert collapse(made).row.tolist() == [0, 0, 1, 1]


def test_each_row_for_itself():
    made = repeated(0, 9)
    alone = all_rows(made)
    assert alone.row.tolist() == alone.first.tolist() == list(range(9))
    assert (alone.weight == 1).all()
