"""Body parts as people and machines spell them, and their terms in DICOM PS3.16 Annex L.

`BodyPartExamined` is typed by hand or filled from a protocol's name: `T SPINE`, `TSPINE`,
`LT KNEE`, `CHEST/ABDOMEN`, `KNIEGELENK LINKS`. A spelling is split into words; the longest runs of
words in the tables become terms; words that are known to say nothing of the part (laterality,
views, "with contrast") are passed over; several terms become the standard's combined term where
there is one. A spelling that is not understood in full, to its last word, stays unmapped: an
unknown word may be one more part, and a wrong term is worse than no term.

The terms are in `data/annex_l.csv`. The spellings are in `data/body_parts.csv`, and a user can add
more (`tags.body_parts`). An empty term marks a word to ignore; a `*` at the end of a spelling
stands for all words that begin so. Words that have a meaning only beside others are in
`data/body_words.csv`.
"""

import difflib
import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

import polars as pl

from tagsight.errors import ConfigError
from tagsight.run.package_data import rows_of
from tagsight.run.user_files.csv_file import dict_rows
from tagsight.terms.annex_l import annex_l, combine, standard_spellings
from tagsight.terms.body_words import (
    CONNECTING,
    CUT_AT,
    LINKING,
    NEGATIONS,
    NOT_REGIONS,
    RANGE_WORDS,
    SPINE_NOUNS,
    SPINE_STEMS,
    SPINE_WORDS,
    TITLES,
    UNFINISHED,
    owned_part,
)
from tagsight.terms.lexicon import Lexicon
from tagsight.terms.word_splitting import SHORTEST_STEM, VERTEBRA, words_of, words_of_text

IGNORED = ""  # the term of a word to ignore
CS_LENGTH = 16  # PS3.5: a code string (CS) has at most 16 characters, so longer names are cut
LONGEST_RUN = 8  # words; no name of a body part has more
VERTEBRA_TERM = {"C": "CSPINE", "T": "TSPINE", "D": "TSPINE", "L": "LSPINE", "S": "SSPINE"}
WEIGHTINGS = {"T1", "T2"}  # of MR: by themselves they name no vertebra
PLACES_OF_A_PART = {"MID", "UPPER", "LOWER", "PROXIMAL", "DISTAL"}
LEAST_TECHNIQUE = 3  # letters of a word of technique; shorter ones may be parts in short
# Short items of a list that are no parts: sides, views, modalities, contrast.
MARKS = frozenset(
    (
        *("L", "R", "LT", "RT", "B", "LI", "RE", "DX", "SX", "D", "G", "AP", "PA", "LL", "AX"),
        *("OB", "W", "WO", "CT", "MR", "US", "XR", "RX", "TC", "RM", "2D", "3D", "T1", "T2", "CE"),
    )
)
_LIST = re.compile(r"[/+,;&\\|]")
# Words on both sides of `and`, or of a sign for it.
_AND = r"(?:\s?[/+&]\s?|\s(?:and|und|et|e|y|i|en|och|og|ve|si|és|и|та)\s)"
_JOINED = re.compile(rf"(?i)([^\W_]+){_AND}(?=([^\W_]+))")


