"""Whether labels are scanners rather than anatomy, as far as looks can tell.

If labels are scanners, scanners explain looks, and among images of one scanner labels explain
little of what they do inside a modality. But so it is, too, where each part is imaged by a scanner
of its own. These can be told apart by regions: labels that are scanners explain as much inside one.

Finer strata leave images without another patient's of their label, which count as explaining
nothing. So labels are compared with themselves on those images alone that have one in both.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tagsight.evaluation.labellings import (
    BY_MAKER,
    BY_MODEL,
    BY_REGION,
    LABELS,
    MANUFACTURER,
    MODALITY,
    MODEL,
)
from tagsight.evaluation.pair_statistic import UNDIVIDED, Explained, Pairs
from tagsight.evaluation.pair_tests import corrected_verdict

ENOUGH = 0.8  # least share of images that have one to be compared with
MOST = 0.5  # share of what labels explain, from which on it is still there
BEYOND = (BY_MODEL.key, BY_MAKER.key, BY_REGION.key)
SCANNERS = {BY_MODEL.key: MODEL.key, BY_MAKER.key: MANUFACTURER.key}  # the finer first

Verdict = Literal["scanners", "coincide", "beyond"]


@dataclass(frozen=True)
class Beyond:
    """What labels explain inside a modality and inside a finer stratum, on the same images.

    own, left: the former and the latter; share: of the images that have another patient's of their
    label and modality, those that have one in the finer stratum too; these are compared.
    """

    own: Explained
    left: Explained
    share: float


def beyond(pairs: Pairs, stratum: str) -> Beyond:
    """Return what labels explain beyond a stratum that is finer than the modality."""
    of_modality, both = (pairs.paired(LABELS.key, key) for key in (MODALITY.key, stratum))
    own, left = (pairs.explained(LABELS.key, key, both) for key in (MODALITY.key, stratum))
    return Beyond(own, left, pairs.images(both) / max(pairs.images(of_modality), 1))


def scanners(
    pair: Mapping[str, Mapping[str, Mapping[str, Any]]], found: Mapping[str, Beyond]
) -> dict[str, Any]:
    """Return whether the labels are scanners, and by what: `scanners` of evaluation.json.

    pair: labelling → stratum → figures, see `pair_tests.told`; found: stratum → Beyond.
    Returns `verdict`: `scanners`, `coincide` (with scanners: which of both cannot be told) or
    `beyond` (they explain looks beyond scanners); None where labels explain nothing or too few
    images can be compared. `by`: `model`, or `manufacturer` where models are not stated, or too
    many to compare images of one; None where neither can be. `beyond`: stratum → `own` and `left`
    (figures of Explained each) and `share`, see Beyond.
    """
    by = next((s for s in SCANNERS if s in found and found[s].share >= ENOUGH), None)
    return {
        "verdict": _verdict(pair, found, by),
        "by": None if by is None else SCANNERS[by],
        "beyond": {stratum: asdict(each) for stratum, each in found.items()},
    }


def _verdict(
    pair: Mapping[str, Mapping[str, Mapping[str, Any]]],
    found: Mapping[str, Beyond],
    by: str | None,
) -> Verdict | None:
    if by is None or corrected_verdict(pair[LABELS.key][MODALITY.key]) != "explain":
        return None
    lost = _is_lost(found[by])
    if lost is None:
        return None
    if not lost or corrected_verdict(pair[SCANNERS[by]][MODALITY.key]) != "explain":
        return "beyond"
    in_regions = pair[LABELS.key].get(BY_REGION.key)
    if corrected_verdict(in_regions) == "explain" and _is_kept(found[BY_REGION.key]):
        return "scanners"
    return "coincide"


def _is_lost(of: Beyond) -> bool | None:
    """Whether less than half is left, with an interval below the whole; None if untested."""
    own, left = of.own.explained, of.left.explained
    if own is None or left is None or of.left.ci95 is None:
        return None
    return of.left.reason == UNDIVIDED or (left < MOST * own and of.left.ci95[1] < own)


def _is_kept(of: Beyond) -> bool:
    """Whether half of it or more is left."""
    own, left = of.own.explained, of.left.explained
    return of.share >= ENOUGH and own is not None and left is not None and left >= MOST * own
