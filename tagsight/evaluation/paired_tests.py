"""The paper's test (§3): distances to centres against those of permuted labels, as pairs of trials.

In the paper t(9) = 16.42, for clusters from tags against labels permuted image by image.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from scipy import optimize, stats

from tagsight.arrays import Float64s

Figure = float | int | str | list[float] | None

KEYS = ("t", "df", "p", "effect_size", "ci95", "explained_ci95", "correlation")


def evaluate(
    trials: pl.DataFrame, left_out: Mapping[str, str | None] | None = None
) -> dict[str, Any]:
    """Return the paper's test over all trials, and what trials there were.

    trials: rows of `trials.trial` of all samples; left_out: trial -> why it was not made, or None.
    Returns what evaluation.json holds: `trials` (n, k, by_trial: the K of each, smaller where a
    sample has too few distinct images, left_out: those with a reason) and `paper`, the figures of
    `compare`. Without any trial n is 0, k None, and `paper` empty.
    """
    rows = trials.sort("trial")
    ks = dict(rows.select("trial", "k").iter_rows())
    reasons = {name: reason for name, reason in (left_out or {}).items() if reason}
    of_trials = {"n": len(ks), "k": rows["k"].max(), "by_trial": ks, "left_out": reasons}
    distance, null = (rows[name].to_numpy() for name in ("distance", "null_distance"))
    figures = compare(distance, null) if len(rows) else {}
    return {
        "trials": of_trials,
        "paper": {key: _finite_or_none(value) for key, value in figures.items()},
    }


def compare(distance: Float64s, null: Float64s) -> dict[str, Figure]:
    """Compare the distances of n trials with those under their nulls, as pairs.

    distance, null: float64 (n,).
    Returns n; mean_distance, sd_distance, mean_null, sd_null (n − 1); explained = 1 −
    mean_distance / mean_null with a 95 % interval (ratio of paired means, linearised); t, df and
    two-sided p of the paired t-test (positive: nearer than the null); effect_size d_z = mean / sd
    of the differences, with its 95 % interval ci95 by the noncentral t; correlation.
    Figures that are undefined for a single trial or for equal differences are None; `reason` says
    why.
    """
    n, has_sd = len(distance), len(distance) > 1
    out: dict[str, Figure] = {
        "n": n,
        "mean_distance": distance.mean(),
        "sd_distance": distance.std(ddof=1) if has_sd else None,
        "mean_null": null.mean(),
        "sd_null": null.std(ddof=1) if has_sd else None,
        "explained": 1 - distance.mean() / null.mean() if null.mean() > 0 else None,
    }
    difference = null - distance
    if not has_sd:
        return out | dict.fromkeys(KEYS) | {"reason": "a single trial"}
    if np.ptp(difference) <= 1e-12:
        return out | dict.fromkeys(KEYS) | {"reason": "all trials differ from the null alike"}
    return out | _tests(distance, null) | {"reason": None}


def _tests(distance: Float64s, null: Float64s) -> dict[str, Figure]:
    n, difference = len(distance), null - distance
    test = stats.ttest_rel(null, distance)
    return {
        "t": test.statistic,
        "df": n - 1,
        "p": test.pvalue,
        "effect_size": difference.mean() / difference.std(ddof=1),
        "ci95": effect_interval(test.statistic, n),
        "explained_ci95": _explained_interval(distance, null),
        "correlation": _correlation(distance, null),
    }


def effect_interval(t: float, n: int, level: float = 0.95) -> list[float]:
    """Return the confidence interval of d_z: noncentralities with `t` at either tail, by √n.

    Source: Cumming & Finch 2001, Educ. Psychol. Meas. 61:532.
    """
    tails = ((1 + level) / 2, (1 - level) / 2)
    return [_noncentrality(t, n - 1, share) / np.sqrt(n) for share in tails]


def _noncentrality(t: float, df: int, share: float) -> float:
    """The δ for which P(T ≤ t) = share, T noncentral t.

    P is the mean of Φ(t s − δ) over s = √(χ²/df), by the midpoint rule on quantiles of s: scipy's
    `nct` is wrong for t in the hundreds.
    """
    quantiles = (np.arange(4_000) + 0.5) / 4_000
    scale = np.sqrt(stats.chi2.ppf(quantiles, df) / df)

    def excess(delta: float) -> float:
        return float(stats.norm.cdf(t * scale - delta).mean() - share)

    reach = 10 + 10 * abs(t)
    return float(optimize.brentq(excess, -reach, reach, xtol=1e-10))


def _explained_interval(distance: Float64s, null: Float64s) -> list[float] | None:
    """95 % interval of 1 − mean(distance) / mean(null): Cochran 1977, Sampling Techniques, §6.4."""
    if null.mean() <= 0:
        return None
    n, ratio = len(null), distance.mean() / null.mean()
    error = (distance - ratio * null).std(ddof=1) / np.sqrt(n) / null.mean()
    reach = stats.t.ppf(0.975, n - 1) * error
    return [1 - ratio - reach, 1 - ratio + reach]


def _correlation(distance: Float64s, null: Float64s) -> float | None:
    if min(np.ptp(distance), np.ptp(null)) <= 1e-12:
        return None
    return float(np.corrcoef(distance, null)[0, 1])


def _finite_or_none(value: Figure) -> Figure:
    return None if isinstance(value, float) and not np.isfinite(value) else value
