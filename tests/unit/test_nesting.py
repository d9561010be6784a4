"""Nesting: shares that recount."""

import numpy as np
import polars as pl

from tagsight.nesting import nesting


def table(rng, ks, n=50):
    parts = [
        pl.DataFrame({"image": [f"i{i}" for i in range(n)], "cluster": rng.integers(0, k + 1, n)})
        for k in ks
    ]
    return pl.concat(
        part.with_columns(k=pl.lit(k, pl.Int32)) for k, part in zip(ks, parts, strict=True)
    )


def test_shares_recount_and_what_is_in_no_cluster_is_left_out():
    clusters = table(np.random.default_rng(1), [5, 2, 9])
    found = nesting(clusters)
    assert [(step["coarse"], step["fine"]) for step in found] == [(2, 5), (5, 9)]
    for step in found:
        fine = clusters.filter(k=step["fine"])["cluster"].to_numpy()
        coarse = clusters.filter(k=step["coarse"])["cluster"].to_numpy()
        pairs = {(row["fine"], row["coarse"]): row for row in step["inside"]}
        assert 0 not in {cluster for pair in pairs for cluster in pair}
        for f in range(1, step["fine"] + 1):
            for c in range(1, step["coarse"] + 1):
                both = int(((fine == f) & (coarse == c)).sum())
                row = pairs.get((f, c), {"images": 0, "share": 0})
                assert row["images"] == both
                assert abs(row["share"] - both / max((fine == f).sum(), 1)) < 1e-6


def test_a_single_k_has_nothing_inside_it():
    assert nesting(table(np.random.default_rng(1), [3])) == []
