"""The result of the test of looks in sentences: what labels explain, and whether it is scanners.

The test to go by is fixed in advance: the labels inside a modality. What is said follows from the
95 % interval that the table shows; `UNIT` stands for what a group is called, label or cluster.
"""

from collections.abc import Mapping
from typing import Any

from tagsight.evaluation.eye_figures import AUTOENCODER
from tagsight.evaluation.labellings import BY_MAKER, EMBEDDING, LABELS, MANUFACTURER, MODALITY
from tagsight.evaluation.pair_statistic import UNDIVIDED
from tagsight.report.wording import SPACE, of_unit, percent

Figures = Mapping[str, Any]
Pair = Mapping[str, Mapping[str, Figures]]

NOTHING = "no stratum has pictures of two patients"
SENTENCES = {
    "explain": "Images of one UNIT look more alike than others of their modality: these UNITs "
    "explain {share} of how far such images differ.",
    "little": "Images of one UNIT look hardly more alike than others of their modality: these "
    "UNITs explain less than {margin} of how far such images differ.",
    "unshown": "Images of one UNIT could not be shown to look more alike than others of their "
    "modality.",
    "apart": "Images of one UNIT look less alike than others of their modality: these UNITs "
    "explain nothing of how far such images differ.",
    "untested": "These UNITs explain {share} of how far images of a modality differ in a single "
    "trial; without a second there is no test.",
    "undivided": "These UNITs divide no modality, so that they say nothing of looks beyond it.",
    "undefined": "Whether images of one UNIT look alike could not be tested: {reason}.",
}


def verdict(figures: Figures | None) -> str:
    """Return which of SENTENCES follows from the figures of a labelling in a stratum.

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


def result(pair: Pair, eyes: Mapping[str, Figures], unit: str) -> list[str]:
    """Return the result in sentences: what labels explain, by how many eyes, what else explains it.

    pair, eyes: of evaluation.json; unit: what a group is called.
    """
    first = [headline(pair, unit), *rests_on(eyes)]
    return [*first, *scanners(pair, unit), *beside(pair, unit)]


def rests_on(eyes: Mapping[str, Figures]) -> list[str]:
    """Return in one sentence on how many eyes the result rests; none where it is not tested.

    eyes: of evaluation.json. It rests on those by which the labels inside a modality have the same
    verdict as by the autoencoder.
    """
    verdicts = {name: verdict(eye["pair"][LABELS.key][MODALITY.key]) for name, eye in eyes.items()}
    first = verdicts.get(AUTOENCODER, "undefined")
    if first in ("undefined", "undivided", "untested"):
        return []
    others = [name for name, found in verdicts.items() if found != first]
    agreed = len(verdicts) - len(others)
    text = f"This rests on {agreed} of {len(verdicts)} eye{'' if len(verdicts) == 1 else 's'}"
    return [f"{text}; by {' and '.join(others)} it is otherwise." if others else f"{text}."]


def headline(pair: Pair, unit: str) -> str:
    """Return what the labels explain inside a modality, in at most 25 words."""
    figures = pair[LABELS.key][MODALITY.key]
    share = None if figures["explained"] is None else percent(figures["explained"])
    margin, reason = _margin(figures), _reason(figures["reason"])
    text = SENTENCES[verdict(figures)].format(share=share, margin=margin, reason=reason)
    return text.replace("UNIT", unit)


def scanners(pair: Pair, unit: str) -> list[str]:
    """Return in one sentence that labels are scanners, or less than these; none where not so.

    Labels are scanners if they explain looks inside a modality, and among images of one maker less
    than half of it, with an interval that ends below it.
    """
    own, maker = pair[LABELS.key][MODALITY.key], pair[MANUFACTURER.key][MODALITY.key]
    if verdict(own) in ("undefined", "untested"):
        return []
    left = pair[LABELS.key][BY_MAKER.key]
    if are_scanners(pair):
        share = percent(max(left["explained"], 0))
        return [
            f"But they are scanners more than anatomy: among images of one maker these {unit}s "
            f"explain {share}."
        ]
    if verdict(maker) == "explain" and maker["explained"] >= own["explained"]:
        return [
            f"The maker of the machine explains as much or more, {percent(maker['explained'])}: "
            f"images differ by scanners more than by these {unit}s."
        ]
    return []


def are_scanners(pair: Pair) -> bool:
    """Return whether what labels explain inside a modality is mostly makers."""
    own, left = pair[LABELS.key][MODALITY.key], pair[LABELS.key][BY_MAKER.key]
    if verdict(own) != "explain" or verdict(left) in ("undefined", "untested"):
        return False
    return bool(left["explained"] < own["explained"] / 2 and left["ci95"][1] < own["explained"])


def beside(pair: Pair, unit: str) -> list[str]:
    """Return what could have been seen, or what tags and pictures explain inside a modality."""
    own = pair[LABELS.key][MODALITY.key]
    if verdict(own) == "unshown":
        return [f"{percent(own['smallest'])} or more would have been found, four times in five."]
    parts = [
        f"{name} {_amount(figures)}"
        for key, name in (
            ("modality_region", of_unit("modality and region explain", unit)),
            (MANUFACTURER.key, "the maker"),
            (EMBEDDING.key, "as many groups of the pictures themselves"),
        )
        if (figures := pair[key][MODALITY.key])["explained"] is not None
    ]
    if verdict(own) in ("undefined", "undivided") or not parts:
        return []
    return [f"Of the same distance {', '.join(parts)}."]


def _amount(figures: Figures) -> str:
    """`27 %`, or what can be said instead."""
    amounts = {"explain": percent(figures["explained"]), "little": f"less than {_margin(figures)}"}
    amounts["untested"] = amounts["explain"]
    return amounts.get(verdict(figures), "nothing that could be shown")


def _margin(figures: Figures) -> str:
    return f"{100 * figures['equivalence']['margin']:.0f}{SPACE}%"


def _reason(reason: str | None) -> str:
    """A reason why nothing can be compared, for readers."""
    return "no modality has pictures of two patients" if reason == NOTHING else f"{reason}"
