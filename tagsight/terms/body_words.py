"""Words beside those for body parts: what `data/body_words.csv` says of them, by kind.

Kinds: `spine noun`, `spine part` and `spine stem` (they name a part of the spine beside a noun for
it), `range`, `unfinished`, `connecting`, `negation`, `combined` (parts → the standard's term for
all of them) and `within` (whole → its parts). For words within words: `sided` (short ones that
stand with a side: RHIP) and `glued` (that stand before or after a body part: CHESTSAG). For free
descriptions: `short` (all the words of fewer than four letters that count there), `not in text`
(words that mean other things there), `not a region` (phrases that name none) and `title` (a name
stands beside it).
"""

from tagsight.run.package_data import rows_of


def _rows() -> list[tuple[str, str, list[str]]]:
    rows = rows_of("body_words.csv")
    return [(row["kind"], row["term"], row["words"].split()) for row in rows]


def _all(kind: str) -> frozenset[str]:
    return frozenset(word for k, _, words in _ROWS if k == kind for word in words)


def _meaning(kind: str) -> dict[str, str]:
    return {word: term for k, term, words in _ROWS if k == kind for word in words}


_ROWS = _rows()
SPINE_NOUNS = _all("spine noun")
SPINE_WORDS = _meaning("spine part")
SPINE_STEMS = _meaning("spine stem")
RANGE_WORDS = _all("range")
UNFINISHED = RANGE_WORDS | _all("unfinished")  # at the end: the rest was cut off
CONNECTING = _all("connecting")
NEGATIONS = _all("negation")
TITLES = _all("title")
SHORT = _all("short")
SIDED = _all("sided")
GLUED = _all("glued")
NOT_IN_TEXT = _all("not in text")
NOT_REGIONS = frozenset(" ".join(words) for kind, _, words in _ROWS if kind == "not a region")
COMBINED = {frozenset(words): term for kind, term, words in _ROWS if kind == "combined"}
WITHIN = {term: frozenset(words) for kind, term, words in _ROWS if kind == "within"}
SPINE_ORDER = ["CSPINE", "TSPINE", "LSPINE", "SSPINE"]
TRUNK_ORDER = ["HEAD", "NECK", "CHEST", "ABDOMEN", "PELVIS"]
