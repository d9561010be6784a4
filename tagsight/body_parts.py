"""Body parts as people and machines spell them → terms of DICOM PS3.16 Annex L.

`BodyPartExamined` is typed by hand or filled from a protocol's name: `T SPINE`, `TSPINE`,
`LT KNEE`, `CHEST/ABDOMEN`, `KNIEGELENK LINKS`. A spelling is cut into words; the longest runs of
words that the tables know become terms; words that say nothing of the part (laterality, views,
"with contrast") are passed over; several terms become the standard's own combined term where there
is one. What is not understood in full is left unmapped: a wrong term is worse than none.

The terms are in `data/annex_l.csv`. The spellings are in `config/body_parts.csv`, which a user
extends; an empty term there marks a word that says nothing of the body part.
"""

import csv
import difflib
import re
import unicodedata
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import polars as pl

from tagsight.errors import ConfigError

IGNORED = ""  # what a word that says nothing of the body part stands for
CS_LENGTH = 16  # PS3.5: a code string (CS) has at most 16 characters, so longer names are cut
SHORTEST_CUT = 4  # a cut word of fewer letters could be the start of too many others

# What these stand for where a word for "spine" is beside them; alone some mean other things.
SPINES = (
    "SPINE SPN SPINES SPINAL VERTEBRA VERTEBRAE VERTEBRAL COLUMN WIRBELSAEULE WIRBELSAULE RACHIS "
    "COLONNE VERTEBRALE COLONNA COLUMNA COLUNA COL RACHIDE KRALJEZNICA RAQUIS WERVELKOLOM"
)
SPINE_NOUNS = frozenset(SPINES.split())
SPINE_PARTS = {
    "CSPINE": "C CERV CERVICAL CERVICALE CERVICALES CX CS",
    "TSPINE": "T TH THOR THORACIC THORACAL THORACALE THORACIQUE D DORSAL DORSALE TORACICA "
    "THORAX TS TORAKALNA",
    "LSPINE": "L LUMB LUMBAR LUMBALE LUMBAIRE LOMBAIRE LOMBARE LOMBAR LUMBALNA",
    "SSPINE": "S SACRAL SACRALE SACRUM SACRA SACREE SACRO",
}
SPINE_WORDS = {word: term for term, words in SPINE_PARTS.items() for word in words.split()}
# Vertebrae by name: C7, TH12, L5, S1.
VERTEBRA = re.compile(r"(C[1-7]|(?:TH|T|D)(?:1[0-2]|[1-9])|L[1-6]|S[1-5])")
VERTEBRA_TERM = {"C": "CSPINE", "T": "TSPINE", "D": "TSPINE", "L": "LSPINE", "S": "SSPINE"}
WEIGHTINGS = {"T1", "T2"}  # of MR: alone they name no vertebra
SPINE_ORDER = ["CSPINE", "TSPINE", "LSPINE", "SSPINE"]
TRUNK_ORDER = ["HEAD", "NECK", "CHEST", "ABDOMEN", "PELVIS"]
RANGE_WORDS = {"TO", "THRU", "THROUGH", "BIS", "JUSQUE", "FINO", "HASTA"}
UNFINISHED = RANGE_WORDS | {"AND", "UND", "ET", "OF"}  # at the end: the rest was cut off
CONNECTING = {"W", "WITH", "MIT", "AVEC", "CON", "E", "I", "Y", "OR", "INCL", "INCLUDING", "PLUS"}
NEGATIONS = {"WITHOUT", "WO", "OHNE", "SANS", "NON", "NO", "BEZ", "SENZA", "NOT", "EXCEPT"}
SIDE_BEFORE = re.compile(r"(?:LEFT|RIGHT|BILATERAL|BILAT|LT|RT|BI|L|R)(?=.{3})")
SIDE_AFTER = re.compile(r"(?<=.{3})(?:LEFT|RIGHT|BILATERAL|BILAT|LINKS|RECHTS|LT|RT)$")

