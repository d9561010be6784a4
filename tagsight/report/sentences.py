"""The result of a run in one readable sentence, which also says if there is no result.

The tests are fixed in advance: the clusters from tags against the null models `series` and
`within_modality`, with left-out centres, two-sided at 5 %.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tagsight.report.wording import LABEL_NAMES, ami, interval, number, p_value, percent

Figures = Mapping[str, Any]
LEVEL = 0.05


def result(evaluation: Figures, unit: str = "cluster") -> str:
    """Return the run's result as one sentence; as two where few trials limit it.

    evaluation: evaluation.json; unit: what a group is called. Trials have not all of the labels, so
    that these are not counted here.
    """
    clusters = f"{evaluation['trials']['k']} clusters" if unit == "cluster" else f"{unit}s"
    tags = _figures(evaluation, "tags", "series")
    outcome = verdict(tags)
    if outcome == "undefined":
        return (
            f"Whether images of the {clusters} look alike could not be measured: "
            f"{tags.get('reason') or 'there was nothing to compare them with'}."
        )
    opening = {
        "nearer": (
            f"The {clusters} made from tags explain {_share(tags)} of how far images differ"
        ),
        "as chance": (
            f"Images of the {clusters} made from tags could not be shown to look more alike than "
            f"by chance: the {unit}s explain {_share(tags)} of how far images differ"
        ),
        "farther": (
            f"Images of the {clusters} made from tags look less alike than by chance: "
            f"the {unit}s explain {_share(tags)} of how far images differ"
        ),
    }[outcome]
    parts = [opening, *_modality(evaluation), _beyond(evaluation)]
    return "; ".join(parts) + "." + _limits(evaluation, tags)


def verdict(figures: Figures) -> str:
    """Return `nearer`, `as chance` or `farther` than the null, or `undefined`.

    By the paired test; without one (a single trial), by the permutations.
    """
    explained = figures.get("explained")
    if explained is None:
        return "undefined"
    p = figures["p"] if figures["p"] is not None else figures["permutation_p"]
    if p is None or p >= LEVEL:
        return "as chance"
    return "nearer" if explained > 0 else "farther"


def _figures(evaluation: Figures, labelling: str, null: str) -> Figures:
    """The figures of a labelling against a null; empty where it was not tested."""
    figures: Figures = evaluation.get(labelling, {}).get(null, {})
    return figures


def _share(figures: Figures) -> str:
    """`31 % (95 % CI 28 to 34 %)`."""
    share, bounds = percent(figures["explained"]), figures["explained_ci95"]
    return share if bounds is None else f"{share} ({percent(0.95)} CI {interval(bounds)})"


def _modality(evaluation: Figures) -> list[str]:
    explained = _figures(evaluation, "modality", "series").get("explained")
    return [] if explained is None else [f"modality alone explains {percent(explained)}"]


def _beyond(evaluation: Figures) -> str:
    tags = _figures(evaluation, "tags", "within_modality")
    outcome = verdict(tags)
    if outcome == "undefined":
        return "what the tags add beyond modality could not be tested, as no modality is divided"
    part = _part(tags["n"], evaluation["trials"]["n"])
    return {
        "nearer": f"beyond modality the tags add {_share(tags)}",
        "as chance": f"beyond modality the tags are not shown to add anything, {_share(tags)}",
        "farther": f"within a modality they look less alike than by chance, {_share(tags)}",
    }[outcome] + part


def _part(tested: int, trials: int) -> str:
    """In how many trials, if not in all: in the others the clusters divided no modality."""
    if tested == trials:
        return ""
    return f" (in {tested} of {trials} trials; the others could not test it)"


def _limits(evaluation: Figures, tags: Figures) -> str:
    n = evaluation["trials"]["n"]
    if n == 1:
        p = p_value(tags["permutation_p"])
        return f" This is from a single trial, so without an interval; by permutations, p = {p}."
    if tags["p"] is None:
        return f" There is no test: {tags['reason']}."
    return ""


def without_looks(images: int, choice: Figures) -> str:
    """Return the result of a run on a table of tags, which has no pixels for a test."""
    return (
        f"{_clusters(images, choice)}; whether those of a cluster look alike was not tested, as a "
        "table of tags has no pixels."
    )


def without_trials(images: int, choice: Figures) -> str:
    """Return the result of a run in which no trial could be made."""
    return (
        f"{_clusters(images, choice)}; whether those of a cluster look alike could not be tested."
    )


def _clusters(images: int, choice: Figures) -> str:
    silhouette = number(choice["grid"][str(choice["k"])]["silhouette"], 2)
    if choice["k"] == 1:
        subject = "1 image is" if images == 1 else f"{images:,} images are"
        return f"{subject} one cluster, too few or too alike by their tags to be divided"
    return (
        f"{images:,} images fall into {choice['k']} clusters by their tags, with "
        f"{choice['reading']} (mean silhouette {silhouette})"
    )


def untested(draws: Figures, evaluation: Figures | None) -> list[str]:
    """Return in sentences what could not be tested, and why.

    draws: draws.json; evaluation: evaluation.json, None of a table of tags.
    """
    without_pixels = evaluation is None
    lines = [line for line in draws["untested"] if not (without_pixels and "look alike" in line)]
    empty = {name for name, row in draws["samples"].items() if not row["drawn"]}
    left_out = {} if evaluation is None else evaluation["trials"].get("left_out", {})
    by_reason: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        if name not in empty:
            by_reason.setdefault(reason, []).append(name)
    return lines + [
        f"Not tested: {', '.join(names)}, {reason}." for reason, names in by_reason.items()
    ]


def closing(sentence: str, page: str, table: str, untested: Sequence[str] = ()) -> str:
    """Return the text printed at the end of a run, for any terminal.

    sentence: the result; untested: what was not tested; page, table: their paths.
    """
    lines = "\n".join([sentence, *(f"- {line}" for line in untested)])
    plain = lines.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")
    return f"{plain}\n\nPage:   {page}\nTable:  {table}\n"


def confounding_sentence(confounding: Figures) -> str:
    """Return in one sentence what the clusters represent; confounding: of agreement.json."""
    if confounding["verdict"] == "unknown":
        return (
            "Whether the clusters are anatomy or scanners cannot be told: too few images state "
            "both their body part and their scanner."
        )
    first = confounding["compared"][0]
    name = LABEL_NAMES[first["label"]].lower()
    scanner, anatomy = ami(first["scanner"]), ami(first["anatomy"])
    modality = ami(first["modality"] or 0.0)
    return {
        "scanner": f"The clusters agree more with the {name} (AMI {scanner}) than with the body "
        f"part ({anatomy}): read them as scanners rather than anatomy.",
        "anatomy": f"The clusters agree more with the body part (AMI {anatomy}) than with the "
        f"{name} ({scanner}): read them as anatomy rather than scanners.",
        "modality": f"The clusters agree more with the modality (AMI {modality}) than with the "
        f"body part ({anatomy}) or the {name} ({scanner}): read them as modalities first.",
        "both": f"The clusters agree about as much with the {name} (AMI {scanner}) as with the "
        f"body part ({anatomy}): scanner and anatomy are mixed in them.",
        "neither": f"The clusters agree little with the {name} (AMI {scanner}) and little with the "
        f"body part ({anatomy}): they are neither scanners nor anatomy.",
    }[confounding["verdict"]]


def confounding_basis(confounding: Figures) -> str:
    """Return how many images and kinds the sentence is based on; empty if none were compared.

    confounding: of agreement.json.
    """
    if not confounding["compared"]:
        return ""
    first = confounding["compared"][0]
    kinds = {"scanner": f"{LABEL_NAMES[first['label']].lower()}s", "anatomy": "body parts"}
    parts = [f"{first['levels'][kind]:,} {name}" for kind, name in kinds.items()]
    if first["modality"] is not None:
        parts.append(f"{first['levels']['modality']:,} modalities (AMI {ami(first['modality'])})")
    return f"On the {first['rows']:,} images that state them: {', '.join(parts)}."