class BodyParts:
    """Spellings and their Annex L terms: the standard's, and a table's, which have precedence.

    table: columns `spelling`, `term`; an empty or null term marks a word to ignore.
    """

    def __init__(self, table: pl.DataFrame) -> None:
        self.lexicon = Lexicon(standard_spellings(), _rows(table), annex_l())
        self.passed_over, self.passed_stems = _technique()

    def term(self, spelling: str) -> str | None:
        """Return the Annex L term that the spelling means, None where that is not certain."""
        words = words_of(spelling)
        # `CT SPINE` is the spine seen by CT; `CTSPINE` is the cervico-thoracic one.
        if len(words) > 1:
            words = [word for word in words if word != "CT"]
        if " ".join(words) in NOT_REGIONS or _is_cut_off(spelling, words):
            return None
        joined = "".join(words)
        # JOINT is a term by itself, but ignored in `KNEE JOINT`.
        term = self.lexicon.lookup(joined) or (joined if joined in annex_l() else None)
        term = term or (self.lexicon.word(joined) if len(words) == 1 else None)
        if term or not words or words[-1] in UNFINISHED:
            return term
        words = [part for word in words for part in self.lexicon.split(word)]
        spine = self._spine(words)
        if spine is not None:
            return combine(spine, words)
        terms = self._read(words, cut=len(spelling.strip()) == CS_LENGTH)
        begins = words[0] in RANGE_WORDS  # a range without its first part
        if not terms or begins or self._misleads(words) or self._abbreviates(spelling, words):
            return None
        return combine(terms, words)

    def region(self, text: str) -> str | None:
        """Return the Annex L term for the region that a free description names, None if unsure.

        text: of StudyDescription, SeriesDescription, ProtocolName: `t2_tse_sag_knee R` is KNEE.
        Unknown words are ignored, but for those that `and` joins to a region, as another region
        would be: `TH/ABD`. A region has to be a whole word; a short word counts only if the table
        of words lists it. No region counts after `no` or `without`, nor in phrases such as `head
        first`. Several regions become one where the standard has a term for them.
        """
        words = words_of_text(text)
        if TITLES & set(words) or self._joins_unknown(text):
            return None
        regions = self._regions(words)
        return combine(regions, words) if regions else None

    def _misleads(self, words: list[str]) -> bool:
        """Whether a body part is negated, or words together mean something else than alone."""
        if any(owned_part(words, at) for at in range(len(words))):
            return True
        padded = f" {' '.join(words)} "
        negated = any(_is_negated(words, i) and self.lexicon.word(w) for i, w in enumerate(words))
        return negated or any(f" {phrase} " in padded for phrase in NOT_REGIONS)

    def _abbreviates(self, spelling: str, words: list[str]) -> bool:
        """Whether an item of a list may be a part in short: `ABD/P`, but not `KNEE R/L`."""
        items = [words_of(item) for item in _LIST.split(spelling)]
        alone = {item[0] for item in items if len(item) == 1 < len(items)}
        unclear = {word for word in alone if len(word) <= 2 and word not in MARKS}
        cut = len(spelling.strip()) == CS_LENGTH
        return any(term == IGNORED and run in unclear for run, term in self._runs(words, cut=cut))

    def _joins_unknown(self, text: str) -> bool:
        """Whether `and` joins a region to a word that may be another one."""
        of_spine = any(map(_noun, words_of(text)))
        for first, second in _JOINED.findall(text):
            words = [*words_of(first)[-1:], *words_of(second)[:1]]
            unclear = [w for w in words if not self._is_clear(w, of_spine=of_spine)]
            if unclear and any(self._is_region(w) for w in words):
                return True
        return False

    def _is_region(self, word: str) -> bool:
        return bool(self.lexicon.region_of(word))

    def _is_clear(self, word: str, *, of_spine: bool) -> bool:
        """Whether a word is a region, or known to say nothing, which few short ones are."""
        known = len(word) > 2 and self._single(word) is not None
        part = word in MARKS or (of_spine and word in SPINE_WORDS)
        return known or part or self._is_region(word) or not word.isalpha()

    def _regions(self, words: list[str]) -> list[str]:
        """The terms that a description names; [] if negated, or if a range has no end."""
        terms: list[str] = []
        at, last_end, open_range = 0, -1, False
        while at < len(words):
            run, term = self._mention(words, at)
            if term and (_is_negated(words, at) or (not terms and self._ends_range(words, at))):
                return []
            open_range = (open_range and not term) or (last_end == at and words[at] in RANGE_WORDS)
            at += run
            if term:
                terms, last_end = [*terms, term], at
        return [] if open_range else list(dict.fromkeys(terms))

    def _ends_range(self, words: list[str], at: int) -> bool:
        """Whether a region is the end of a range from a word unknown: `VERTEX TO MID THIGH`."""
        to = at - 1 - (words[at - 1] in PLACES_OF_A_PART)
        return to > 0 and words[to] in RANGE_WORDS and self._single(words[to - 1]) is None

    def _mention(self, words: list[str], at: int) -> tuple[int, str | None]:
        """The number of words from `at` on that belong together, and their region."""
        spine = self._spine_here(words, at)
        if spine:
            return spine
        if owned := owned_part(words, at):
            return owned, None
        for length in range(min(LONGEST_RUN, len(words) - at), 1, -1):
            phrase = " ".join(words[at : at + length])
            if phrase in NOT_REGIONS:
                return length, None
            if self.lexicon.phrases.get(phrase):
                return length, self.lexicon.phrases[phrase]
        return 1, self.lexicon.region_of(words[at])

    def _spine_here(self, words: list[str], at: int) -> tuple[int, str | None] | None:
        """`C T L SPINE`, `SPINE LUMBAR`, `C3 C7`: number of words, and part of the spine."""
        end = at
        while end < len(words) and (_spine_part(words[end], beside_noun=True) or _noun(words[end])):
            end += 1
        run = words[at:end]
        nouns = [i for i, w in enumerate(run) if _noun(w) and len(w) >= SHORTEST_STEM]
        if nouns:
            run = run[: nouns[-1] + 1] + [w for w in run[nouns[-1] + 1 :] if len(w) > 2][:1]
            parts = self._spine(run)
            if parts:
                return len(run), combine(parts, run)
            return len(run), self.lexicon.phrases.get(run[nouns[0]])
        vertebrae = [w for w in run[:2] if VERTEBRA.fullmatch(w)]
        if len(vertebrae) == 2 and set(vertebrae) - WEIGHTINGS:
            parts = list(dict.fromkeys(VERTEBRA_TERM[w[0]] for w in vertebrae))
            return 2, combine(parts, ["TO"])
        return None

    def _describes(self, words: list[str], rest: str) -> bool:
        """Whether a word that is cut off begins as words that say nothing, or follows such a one.

        After `with` and `without` comes a contrast agent, which is not of the body.
        """
        last = words[-1] if words else ""
        if last in CONNECTING or last in NEGATIONS:
            return "CONTRAST".startswith(rest) or _begins_alike(rest, self.passed_over)
        if last in UNFINISHED or last in LINKING:
            return False
        return (
            last.isdecimal()
            or self.lexicon.term_of.get(last) == IGNORED
            or (len(rest) >= SHORTEST_STEM and _begins_alike(rest, self.passed_over))
        )

    def _read(self, words: list[str], *, cut: bool) -> list[str] | None:
        """The terms in words, longest runs first; None if a word is unknown."""
        terms: list[str] = []
        for _, term in self._runs(words, cut=cut):
            if term is None:
                return None
            terms += [term] if term != IGNORED else []
        return list(dict.fromkeys(terms))

    def _runs(self, words: list[str], *, cut: bool) -> Iterator[tuple[str, str | None]]:
        """The runs of words that are read together, each as one word, and their terms."""
        at = 0
        while at < len(words):
            length, term = self._run(words, at, cut=cut)
            yield "".join(words[at : at + length]), term
            at += length

    def _run(self, words: list[str], at: int, *, cut: bool) -> tuple[int, str | None]:
        """The number of words from `at` on that have one term, and the term."""
        for length in range(min(LONGEST_RUN, len(words) - at), 0, -1):
            joined = "".join(words[at : at + length])
            whole = length == 1 or len(words[at + length - 1]) > 2  # `CHEST SS` is no plural
            term = self.lexicon.lookup(joined) if whole else self.lexicon.term_of.get(joined)
            if term is None and length == 1:
                term = self._single(joined)
            uncertain = term is None or (term == IGNORED and len(joined) < SHORTEST_STEM)
            if uncertain and cut and at + length == len(words):
                rest = self.lexicon.complete(joined, after=words[at - 1] if at else "")
                term = term if rest is None else rest
                if term is None and length == 1 and self._describes(words[:at], joined):
                    term = IGNORED
            if term is not None:
                return length, term
        return 1, None

    def _single(self, word: str) -> str | None:
        if word in RANGE_WORDS or word in NEGATIONS or word in WEIGHTINGS or word.isdecimal():
            return IGNORED
        letters = word.strip("0123456789")
        if letters != word and (len(letters) >= 3 or self.lexicon.term_of.get(letters) == IGNORED):
            return self.lexicon.lookup(letters)
        term = self.lexicon.word(word)
        return IGNORED if term is None and self._says_nothing(word) else term

    def _says_nothing(self, word: str) -> bool:
        """Whether a word is known to say nothing of the part: of technique, views, sides."""
        stems = (word[:end] for end in range(len(word), SHORTEST_STEM, -1))
        return word in self.passed_over or any(stem in self.passed_stems for stem in stems)

    def _spine(self, words: list[str]) -> list[str] | None:
        """The parts of the spine that vertebrae, or a word for the spine with its parts, name.

        `T/L SPINE`, `SPINE CERVICAL`, `C3-C7`; None where there are other words too.
        """
        words = _without_view(words)
        nouns = [w for w in words if _noun(w)]
        rest = [w for w in words if not _noun(w) and w not in RANGE_WORDS]
        rest = [w for w in rest if self._is_of_spine(w) or self._single(w) != IGNORED]
        if not any(VERTEBRA.fullmatch(w) for w in rest if w not in WEIGHTINGS):
            rest = [w for w in rest if w not in WEIGHTINGS]
        parts = [_spine_part(w, beside_noun=bool(nouns)) for w in rest]
        if not parts or None in parts:
            return None
        return list(dict.fromkeys(p for p in parts if p))

    def _is_of_spine(self, word: str) -> bool:
        return word in SPINE_WORDS or VERTEBRA.fullmatch(word) is not None