COMBINED = {
    frozenset(parts.split()): term
    for parts, term in {
        "CHEST ABDOMEN": "CHESTABDOMEN",
        "CHEST ABDOMEN PELVIS": "CHESTABDPELVIS",
        "ABDOMEN PELVIS": "ABDOMENPELVIS",
        "NECK CHEST": "NECKCHEST",
        "NECK CHEST ABDOMEN": "NECKCHESTABDOMEN",
        "NECK CHEST ABDOMEN PELVIS": "NECKCHESTABDPELV",
        "HEAD NECK": "HEADNECK",
        "SKULL BRAIN": "HEAD",
        "CSPINE TSPINE": "CTSPINE",
        "TSPINE LSPINE": "TLSPINE",
        "LSPINE SSPINE": "LSSPINE",
        "CSPINE TSPINE LSPINE": "SPINE",
        "CSPINE TSPINE LSPINE SSPINE": "SPINE",
        "RADIUS ULNA": "RADIUSULNA",
        "TIBIA FIBULA": "TIBIAFIBULA",
        "PELVIS LOWERLIMB": "PELVISLOWEXTREMT",
        "BLADDER URETHRA": "BLADDERURETHRA",
        "TRACHEA BRONCHUS": "TRACHEABRONCHUS",
        "PHARYNX LARYNX": "PHARYNXLARYNX",
        "PANCREATICDUCT BILEDUCT": "PANCBILEDUCT",
    }.items()
}
# Combined terms taken apart, so that `ABDOMENPELVIS CHEST` is put together again.
PARTS = {term: parts for parts, term in COMBINED.items() if term not in ("HEAD", "SPINE")}
# Whole → parts: named together they mean the whole.
WITHIN = {
    "HEAD": "BRAIN SKULL FACE ORBIT EYE IAC EAR JAW MANDIBLE MAXILLA NOSE SELLA MASTOID TMJ SCALP "
    "INTRACRANIAL CIRCLEOFWILLIS ZYGOMA MOUTH TONGUE",
    "NECK": "THYROID LARYNX CAROTID PHARYNX",
    "CHEST": "LUNG HEART MEDIASTINUM RIB STERNUM THORACICAORTA CORONARYARTERY AORTICARCH",
    "HEART": "CORONARYARTERY",
    "ABDOMEN": "LIVER KIDNEY PANCREAS SPLEEN GALLBLADDER ADRENAL STOMACH BILIARYTRACT "
    "ABDOMINALAORTA SMALLINTESTINE",
    "PELVIS": "PROSTATE UTERUS BLADDER RECTUM OVARY SSPINE SIJOINT",
    "SPINE": "CSPINE TSPINE LSPINE SSPINE COCCYX LSSPINE TLSPINE CTSPINE",
    "SSPINE": "COCCYX",
    "SCROTUM": "TESTIS EPIDIDYMIS",
    "UPPERLIMB": "SHOULDER UPPERARM HUMERUS ELBOW FOREARM RADIUS ULNA WRIST HAND FINGER THUMB",
    "HAND": "FINGER THUMB",
    "LOWERLIMB": "HIP THIGH FEMUR KNEE PATELLA LOWERLEG TIBIA FIBULA CALF ANKLE FOOT CALCANEUS TOE",
    "KNEE": "PATELLA",
    "LOWERLEG": "TIBIA FIBULA CALF TIBIAFIBULA",
    "FOREARM": "RADIUS ULNA RADIUSULNA",
    "UPPERARM": "HUMERUS",
    "THIGH": "FEMUR",
    "FOOT": "TOE CALCANEUS",
    "EXTREMITY": "UPPERLIMB LOWERLIMB SHOULDER ELBOW WRIST HAND HIP KNEE ANKLE FOOT",
}
WHOLES = {whole: frozenset(parts.split()) for whole, parts in WITHIN.items()}


