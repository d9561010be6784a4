"""Words that have a meaning only beside body parts, by kind, from `data/body_words.csv`.

Kinds:
- `spine noun`, `spine part`, `spine stem`: they name a part of the spine beside a noun for it;
- `range`, `unfinished`, `connecting`, `negation`;
- `combined` (parts → the standard's term for all of them), `within` (whole → its parts): see
  `annex_l`;
- for words within words, `sided` (short words that stand with a side: RHIP) and `glued` (words that
  stand before or after a body part: CHESTSAG);
- `linking`: of, the; `cut at`: at the end of a name that is as long as names may be, the rest of
  which was cut off;
- `head or neck` and `headed`: `CABEZA DE RADIO` is no head, as `owner` and `owned`;
- `owner` and `owned`: a head or a neck is not that of the body beside the bone that has it;
- for free descriptions, `short` (all the words of fewer than four letters that count there),
  `not in text` (words that mean other things there), `not a region` (phrases that name no region)
  and `title` (a name stands beside it).
"""

from collections.abc import Iterator
from functools import cache

from tagsight.run.package_data import rows_of


@cache
def _rows() -> list[tuple[str, str, tuple[str, ...]]]:
    rows = rows_of("body_words.csv")
    return [(row["kind"], row["term"], tuple(row["words"].split())) for row in rows]


def rows_of_kind(kind: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the term and the words of each row of a kind."""
    return ((term, words) for row_kind, term, words in _rows() if row_kind == kind)


def _all(kind: str) -> frozenset[str]:
    return frozenset(word for _, words in rows_of_kind(kind) for word in words)


def _meaning(kind: str) -> dict[str, str]:
    return {word: term for term, words in rows_of_kind(kind) for word in words}


SPINE_NOUNS = _all("spine noun")
SPINE_WORDS = _meaning("spine part")
SPINE_STEMS = _meaning("spine stem")
RANGE_WORDS = _all("range")
UNFINISHED = RANGE_WORDS | _all("unfinished")  # at the end: the rest was cut off
LINKING = _all("linking")
CUT_AT = UNFINISHED | _all("cut at")
HEADS = _all("head or neck")
HEADED = _all("headed")
CONNECTING = _all("connecting")
NEGATIONS = _all("negation")
TITLES = _all("title")
SHORT = _all("short")
SIDED = _all("sided")
GLUED = _all("glued")
NOT_IN_TEXT = _all("not in text")
NOT_REGIONS = frozenset(" ".join(words) for _, words in rows_of_kind("not a region")) | frozenset(
    f"{first} {second}"
    for _, owners in rows_of_kind("owner")
    for _, owned in rows_of_kind("owned")
    for owner in owners
    for part in owned
    for first, second in ((owner, part), (owner, f"{part}S"))
)


def owned_part(words: list[str], at: int) -> int:
    """Return how many words from `at` on name the head or neck of a bone or organ, 0 if none do.

    >>> owned_part(["CUELLO", "DE", "LA", "VEJIGA"], 0), owned_part(["CUELLO", "Y", "RADIO"], 0)
    (4, 0)
    """
    if words[at] not in HEADS:
        return 0
    end = at + 1
    while end < len(words) and words[end] in LINKING:
        end += 1
    return end + 1 - at if end < len(words) and words[end] in HEADED else 0
