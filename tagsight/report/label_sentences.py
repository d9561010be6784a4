"""The result of a tree of labels in sentences: what was labelled, and what labels represent."""

from collections.abc import Mapping, Sequence
from typing import Any

from tagsight.interpretation.confounding import MARGIN, SCANNERS
from tagsight.report import pair_sentences
from tagsight.report.results import Run
from tagsight.report.wording import LABEL_NAMES, ami
from tagsight.run.plain_text import counted

Figures = Mapping[str, Any]

# What labels are to be read as, by their agreement with body parts and scanners.
NEITHER = "they are neither anatomy nor scanners"
MIXED = "anatomy and scanner are mixed in them"
ANATOMY = "read them as anatomy rather than scanners"
MACHINES = "read them as scanners rather than anatomy"


def result(run: Run) -> list[str]:
    """Return whether images of a label look alike, what was labelled, and what is no picture.

    Where the first could not be tested, it comes second.
    """
    if run.is_tested:
        tested = pair_sentences.result(run.pair, run.eyes, run.scanners, "label")
        return [*tested, labelled(run), *without_pictures(run)]
    return [labelled(run), untested(run), *without_pictures(run)]


def labelled(run: Run) -> str:
    """Return how many labels images have, and how many of them come again in other patients."""
    kinds = run.picture_kinds
    labels = [card for kind in kinds for card in kind.labels]
    images = sum(kind.size for kind in kinds)
    if not labels:
        files = counted(run.counts["images"], "object")
        return f"None of {files} is a picture; each is labelled by its class."
    verb = "has" if images == 1 else "have"
    of_kinds = f"{counted(images, 'image')} of {counted(len(kinds), 'kind')}"
    parts = [f"{of_kinds} {verb} {counted(len(labels), 'label')}"]
    parts += _again([card["found"] for card in labels])
    return "; ".join(parts) + "."


def without_pictures(run: Run) -> list[str]:
    """Return how many objects are no pictures, if there are pictures beside them."""
    objects = sum(kind.size for kind in run.other_kinds)
    if not objects or not run.picture_kinds:
        return []
    verb = "is no picture and is" if objects == 1 else "are no pictures and are"
    return [f"{counted(objects, 'object')} {verb} labelled by class."]


def untested(run: Run) -> str:
    """Return that it is not known whether images of a label look alike."""
    if run.evaluation is None:
        return (
            "Whether images of a label look alike was not tested, as a table of tags has no pixels."
        )
    return "Whether images of a label look alike could not be tested."


def represented(run: Run) -> str:
    """Return in one sentence what labels divide a modality by."""
    if not run.picture_kinds:
        return "Labels are classes of objects: there is no picture to compare."
    if all(len(kind.labels) == 1 for kind in run.picture_kinds):
        return "No kind of images is divided: read the labels as modalities."
    rows = inside_modality(run.agreement["agreement"])
    scanners = [name for name in SCANNERS if rows.get(name) is not None]
    # The maker first: models and modalities of scanners are many, and mostly their maker's.
    name = "manufacturer" if "manufacturer" in scanners else next(iter(scanners), None)
    anatomy = rows.get("body_part")
    if name is None or anatomy is None:
        return (
            "Whether labels divide a modality by anatomy or by scanners cannot be told: too few "
            "images state both their body part and their scanner."
        )
    scanner, maker = rows[name] or 0.0, LABEL_NAMES[name].lower()
    parts = f"the body part (AMI {ami(anatomy)})", f"the {maker} ({ami(scanner)})"
    if max(anatomy, scanner) < MARGIN:
        found, read = f"little with {parts[0]} and little with {parts[1]}", NEITHER
    elif abs(anatomy - scanner) < MARGIN:
        found, read = f"about as much with {parts[0]} as with {parts[1]}", MIXED
    elif anatomy > scanner:
        found, read = f"more with {parts[0]} than with {parts[1]}", ANATOMY
    else:
        found, read = f"more with {parts[1]} than with {parts[0]}", MACHINES
    said = f"Inside a modality labels agree {found}"
    # Where looks tell whether labels are scanners, tags have no say in it.
    return f"{said}." if is_told_by_looks(run) else f"{said}: {read}."


def is_told_by_looks(run: Run) -> bool:
    """Return whether the result says something of scanners, which tags could contradict."""
    return run.is_tested and bool(pair_sentences.of_scanners(run.pair, run.scanners, run.unit))


def inside_modality(
    rows: Sequence[Figures], left_out: Sequence[str] = ()
) -> dict[str, float | None]:
    """Return outside label -> its AMI inside modalities; rows: `agreement` of agreement.json."""
    of_these = [row for row in rows if list(row["left_out"]) == list(left_out)]
    return {row["label"]: row["inside_modality"] for row in of_these}


def _again(found: Sequence[bool | None]) -> list[str]:
    """How many labels were found again in other patients; nothing where none was looked for."""
    asked, again = sum(each is not None for each in found), sum(map(bool, found))
    was = "was" if again == 1 else "were"
    if not asked:
        return []
    if len(found) == 1:
        return [f"it was {'' if again else 'not '}found again in other patients"]
    if asked == len(found):
        return [f"{again:,} of them {was} found again in other patients"]
    return [f"of {asked:,} that could be looked for in other patients {again:,} {was} found again"]
