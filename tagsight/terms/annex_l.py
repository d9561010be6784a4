"""The terms of DICOM PS3.16 Annex L, and their combined terms where the standard has one."""

from functools import cache
from itertools import pairwise

from tagsight.run.package_data import rows_of
from tagsight.terms.body_words import RANGE_WORDS, rows_of_kind
from tagsight.terms.word_splitting import words_of

_COMBINED = {frozenset(words): term for term, words in rows_of_kind("combined")}
_WITHIN = {term: frozenset(words) for term, words in rows_of_kind("within")}
_SPINE_ORDER = ("CSPINE", "TSPINE", "LSPINE", "SSPINE")
_TRUNK_ORDER = ("HEAD", "NECK", "CHEST", "ABDOMEN", "PELVIS")
# Combined terms taken apart, so that `ABDOMENPELVIS CHEST` is put together again.
_PARTS = {term: parts for parts, term in _COMBINED.items() if term not in ("HEAD", "SPINE")}
_HEAD_NECK = {"HEAD", "NECK"} | _WITHIN["HEAD"] | _WITHIN["NECK"]


@cache
def annex_l() -> dict[str, tuple[str, str]]:
    """Return Annex L: term → (SNOMED CT code value, code meaning)."""
    return {row["term"]: (row["code"], row["meaning"]) for row in rows_of("annex_l.csv")}


@cache
def standard_spellings() -> dict[str, str]:
    """Return the spellings in Annex L itself, terms and code meanings: words → term."""
    spellings: dict[str, str] = {}
    for term, (_, meaning) in annex_l().items():
        for spelling in (term, meaning):
            spellings.setdefault(" ".join(words_of(spelling)), term)
    return spellings


def parts_of(term: str) -> frozenset[str]:
    """Return the parts of a combined term, or the term itself."""
    return _PARTS.get(term, frozenset({term}))


def combine(terms: list[str], words: list[str]) -> str | None:
    """Return the one term for all of `terms`, None where Annex L has no such term.

    words: all words of the spelling; they show whether a range is meant.
    """
    if "PHANTOM" in terms:
        return "PHANTOM"
    if len(terms) == 1:
        return terms[0]
    parts = frozenset().union(*map(parts_of, terms))
    if not parts - {"FACE"} & _HEAD_NECK and not RANGE_WORDS & set(words):
        parts = parts - {"FACE"}  # French: `GENOU FACE` is a knee seen from the front
    if RANGE_WORDS & set(words) or set(_SPINE_ORDER) >= parts:
        parts = _between(parts)
    if parts & {"SPINE"} and parts - {"SPINE"} <= _WITHIN["SPINE"]:
        parts = parts - {"SPINE"}  # `COLUMNA LUMBOSACRA`: the noun, then which part of it
    return _one(parts) or _one(frozenset(_trunk(part) for part in parts))


def _one(parts: frozenset[str]) -> str | None:
    parts = frozenset(p for p in parts if not any(p in _WITHIN.get(q, ()) for q in parts))
    return next(iter(parts)) if len(parts) == 1 else _COMBINED.get(parts)


def _trunk(part: str) -> str:
    """`BRAIN` → `HEAD`: brain and neck count as head and neck, liver and kidneys as abdomen."""
    return next((whole for whole in _TRUNK_ORDER if part in _WITHIN[whole]), part)


def _between(parts: frozenset[str]) -> frozenset[str]:
    """The ends of a range and all parts between them, from head to pelvis."""
    for order in (_TRUNK_ORDER, _SPINE_ORDER):
        at = sorted(order.index(p) for p in parts if p in order)
        if len(at) == len(parts) and any(b - a > 1 for a, b in pairwise(at)):
            return frozenset(order[at[0] : at[-1] + 1])
    return parts
