"""Choice of K: the best mean silhouette, of all K or of those that also fit other patients."""

from typing import Any, Literal

import numpy as np
import polars as pl

from tagsight.errors import DataError

ChoiceRule = Literal["silhouette", "heldout"]


def silhouette_verdict(silhouette: float) -> str:
    """Return the verdict on a mean silhouette.

    Source: Kaufman & Rousseeuw, Finding Groups in Data (1990).
    """
    for limit, words in ((0.25, "no substantial"), (0.5, "weak"), (0.7, "reasonable")):
        if silhouette <= limit:
            return f"{words} structure"
    return "strong structure"


def choose(grid: pl.DataFrame, rule: ChoiceRule, tolerance: float = 1.05) -> dict[str, Any]:
    """Return the chosen K as in choice.json: `k`, `rule`, `reading`, `at_edge`, `grid` (by K).

    grid: columns `k`, `silhouette`, and for rule `heldout` `heldout_ratio`; others are kept.
    tolerance: largest `heldout_ratio` of rule `heldout`; where all exceed it, the least ratio wins,
    where none is known (there are no other patients) the silhouette alone decides.
    Of equal silhouettes the smaller K wins. `at_edge`: K is the smallest or largest of several.
    Raises DataError where the grid is empty.
    """
    if grid.is_empty():
        raise DataError(
            "cluster.k: no K of the grid is below the number of distinct images, or no images lie "
            "densely enough for cluster.algorithm: hdbscan; give smaller K or another algorithm"
        )
    known = grid["heldout_ratio"].null_count() == 0 if rule == "heldout" else False
    candidates = _fitting(grid, tolerance) if known else grid
    best = candidates.sort("silhouette", "k", descending=[True, False]).row(0, named=True)
    k, ks = int(best["k"]), grid["k"]
    return {
        "k": k,
        "rule": rule,
        "reading": silhouette_verdict(best["silhouette"]),
        "at_edge": len(ks) > 1 and k in (ks.min(), ks.max()),
        "grid": {str(row.pop("k")): _to_json(row) for row in grid.sort("k").to_dicts()},
    }


def _fitting(grid: pl.DataFrame, tolerance: float) -> pl.DataFrame:
    fits = grid.filter(pl.col("heldout_ratio") <= tolerance)
    least = grid.filter(pl.col("heldout_ratio") == pl.col("heldout_ratio").min())
    return least if fits.is_empty() else fits


def _to_json(row: dict[str, Any]) -> dict[str, float | None]:
    """Figures as floats, null where JSON has no number for them."""
    return {
        name: float(value) if value is not None and np.isfinite(value) else None
        for name, value in row.items()
    }
