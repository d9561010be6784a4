"""What a flat run made in sentences, what could not be tested, and what clusters represent."""

from collections.abc import Mapping, Sequence
from typing import Any

from tagsight.report.wording import LABEL_NAMES, ami, number
from tagsight.run.plain_text import counted

Figures = Mapping[str, Any]
PLAIN = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{MINUS SIGN}": "-", "’": "'"})


def without_looks(images: int, choice: Figures) -> str:
    """Return the result of a run on a table of tags, which has no pixels for a test."""
    return (
        f"{clusters(images, choice)}; whether those of a cluster look alike was not tested, as a "
        "table of tags has no pixels."
    )


def without_trials(images: int, choice: Figures) -> str:
    """Return the result of a run in which nothing could be compared."""
    return f"{clusters(images, choice)}; whether those of a cluster look alike could not be tested."


def clusters(images: int, choice: Figures) -> str:
    """Return how many clusters there are, and how clear, without a full stop."""
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
    lines += [] if evaluation is None else not_compared(evaluation["untested"])
    return lines + [
        f"Not in the paper’s test: {', '.join(names)}, {reason}."
        for reason, names in by_reason.items()
    ]


def not_compared(untested: Figures) -> list[str]:
    """Return in sentences which images could not be compared, or only as of their series.

    untested: of evaluation.json.
    """
    images, alone, unknown = (untested[key] for key in ("images", "alone", "without_patient"))
    lines = []
    if alone:
        named = [f"{modality or 'not stated'} {n:,}" for modality, n in alone.items()]
        verb = (
            "images could not be tested inside its"
            if sum(alone.values()) == 1
            else ("images could not be tested inside their")
        )
        lines.append(
            f"{sum(alone.values()):,} of {images:,} {verb} modality, of which there is no second "
            f"patient: {', '.join(named)}."
        )
    if unknown:
        verb = "image states no patient" if unknown == 1 else "images state no patient"
        lines.append(
            f"{unknown:,} of {images:,} {verb}: the series stands for the patient, so that series "
            "of one patient may have been taken for two."
        )
    return lines


def closing(sentence: str, page: str, table: str, untested: Sequence[str] = ()) -> str:
    """Return the text printed at the end of a run, for any terminal.

    sentence: the result; untested: what was not tested; page, table: their paths.
    """
    lines = "\n".join([sentence, *(f"- {line}" for line in untested)])
    plain = lines.translate(PLAIN)
    return f"{plain}\n\nPage:   {page}\nTable:  {table}\n"


def confounding_sentence(confounding: Figures, told_by_looks: bool = False) -> str:
    """Return in one sentence what the clusters represent.

    confounding: of agreement.json; told_by_looks: whether looks tell already if they are scanners,
    so that the sentence has agreement alone.
    """
    if confounding["verdict"] == "unknown":
        return (
            "Whether the clusters are anatomy or scanners cannot be told: too few images state "
            "both their body part and their scanner."
        )
    first = confounding["compared"][0]
    name = LABEL_NAMES[first["label"]].lower()
    scanner, anatomy = ami(first["scanner"]), ami(first["anatomy"])
    modality = ami(first["modality"] or 0.0)
    found, read = {
        "scanner": (
            f"more with the {name} (AMI {scanner}) than with the body part ({anatomy})",
            "read them as scanners rather than anatomy",
        ),
        "anatomy": (
            f"more with the body part (AMI {anatomy}) than with the {name} ({scanner})",
            "read them as anatomy rather than scanners",
        ),
        "modality": (
            f"more with the modality (AMI {modality}) than with the body part ({anatomy}) or the "
            f"{name} ({scanner})",
            "read them as modalities first",
        ),
        "both": (
            f"about as much with the {name} (AMI {scanner}) as with the body part ({anatomy})",
            "scanner and anatomy are mixed in them",
        ),
        "neither": (
            f"little with the {name} (AMI {scanner}) and little with the body part ({anatomy})",
            "they are neither scanners nor anatomy",
        ),
    }[confounding["verdict"]]
    said = f"The clusters agree {found}"
    return f"{said}." if told_by_looks else f"{said}: {read}."


def confounding_basis(confounding: Figures) -> str:
    """Return how many images and kinds the sentence is based on; empty if none were compared.

    confounding: of agreement.json.
    """
    if not confounding["compared"]:
        return ""
    first = confounding["compared"][0]
    kinds = {"scanner": LABEL_NAMES[first["label"]].lower(), "anatomy": "body part"}
    parts = [counted(first["levels"][kind], name) for kind, name in kinds.items()]
    if first["modality"] is not None:
        parts.append(f"{first['levels']['modality']:,} modalities (AMI {ami(first['modality'])})")
    return f"On the {first['rows']:,} images that state them: {', '.join(parts)}."
