"""What follows from the figures of the pair statistic, as evaluation.json has them."""

from collections.abc import Mapping
from typing import Any, Literal

from tagsight.evaluation.pair_statistic import UNDIVIDED
from tagsight.evaluation.pair_tests import LEVEL

Figures = Mapping[str, Any]
Verdict = Literal["explain", "apart", "little", "unshown", "untested", "undivided", "undefined"]

# Verdicts of what could not be tested.
WITHOUT_TEST = ("undefined", "untested", "undivided")


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


def corrected(figures: Figures | None) -> Verdict:
    """Return the same, but `unshown` where it is not shown if all that is told is corrected for.

    The headline, which is fixed in advance, goes by `verdict`; whatever else is claimed by this.
    """
    found = verdict(figures)
    if figures is None or found not in ("explain", "apart") or figures["p_holm"] is None:
        return found
    return found if figures["p_holm"] < LEVEL else "unshown"
