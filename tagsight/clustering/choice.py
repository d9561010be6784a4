"""Which K: by the best mean silhouette, or by that among the K that also fit other patients."""

from typing import Any, Literal

import numpy as np
import polars as pl

from tagsight.errors import DataError

ChoiceRule = Literal["silhouette", "heldout"]


def silhouette_verdict(silhouette: float) -> str:
    """What a mean silhouette says, after Kaufman & Rousseeuw, Finding Groups in Data (1990)."""
    for limit, words in ((0.25, "no substantial"), (0.5, "weak"), (0.7, "reasonable")):
        if silhouette <= limit:
            return f"{words} structure"
    return "strong structure"


def choose(grid: pl.DataFrame, rule: ChoiceRule, tolerance: float = 1.05) -> dict[str, Any]:
    """Choose K; what choice.json holds: `k`, `rule`, `reading`, `at_edge`, `grid` (keyed by K).

    grid: columns `k`, `silhouette`, any further ones (kept in `grid`), and for rule `heldout`
    `heldout_ratio`: K above `tolerance` are out, and where all are, the least ratio wins. Ties go
    to the smaller K. `at_edge`: the chosen K is the least or the largest of several. DataError
    where the grid is empty.
    """
    if grid.is_empty():
        raise DataError(
            "cluster.k: no K of the grid is below the number of distinct images, or no images lie "
            "densely enough for cluster.algorithm: hdbscan; give smaller K or another algorithm"
        )
    row = _fitting(grid, tolerance) if rule == "heldout" else grid
    best = row.sort("silhouette", "k", descending=[True, False]).row(0, named=True)
    k, ks = int(best["k"]), grid["k"]
    return {
        "k": k,
        "rule": rule,
        "reading": silhouette_verdict(best["silhouette"]),
        "at_edge": len(ks) > 1 and k in (ks.min(), ks.max()),
        "grid": {str(r.pop("k")): _plain(r) for r in grid.sort("k").to_dicts()},
    }


def _fitting(grid: pl.DataFrame, tolerance: float) -> pl.DataFrame:
    fits = grid.filter(pl.col("heldout_ratio") <= tolerance)
    least = grid.filter(pl.col("heldout_ratio") == pl.col("heldout_ratio").min())
    return least if fits.is_empty() else fits


def _plain(row: dict[str, Any]) -> dict[str, float | None]:
    """Figures as floats, null for what JSON cannot say."""
    return {
        name: float(value) if value is not None and np.isfinite(value) else None
        for name, value in row.items()
    }
