"""Paired tests over the trials: is a labelling nearer to its centres than its own null?

The paper (§3) has one: t(9) = 16.42 for tags against permuted images. Here the same test for each
labelling and null, with effect size, intervals, Wilcoxon's test and a permutation test beside it.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import optimize, stats

Doubles = NDArray[np.float64]
Figure = float | int | str | list[float] | None

DIGITS = 10  # significant digits of every figure
KEYS = ("t", "df", "p", "effect_size", "ci95", "wilcoxon_p", "explained_ci95", "correlation")


def evaluate(trials: pl.DataFrame) -> dict[str, Any]:
    """All tests, as `evaluation.json`: `trials` (n, k, by_trial: the K of each, smaller where a
    sample has too few distinct images), then labelling -> null -> figures.

    `trials`: rows of `trials.trial` of one K, of all samples. The figures on top use left-out
    centres; `in_sample` holds the same for the paper's. See `compare` for them.
    """
    ks = dict(trials.select("trial", "k").unique().sort("trial").iter_rows())
    out: dict[str, Any] = {"trials": {"n": len(ks), "k": trials["k"].max(), "by_trial": ks}}
    keys = ["labelling", "null"]
    for labelling, null in trials.select(keys).unique(maintain_order=True).rows():
        part = trials.filter(labelling=labelling, null=null).sort("trial")
        left_out, in_sample = (_figures(part, centre) for centre in ("left_out", "in_sample"))
        out.setdefault(labelling, {})[null] = left_out | {"in_sample": in_sample}
    return out


def _figures(part: pl.DataFrame, centre: str) -> dict[str, Figure]:
    rows = part.filter(centre=centre)
    found = compare(rows["distance"].to_numpy(), rows["null_distance"].to_numpy())
    found["permutation_p"] = pooled_p(rows["distance"].to_numpy(), rows["draws"].to_list())
    return {key: _plain(value) for key, value in found.items()}


def compare(distance: Doubles, null: Doubles) -> dict[str, Figure]:
    """Distances (n,) of n trials against those of their nulls (n,), paired.

    n; mean_distance, sd_distance, mean_null, sd_null (n − 1); explained = 1 − mean_distance /
    mean_null with a 95 % interval (ratio of paired means, linearised); t, df and two-sided p of
    the paired t-test (positive: nearer than the null); effect_size d_z = mean / sd of the
    differences, with its 95 % interval ci95 by the noncentral t; wilcoxon_p; correlation.
    What cannot be had from a single trial, or from differences without spread, is None, and
    `reason` says why.
    """
    n, spread = len(distance), len(distance) > 1
    out: dict[str, Figure] = {
        "n": n,
        "mean_distance": distance.mean(),
        "sd_distance": distance.std(ddof=1) if spread else None,
        "mean_null": null.mean(),
        "sd_null": null.std(ddof=1) if spread else None,
        "explained": 1 - distance.mean() / null.mean() if null.mean() > 0 else None,
    }
    difference = null - distance
    if not spread:
        return out | dict.fromkeys(KEYS) | {"reason": "a single trial"}
    if np.ptp(difference) <= 1e-12:
        return out | dict.fromkeys(KEYS) | {"reason": "all trials differ from the null alike"}
    return out | _tests(distance, null) | {"reason": None}


def _tests(distance: Doubles, null: Doubles) -> dict[str, Figure]:
    n, difference = len(distance), null - distance
    test = stats.ttest_rel(null, distance)
    return {
        "t": test.statistic,
        "df": n - 1,
        "p": test.pvalue,
        "effect_size": difference.mean() / difference.std(ddof=1),
        "ci95": effect_interval(test.statistic, n),
        "wilcoxon_p": stats.wilcoxon(difference).pvalue,
        "explained_ci95": _explained_interval(distance, null),
        "correlation": _correlation(distance, null),
    }


def effect_interval(t: float, n: int, level: float = 0.95) -> list[float]:
    """Interval of d_z: the noncentralities that put `t` at either tail, over √n.

    Cumming & Finch 2001, Educ. Psychol. Meas. 61:532.
    """
    tails = ((1 + level) / 2, (1 - level) / 2)
    return [_noncentrality(t, n - 1, share) / np.sqrt(n) for share in tails]


def _noncentrality(t: float, df: int, share: float) -> float:
    """The δ for which P(T ≤ t) = share, T noncentral t.

    P = mean of Φ(t s − δ) over s = √(χ²/df), by the midpoint rule on s's quantiles: scipy's `nct`
    loses itself where t is in the hundreds.
    """
    quantiles = (np.arange(4_000) + 0.5) / 4_000
    scale = np.sqrt(stats.chi2.ppf(quantiles, df) / df)

    def excess(delta: float) -> float:
        return float(stats.norm.cdf(t * scale - delta).mean() - share)

    reach = 10 + 10 * abs(t)
    return float(optimize.brentq(excess, -reach, reach, xtol=1e-10))


def _explained_interval(distance: Doubles, null: Doubles) -> list[float] | None:
    """95 % interval of 1 − mean(distance) / mean(null): Cochran 1977, Sampling Techniques, §6.4."""
    if null.mean() <= 0:
        return None
    n, ratio = len(null), distance.mean() / null.mean()
    error = (distance - ratio * null).std(ddof=1) / np.sqrt(n) / null.mean()
    reach = stats.t.ppf(0.975, n - 1) * error
    return [1 - ratio - reach, 1 - ratio + reach]


def _correlation(distance: Doubles, null: Doubles) -> float | None:
    if min(np.ptp(distance), np.ptp(null)) <= 1e-12:
        return None
    return float(np.corrcoef(distance, null)[0, 1])


def pooled_p(distance: Doubles, draws: list[list[float]]) -> float | None:
    """One-sided permutation p of the mean over trials: distance (n,), n lists of permutations.

    The j-th permutations of all trials make one draw of the mean; the observed mean counts too.
    """
    if min(map(len, draws)) == 0:
        return None
    random = np.mean(draws, axis=0)  # (permutations,)
    return float((1 + (random <= distance.mean() + 1e-12).sum()) / (1 + len(random)))


def _plain(value: Figure) -> Figure:
    """Figures as JSON takes them, of 10 significant digits; what is not finite becomes None."""
    if isinstance(value, list):
        return [float(f"{each:.{DIGITS}g}") for each in value]
    if value is None or isinstance(value, str | int):
        return value
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