def terms(values: pl.Series, table: pl.DataFrame) -> pl.Series:
    """Return the Annex L term of each spelling, null where unmapped.

    values: String (n,), preferably distinct; table: see `BodyParts`.
    """
    body_parts = _body_parts(tuple(table.select("spelling", "term").rows()))
    mapped = [None if v is None else body_parts.term(v) or None for v in values.to_list()]
    return pl.Series(values.name, mapped, dtype=pl.String)


def read_spellings(path: Path) -> pl.DataFrame:
    """Read the table of spellings: columns `spelling`, `term`.

    Raises ConfigError where a column is missing, or a term is not in Annex L; TableError where it
    is no table.
    """
    columns = ("spelling", "term")
    rows = dict_rows(path, columns)
    if any(column not in row for row in rows[:1] for column in columns):
        raise ConfigError(f"{path}: the first line must be spelling,term")
    texts = {column: [row[column] for row in rows] for column in columns}
    table = pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String))
    for term in table["term"].str.strip_chars().unique().sort():
        if term and term not in annex_l():
            near = difflib.get_close_matches(term.upper(), annex_l(), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigError(f"{path}: {term} is no term of DICOM PS3.16 Annex L{hint}")
    return table.select(pl.col("spelling", "term").str.strip_chars())


@lru_cache(maxsize=4)
def _body_parts(rows: tuple[tuple[str, str], ...]) -> BodyParts:
    return BodyParts(pl.DataFrame(rows, schema=["spelling", "term"], orient="row"))


def _rows(table: pl.DataFrame) -> list[tuple[str, str]]:
    spellings = table["spelling"].to_list()
    terms = table["term"].fill_null(IGNORED).to_list()
    return [(s.strip(), t.strip()) for s, t in zip(spellings, terms, strict=True) if s]


@lru_cache(maxsize=1)
def _technique() -> tuple[frozenset[str], frozenset[str]]:
    """Words of technique, and beginnings of such: they say how was imaged, not what.

    Kernels are left out: they are called after organs.
    """
    rows = rows_of("technique_words.csv")
    listed = [s for row in rows if row["facet"] != "kernel" for s in row["spellings"].split("|")]
    stems = {"".join(words_of(s)) for s in listed if s.endswith("*") and len(s) > SHORTEST_STEM + 1}
    words = {"".join(words_of(s)) for s in listed if not s.endswith("*") and " " not in s}
    return frozenset(w for w in words if len(w) >= LEAST_TECHNIQUE), frozenset(stems)


def _is_cut_off(spelling: str, words: list[str]) -> bool:
    """Whether a name as long as may be ends in `and`, or in one or two letters after it."""
    if not CS_LENGTH - 1 <= len(spelling.strip()) <= CS_LENGTH or len(words) < 2:
        return False
    return words[-1] in CUT_AT or (words[-2] in UNFINISHED and len(words[-1]) <= 2)


def _begins_alike(rest: str, words: Collection[str]) -> bool:
    return any(word.startswith(rest) for word in words)


def _is_negated(words: list[str], at: int) -> bool:
    """Whether a word is negated by the one before: `NO CHEST`, `CHEST WO ABD`.

    `WO` at the start, repeated, or after `W` means without contrast: `WO ABD`, `CHEST WO ABD WO`.
    """
    if at == 0 or words[at - 1] not in NEGATIONS:
        return False
    contrast = at == 1 or words.count("WO") > 1 or words[at - 2] in ("W", "WITH")
    return not (words[at - 1] == "WO" and contrast)


def _noun(word: str) -> bool:
    return word in SPINE_NOUNS or word.startswith(("WIRBEL", "VERTEBR"))


def _without_view(words: list[str]) -> list[str]:
    """`CERVICAL SPINE L` is seen from the side; `SPINE C T L` names three parts."""
    nouns = [i for i, word in enumerate(words) if _noun(word)]
    if not nouns or not any(_spine_part(w, beside_noun=True) for w in words[: nouns[-1]]):
        return words
    return [w for i, w in enumerate(words) if i <= nouns[-1] or len(w) > 1]


def _spine_part(word: str, *, beside_noun: bool) -> str | None:
    if VERTEBRA.fullmatch(word):
        return VERTEBRA_TERM[word[0]]
    if not beside_noun or word in SPINE_WORDS:
        return SPINE_WORDS.get(word) if beside_noun else None
    stems = (word[:end] for end in range(len(word), SHORTEST_STEM - 1, -1))
    return next((SPINE_STEMS[stem] for stem in stems if stem in SPINE_STEMS), None)
