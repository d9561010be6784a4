"""Several terms of PS3.16 Annex L → the one that means all of them, where the standard has one."""

from functools import cache
from itertools import pairwise

from tagsight.run.package_data import rows_of
from tagsight.terms.body_words import (
    COMBINED,
    RANGE_WORDS,
    SPINE_ORDER,
    TRUNK_ORDER,
    WITHIN,
)
from tagsight.terms.spellings import words_of

# Combined terms taken apart, so that `ABDOMENPELVIS CHEST` is put together again.
_PARTS = {term: parts for parts, term in COMBINED.items() if term not in ("HEAD", "SPINE")}
_HEAD_NECK = {"HEAD", "NECK"} | WITHIN["HEAD"] | WITHIN["NECK"]


def combine(found: list[str], words: list[str]) -> str | None:
    """Return the one term for all that were found, None where Annex L has none.

    words: all words of the spelling; among them stands whether a range is meant.
    """
    if "PHANTOM" in found:
        return "PHANTOM"
    if len(found) == 1:
        return found[0]
    parts = frozenset().union(*(_PARTS.get(term, {term}) for term in found))
    if not parts - {"FACE"} & _HEAD_NECK:
        parts = parts - {"FACE"}  # French: `GENOU FACE` is a knee seen from the front
    if RANGE_WORDS & set(words) or set(SPINE_ORDER) >= parts:
        parts = _between(parts)
    if parts & {"SPINE"} and parts - {"SPINE"} <= WITHIN["SPINE"]:
        parts = parts - {"SPINE"}  # `COLUMNA LUMBOSACRA`: the noun, then which part of it
    return _one(parts) or _one(frozenset(_trunk(part) for part in parts))


def _one(parts: frozenset[str]) -> str | None:
    parts = frozenset(p for p in parts if not any(p in WITHIN.get(q, ()) for q in parts))
    return next(iter(parts)) if len(parts) == 1 else COMBINED.get(parts)


def _trunk(part: str) -> str:
    """`BRAIN` → `HEAD`: brain and neck are head and neck, liver and kidneys the abdomen."""
    return next((whole for whole in TRUNK_ORDER if part in WITHIN[whole]), part)


def _between(parts: frozenset[str]) -> frozenset[str]:
    """Return the ends of a range and all that lies between them, from head to pelvis."""
    for order in (TRUNK_ORDER, SPINE_ORDER):
        at = sorted(order.index(p) for p in parts if p in order)
        if len(at) == len(parts) and any(b - a > 1 for a, b in pairwise(at)):
            return frozenset(order[at[0] : at[-1] + 1])
    return parts


@cache
def annex_l() -> dict[str, tuple[str, str]]:
    """Term → (SNOMED CT code value, code meaning) of DICOM PS3.16 Annex L."""
    return {row["term"]: (row["code"], row["meaning"]) for row in rows_of("annex_l.csv")}


@cache
def standard_terms() -> dict[str, str]:
    """Every term and code meaning of Annex L, as words → term."""
    known: dict[str, str] = {}
    for term, (_, meaning) in annex_l().items():
        for spelling in (term, meaning):
            known.setdefault(" ".join(words_of(spelling)), term)
    return known