class Vocabulary:
    """Spellings → Annex L terms: the standard's own, and a table's (which wins).

    table: columns `spelling`, `term`; an empty or null term marks a word to pass over.
    """

    def __init__(self, table: pl.DataFrame) -> None:
        self.known = {**_standard(), **_rows(table)}
        self.longest = 8

    def term(self, spelling: str) -> str | None:
        """Return the Annex L term that the spelling means, None where that is not certain."""
        words = _words(spelling)
        # `CT SPINE` is the spine seen by CT; `CTSPINE` is the cervico-thoracic one.
        if len(words) > 1:
            words = [word for word in words if word != "CT"]
        joined = "".join(words)
        # JOINT is a term of its own, though passed over in `KNEE JOINT`.
        whole = self._look(joined) or (joined if joined in annex_l() else None)
        if whole or not words or words[-1] in UNFINISHED:
            return whole
        spine = _spine(words, self.known)
        if spine is not None:
            return _combine(spine, words)
        terms = self._read(words, cut=len(spelling.strip()) == CS_LENGTH)
        return _combine(terms, words) if terms else None

    def _look(self, word: str) -> str | None:
        """Return what one word or joined run of words stands for, its plural and side aside."""
        for form in (word, *_singulars(word)):
            if form in self.known:
                return self.known[form]
        return None

    def _sided(self, word: str) -> str | None:
        for side in (SIDE_BEFORE, SIDE_AFTER):
            found = side.search(word) if side is SIDE_AFTER else side.match(word)
            term = self._look(word.replace(found[0], "", 1)) if found else None
            if term:
                return term
        return None

    def _completed(self, word: str, after: str) -> str | None:
        """Return the one term that all known spellings with this beginning share.

        `CHEST AND ABD PE`: after the abdomen even `P` can only be the pelvis.
        """
        if self._look(after) == "ABDOMEN" and "PELVIS".startswith(word):
            return "PELVIS"
        if len(word) < SHORTEST_CUT:
            return None
        terms = {term for known, term in self.known.items() if known.startswith(word)}
        return terms.pop() if len(terms) == 1 else None

    def _describes(self, words: list[str]) -> bool:
        """Whether these have come to views and the like, so that no body part will follow."""
        last = words[-1] if words else ""
        connects = last in UNFINISHED or last in CONNECTING or last in NEGATIONS
        return not connects and (last.isdecimal() or self.known.get(last) == IGNORED)

    def _read(self, words: list[str], *, cut: bool) -> list[str]:
        """Return the terms named, longest runs of words first; none if a word is unknown."""
        terms: list[str] = []
        at = 0
        while at < len(words):
            run, term = self._run(words, at, cut=cut)
            if term is None:
                return []
            terms += [term] if term != IGNORED else []
            at += run
        return list(dict.fromkeys(terms))

    def _run(self, words: list[str], at: int, *, cut: bool) -> tuple[int, str | None]:
        """Return how many words from `at` on are understood together, and as what."""
        for length in range(min(self.longest, len(words) - at), 0, -1):
            joined = "".join(words[at : at + length])
            term = self._look(joined)
            if term is None and length == 1:
                term = self._single(joined)
            if term is None and cut and at + length == len(words):
                term = self._completed(joined, after=words[at - 1] if at else "")
                if term is None and length == 1 and self._describes(words[:at]):
                    term = IGNORED
            if term is not None:
                return length, term
        return 1, None

    def _single(self, word: str) -> str | None:
        if word in RANGE_WORDS or word in NEGATIONS or word in WEIGHTINGS or word.isdecimal():
            return IGNORED
        letters = word.strip("0123456789")
        if letters != word and (len(letters) >= 3 or self.known.get(letters) == IGNORED):
            return self._look(letters)
        return self._sided(word)


def terms(values: pl.Series, table: pl.DataFrame) -> pl.Series:
    """Return the Annex L term of each spelling; null where unmapped. Meant for distinct values."""
    vocabulary = Vocabulary(table)
    mapped = [None if v is None else vocabulary.term(v) or None for v in values.to_list()]
    return pl.Series(values.name, mapped, dtype=pl.String)


