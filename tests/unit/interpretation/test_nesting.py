"""Nesting: shares that recount, of every pair of K."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.interpretation.nesting import homes, inside, nested, nesting


def table(labels):
    """Labels (n,) by K as `clusters` has them, each K's images in an order of its own."""
    rng = np.random.default_rng(0)
    parts = [
        pl.DataFrame({"image": [f"i{i}" for i in range(len(own))], "cluster": own}).select(
            "image", "cluster", k=pl.lit(k, pl.Int32)
        )[rng.permutation(len(own)).tolist()]
        for k, own in labels.items()
    ]
    return pl.concat(parts)


@st.composite
def labellings(draw):
    """Labels of the same images for some K, some of them in none (0)."""
    rng, n = np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(st.integers(1, 60))
    ks = draw(st.lists(st.integers(2, 12), min_size=1, max_size=5, unique=True))
    return {k: rng.integers(draw(st.integers(0, 1)), k + 1, n) for k in ks}


@settings(max_examples=20)
@given(labellings())
def test_shares_recount_for_every_pair_of_k(labels):
    found = nesting(table(labels))
    assert [(s["coarse"], s["fine"]) for s in found] == list(combinations(sorted(labels), 2))
    for step in found:
        pairs = {(row["fine"], row["coarse"]): row for row in step["inside"]}
        assert len(pairs) == len(step["inside"])
        fine, coarse = labels[step["fine"]], labels[step["coarse"]]
        for f in np.unique(fine):
            own = [row["share"] for (child, _), row in pairs.items() if child == f]
            assert sum(own) == pytest.approx(1, abs=1e-5)
            assert own == sorted(own, reverse=True)
            for c in range(step["coarse"] + 1):
                both = sum(a == f and b == c for a, b in zip(fine, coarse, strict=True))
                row = pairs.get((f, c), {"images": 0, "share": 0})
                assert row["images"] == both
                assert row["share"] == pytest.approx(both / (fine == f).sum(), abs=1e-6)
        most = {c: max((coarse[fine == c] == h).sum() for h in coarse) for c in fine if c}
        assert {c: row["images"] for c, row in homes(step).items()} == most
        assert nested(step) == (
            pytest.approx(sum(most.values()) / (fine > 0).sum()) if most else None
        )


@settings(max_examples=20)
@given(labellings())
def test_a_k_lies_in_itself_cluster_by_cluster(labels):
    for k, own in labels.items():
        rows = inside(table(labels), k, k)
        assert rows["fine"].to_list() == rows["coarse"].to_list() == np.unique(own).tolist()
        assert rows["images"].to_list() == [(own == c).sum() for c in np.unique(own)]
        assert set(rows["share"]) == {1.0}


def test_clusters_cut_in_two_are_wholly_inside():
    coarse = np.repeat([1, 2, 3], 8)
    (step,) = nesting(table({3: coarse, 6: np.repeat(np.arange(6) + 1, 4)}))
    assert nested(step) == 1
    assert {fine: row["coarse"] for fine, row in homes(step).items()} == dict(
        zip(range(1, 7), [1, 1, 2, 2, 3, 3], strict=True)
    )


def test_a_single_k_has_nothing_inside_it():
    assert nesting(table({3: np.array([1, 2, 3])})) == []
