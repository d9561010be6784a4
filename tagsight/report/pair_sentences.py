"""The result of the test of looks in sentences: what labels explain, and whether it is scanners.

The test to go by is fixed in advance: the labels inside a modality. What is said of it follows from
the 95 % interval that the table shows, and all else from p corrected for all that is shown. `UNIT`
stands for what a group is called, label or cluster.
"""

from collections.abc import Mapping
from typing import Any

from tagsight.evaluation.eye_figures import AUTOENCODER
from tagsight.evaluation.labellings import EMBEDDING, LABELS, MANUFACTURER, MODALITY
from tagsight.evaluation.pair import READABLE, UNSTATED
from tagsight.evaluation.pair_statistic import ALONE, UNDIVIDED
from tagsight.evaluation.pair_tests import WITHOUT_TEST, corrected_verdict, verdict
from tagsight.report.wording import SPACE, of_unit, percent
from tagsight.run.plain_text import counted

Figures = Mapping[str, Any]
Pair = Mapping[str, Mapping[str, Figures]]

SENTENCES = {
    "explain": "These UNITs explain {share} of how far images of one modality differ in looks.",
    "little": "These UNITs explain less than {margin} of how far images of one modality differ in "
    "looks.",
    "unshown": "These UNITs could not be shown to explain how far images of one modality differ in "
    "looks.",
    "apart": "These UNITs bring together images that look less alike than others of their "
    "modality.",
    "untested": "These UNITs explain {share} of how far images of one modality differ in looks, in "
    "a single trial and so without a test.",
    "undivided": "These UNITs divide no modality, so that they say nothing of looks beyond it.",
    "undefined": "These UNITs could not be held against looks: {reason}.",
}


def result(pair: Pair, eyes: Mapping[str, Figures], scanners: Figures, unit: str) -> list[str]:
    """Return the result in sentences: what labels explain, by how many eyes, what else explains it.

    pair, eyes, scanners: of evaluation.json; unit: what a group is called.
    """
    first = [headline(pair, unit), *rests_on(eyes)]
    return [*first, *of_scanners(pair, scanners, unit), *beside(pair, unit)]


def rests_on(eyes: Mapping[str, Figures]) -> list[str]:
    """Return in sentences on how many eyes the result rests; none where it is not tested.

    eyes: of evaluation.json. It rests on those by which the labels inside a modality have the same
    verdict as by the autoencoder. Eyes that could not be tested are named apart.
    """
    own = {name: eye["pair"][LABELS.key][MODALITY.key] for name, eye in eyes.items()}
    first = verdict(own.get(AUTOENCODER))
    if first in WITHOUT_TEST:
        return []
    verdicts = {name: corrected_verdict(figures) for name, figures in own.items()}
    verdicts[AUTOENCODER] = first
    untested = [name for name, found in verdicts.items() if found in WITHOUT_TEST]
    others = [name for name, found in verdicts.items() if found not in (*WITHOUT_TEST, first)]
    asked = len(verdicts) - len(untested)
    text = f"This rests on {asked - len(others)} of {counted(asked, 'eye')}"
    said = [f"{text}; by {' and '.join(others)} it is otherwise." if others else f"{text}."]
    return said + ([f"By {' and '.join(untested)} it could not be tested."] if untested else [])


def headline(pair: Pair, unit: str) -> str:
    """Return what the labels explain inside a modality, in at most 25 words."""
    figures = pair[LABELS.key][MODALITY.key]
    share = None if figures["explained"] is None else percent(figures["explained"])
    margin, reason = _margin(figures), _reason(figures["reason"])
    text = SENTENCES[verdict(figures)].format(share=share, margin=margin, reason=reason)
    return text.replace("UNIT", unit)


def of_scanners(pair: Pair, scanners: Figures, unit: str) -> list[str]:
    """Return in one sentence that labels are scanners, or less than these; none where not so.

    pair, scanners: of evaluation.json.
    """
    if scanners["verdict"] in ("scanners", "coincide"):
        machine, left = READABLE[scanners["by"]], _left(scanners)
        if scanners["verdict"] == "scanners":
            share = percent(max(left["explained"], 0))
            return [
                f"But they are scanners more than anatomy: among images of one {machine} these "
                f"{unit}s explain {share}."
            ]
        largely = "" if left["reason"] == UNDIVIDED else "largely "
        return [
            f"These {unit}s and {machine}s {largely}coincide: whether they are scanners or anatomy "
            "cannot be told."
        ]
    own, maker = pair[LABELS.key][MODALITY.key], pair[MANUFACTURER.key][MODALITY.key]
    tested = verdict(own) not in ("undefined", "untested")
    if tested and corrected_verdict(maker) == "explain" and maker["explained"] >= own["explained"]:
        return [
            f"The maker of the machine explains as much or more, {percent(maker['explained'])}: "
            f"images differ by scanners more than by these {unit}s."
        ]
    return []


def beside(pair: Pair, unit: str) -> list[str]:
    """Return what could have been seen, or what tags and pictures explain inside a modality."""
    own = pair[LABELS.key][MODALITY.key]
    if verdict(own) == "unshown":
        if own["smallest"] >= 1:
            return ["These images are too few to show any share, however large."]
        smallest = percent(own["smallest"])
        return [f"{smallest} or more, if it were true, would have been found four times in five."]
    if verdict(own) in ("undefined", "undivided"):
        return []
    parts = [
        f"{name} {_amount(figures)}"
        for key, name in (
            ("modality_region", of_unit("modality and region explain", unit)),
            (MANUFACTURER.key, "the maker"),
            (EMBEDDING.key, "as many groups of the pictures themselves"),
        )
        if (figures := pair[key][MODALITY.key])["explained"] is not None
    ]
    unstated = (pair[MANUFACTURER.key][MODALITY.key]["reason"] or "").startswith(UNSTATED)
    said = [f"Of the same distance {', '.join(parts)}."] if parts else []
    return [*said, *(["The maker is not stated."] if unstated else [])]


def _left(scanners: Figures) -> Figures:
    """What labels explain inside a modality of one scanner, where both can be compared."""
    left: Figures = scanners["beyond"][f"modality_{scanners['by']}"]["left"]
    return left


def _amount(figures: Figures) -> str:
    """`27 %`, or what can be said instead."""
    amounts = {"explain": percent(figures["explained"]), "little": f"less than {_margin(figures)}"}
    amounts["untested"] = amounts["explain"]
    return amounts.get(corrected_verdict(figures), "nothing that could be shown")


def _margin(figures: Figures) -> str:
    return f"{100 * figures['equivalence']['margin']:.0f}{SPACE}%"


def _reason(reason: str | None) -> str:
    """A reason why nothing can be compared, for readers."""
    return "no modality has pictures of two patients" if reason == ALONE else f"{reason}"
