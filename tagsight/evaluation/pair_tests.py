"""What the pair statistics of a run say: corrected for their number, what was visible, verdicts.

Sources: Holm (1979), Scand. J. Statist. 6:65; Schuirmann (1987), J. Pharmacokinet. Biopharm. 15:657
for the test of less than a margin; the noncentral t distribution for power.
"""

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any, Literal

import numpy as np
from scipy import stats

from tagsight.evaluation.pair_statistic import ROUNDING, UNDIVIDED, Combination, Explained

MARGIN = 0.03  # what labels add is little if it is less
LEVEL = 0.05  # two-sided; of the one-sided test of less than the margin half of it
POWER = 0.8

Pair = dict[str, dict[str, dict[str, Any]]]
Figures = Mapping[str, Any]
Verdict = Literal["explain", "apart", "little", "unshown", "untested", "undivided", "undefined"]

WITHOUT_TEST = ("undefined", "untested", "undivided")  # verdicts of what could not be tested


def told(
    found: Mapping[str, Mapping[str, Explained]],
    corrected: Mapping[Combination, float] | None = None,
) -> Pair:
    """Return labelling → stratum → what evaluation.json says: fields of Explained, and these.

    `p_holm`: p, corrected by Holm's method: of `corrected`, see `by_eyes`; without it for all tests
    in `found`. `smallest`: the smallest share
    that the test sees with 80 % power at 5 %. `equivalence`: `margin`, and the one-sided `p` that
    the labels explain as much or more; `less`: whether the 95 % interval ends below the margin,
    which is p < .025; both None without a test.
    """
    rows = {(q, s): asdict(figures) for q, of_q in found.items() for s, figures in of_q.items()}
    if corrected is None:
        corrected = holm({key: row["p"] for key, row in rows.items() if row["p"] is not None})
    out: Pair = {}
    for (labelling, stratum), row in rows.items():
        figures = found[labelling][stratum]
        out.setdefault(labelling, {})[stratum] = row | {
            "p_holm": corrected.get((labelling, stratum)),
            "smallest": smallest(figures),
            "equivalence": equivalence(figures),
        }
    return out


def by_eyes(
    eyes: Mapping[str, Mapping[str, Mapping[str, Explained]]], shown: Combination
) -> dict[str, dict[Combination, float]]:
    """Return eye → labelling and stratum → p, corrected for all tests that are shown.

    eyes: eye → labelling → stratum → figures. Shown are all of the first eye, and of others the
    one labelling and stratum.
    """
    first = next(iter(eyes), None)
    tested = {
        (eye, (labelling, stratum)): figures.p
        for eye, of_eye in eyes.items()
        for labelling, of_labelling in of_eye.items()
        for stratum, figures in of_labelling.items()
        if figures.p is not None and (eye == first or (labelling, stratum) == shown)
    }
    corrected: dict[str, dict[Combination, float]] = {eye: {} for eye in eyes}
    for (eye, key), p in holm(tested).items():
        corrected[eye][key] = p
    return corrected


def holm(ps: Mapping[Any, float]) -> dict[Any, float]:
    """Return p-values corrected for their number by Holm's method, under the same keys."""
    from statsmodels.stats.multitest import multipletests  # loads pandas

    if not ps:
        return {}
    corrected = multipletests(list(ps.values()), method="holm")[1]
    return dict(zip(ps, map(float, corrected), strict=True))


def smallest(figures: Explained) -> float | None:
    """Return the share that would be seen with 80 % power; None without an error."""
    if figures.error is None or figures.df is None or figures.error <= ROUNDING:
        return None
    return figures.error * visible(figures.df)


@cache
def visible(df: int) -> float:
    """Return how many errors an effect has to be for 80 % power at 5 %, two-sided."""
    from statsmodels.stats.power import TTestPower  # loads pandas

    n = df + 1
    return float(TTestPower().solve_power(nobs=n, alpha=LEVEL, power=POWER) * np.sqrt(n))


def equivalence(figures: Explained) -> dict[str, float | bool | None]:
    """Return the test that the labels explain less than MARGIN, see `told`."""
    if figures.t is None or not figures.error or figures.explained is None:
        return {"margin": MARGIN, "p": None, "less": None}
    p = float(stats.t.cdf((figures.explained - MARGIN) / figures.error, figures.df))
    return {"margin": MARGIN, "p": p, "less": p < LEVEL / 2}


def verdict(figures: Figures | None) -> Verdict:
    """Return what follows from the figures of a labelling in a stratum.

    `explain` and `apart`: the interval is above and below 0; `little`: it ends below 3 %;
    `unshown`: none of these; `untested`: there is no interval; `undivided`: the labelling divides
    nothing; `undefined`: there is nothing to compare.
    """
    if figures is None or figures["explained"] is None:
        return "undefined"
    if figures["reason"] == UNDIVIDED:
        return "undivided"
    if figures["ci95"] is None:
        return "untested"
    low, high = figures["ci95"]
    if high < 0:
        return "apart"
    if figures["equivalence"]["less"]:
        return "little"
    return "explain" if low > 0 else "unshown"


def corrected_verdict(figures: Figures | None) -> Verdict:
    """Return the same, but `unshown` where it is not shown if all that is told is corrected for.

    The headline, which is fixed in advance, goes by `verdict`; whatever else is claimed by this.
    """
    found = verdict(figures)
    if figures is None or found not in ("explain", "apart") or figures["p_holm"] is None:
        return found
    return found if figures["p_holm"] < LEVEL else "unshown"