def read_spellings(path: Path) -> pl.DataFrame:
    """Read the table of spellings: columns `spelling`, `term`.

    Raises ConfigError for missing columns and for a term that Annex L does not have.
    """
    table = pl.read_csv(path, infer_schema=False).fill_null("")
    if not {"spelling", "term"} <= set(table.columns):
        raise ConfigError(f"{path}: the first line must be spelling,term")
    for term in table["term"].str.strip_chars().unique().sort():
        if term and term not in annex_l():
            near = difflib.get_close_matches(term.upper(), annex_l(), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigError(f"{path}: {term} is no term of DICOM PS3.16 Annex L{hint}")
    return table.select(pl.col("spelling", "term").str.strip_chars())


@cache
def annex_l() -> dict[str, tuple[str, str]]:
    """Term → (SNOMED CT code value, code meaning) of DICOM PS3.16 Annex L."""
    text = (files("tagsight") / "data" / "annex_l.csv").read_text(encoding="utf-8")
    return {row["term"]: (row["code"], row["meaning"]) for row in csv.DictReader(text.splitlines())}


@cache
def _standard() -> dict[str, str]:
    """Every term and code meaning of Annex L, as joined words → term."""
    known: dict[str, str] = {}
    for term, (_, meaning) in annex_l().items():
        for spelling in (term, meaning):
            known.setdefault("".join(_words(spelling)), term)
    return known


def _rows(table: pl.DataFrame) -> dict[str, str]:
    spellings = table["spelling"].to_list()
    found = table["term"].fill_null(IGNORED).to_list()
    return {"".join(_words(s)): t.strip() for s, t in zip(spellings, found, strict=True) if s}


def _words(spelling: str) -> list[str]:
    """Upper-case words without accents and punctuation; `ß` becomes `SS`."""
    text = unicodedata.normalize("NFKD", spelling.upper()).upper()
    text = text.translate({0xD8: "O", 0x110: "D", 0xC6: "AE", 0x141: "L", 0x152: "OE"})
    text = "".join(c for c in text if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", text)


def _singulars(word: str) -> list[str]:
    """Return what the word may be the plural of (English; AE and I of Latin are in the table)."""
    if len(word) < SHORTEST_CUT or not word.endswith("S"):
        return []
    ies = [word[:-3] + "Y"] if word.endswith("IES") else []
    return [*ies, word[:-1], *([word[:-2]] if word.endswith("ES") else [])]


def _spine(words: list[str], known: dict[str, str]) -> list[str] | None:
    """Return the parts of the spine, where vertebrae or a word for the spine with parts are named.

    `T/L SPINE`, `SPINE CERVICAL`, `C3-C7`; None where something else stands there too.
    """
    words = _without_view(words)
    nouns = [w for w in words if w in SPINE_NOUNS]
    rest = [w for w in words if w not in SPINE_NOUNS and w not in RANGE_WORDS]
    rest = [w for w in rest if w in SPINE_WORDS or known.get(w) != IGNORED]
    if not any(VERTEBRA.fullmatch(w) for w in rest if w not in WEIGHTINGS):
        rest = [w for w in rest if w not in WEIGHTINGS]
    parts = [_spine_part(w, bool(nouns)) for w in rest]
    if not parts or None in parts:
        return None
    return list(dict.fromkeys(p for p in parts if p))


def _without_view(words: list[str]) -> list[str]:
    """`CERVICAL SPINE L` is seen from the side; `SPINE C T L` names three parts."""
    nouns = [i for i, word in enumerate(words) if word in SPINE_NOUNS]
    if not nouns or not SPINE_WORDS.keys() & set(words[: nouns[-1]]):
        return words
    return [w for i, w in enumerate(words) if i <= nouns[-1] or len(w) > 1]


def _spine_part(word: str, beside_noun: bool) -> str | None:
    vertebra = VERTEBRA.fullmatch(word)
    if vertebra:
        return VERTEBRA_TERM[word[0]]
    return SPINE_WORDS.get(word) if beside_noun else None


def _combine(found: list[str], words: list[str]) -> str | None:
    """Return the one term for all that were found, None where Annex L has none."""
    if "PHANTOM" in found:
        return "PHANTOM"
    if len(found) > 1 and NEGATIONS & set(words):
        return None
    parts = frozenset().union(*(PARTS.get(term, {term}) for term in found))
    if len(found) == 1:
        return found[0]
    if RANGE_WORDS & set(words) or set(SPINE_ORDER) >= parts:
        parts = _between(parts)
    if parts & {"SPINE"} and parts - {"SPINE"} <= WHOLES["SPINE"]:
        parts = parts - {"SPINE"}  # `COLUMNA LUMBOSACRA`: the noun, then which part of it
    parts = frozenset(p for p in parts if not any(p in WHOLES.get(q, ()) for q in parts))
    return next(iter(parts)) if len(parts) == 1 else COMBINED.get(parts)


def _between(parts: frozenset[str]) -> frozenset[str]:
    """Return the ends of a range and all that lies between them, from head to pelvis."""
    for order in (TRUNK_ORDER, SPINE_ORDER):
        at = sorted(order.index(p) for p in parts if p in order)
        if len(at) == len(parts) and any(b - a > 1 for a, b in pairwise(at)):
            return frozenset(order[at[0] : at[-1] + 1])
    return parts
