"""Body parts as people and machines spell them, and their terms in DICOM PS3.16 Annex L.

`BodyPartExamined` is typed by hand or filled from a protocol's name: `T SPINE`, `TSPINE`,
`LT KNEE`, `CHEST/ABDOMEN`, `KNIEGELENK LINKS`. A spelling is split into words; the longest runs of
words in the tables become terms; words that do not say which part (laterality, views, "with
contrast") are ignored; several terms become the standard's combined term where there is one. A
spelling that is not understood in full stays unmapped, unless it reads as a description that names
one region: a wrong term is worse than no term.

The terms are in `data/annex_l.csv`. The spellings are in `data/body_parts.csv`, and a user can add
more (`tags.body_parts`). An empty term marks a word to ignore; a `*` at the end of a spelling
stands for all words that begin so. Words that have a meaning only beside others are in
`data/body_words.csv`.
"""

import difflib
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import polars as pl

from tagsight.errors import ConfigError
from tagsight.run.csv_file import dict_rows
from tagsight.terms.annex_l import annex_l, combine, standard_spellings
from tagsight.terms.body_words import (
    CONNECTING,
    NEGATIONS,
    NOT_REGIONS,
    RANGE_WORDS,
    SPINE_NOUNS,
    SPINE_STEMS,
    SPINE_WORDS,
    TITLES,
    UNFINISHED,
)
from tagsight.terms.lexicon import Lexicon
from tagsight.terms.word_splitting import SHORTEST_STEM, VERTEBRA, words_of, words_of_text

IGNORED = ""  # the term of a word to ignore
CS_LENGTH = 16  # PS3.5: a code string (CS) has at most 16 characters, so longer names are cut
LONGEST_RUN = 8  # words; no name of a body part has more
VERTEBRA_TERM = {"C": "CSPINE", "T": "TSPINE", "D": "TSPINE", "L": "LSPINE", "S": "SSPINE"}
WEIGHTINGS = {"T1", "T2"}  # of MR: by themselves they name no vertebra


class BodyParts:
    """Spellings and their Annex L terms: the standard's, and a table's, which have precedence.

    table: columns `spelling`, `term`; an empty or null term marks a word to ignore.
    """

    def __init__(self, table: pl.DataFrame) -> None:
        self.lexicon = Lexicon(standard_spellings(), _rows(table), annex_l())

    def term(self, spelling: str) -> str | None:
        """Return the Annex L term that the spelling means, None where that is not certain."""
        words = words_of(spelling)
        # `CT SPINE` is the spine seen by CT; `CTSPINE` is the cervico-thoracic one.
        if len(words) > 1:
            words = [word for word in words if word != "CT"]
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
        if terms is None or self._misleads(words):
            return self.region(spelling) if not self._dangles(words) else None
        return combine(terms, words) if terms else None

    def region(self, text: str) -> str | None:
        """Return the Annex L term for the region that a free description names, None if unsure.

        text: of StudyDescription, SeriesDescription, ProtocolName: `t2_tse_sag_knee R` is KNEE.
        Unknown words are ignored. A region has to be a whole word; a short word counts only if the
        table of words lists it. No region counts after `no` or `without`, nor in phrases such as
        `head first`. Several regions become one where the standard has a term for them.
        """
        words = words_of_text(text)
        if TITLES & set(words):
            return None
        regions = self._regions(words)
        return combine(regions, words) if regions else None

    def _misleads(self, words: list[str]) -> bool:
        """Whether a body part is negated, or words together mean something else than alone."""
        padded = f" {' '.join(words)} "
        negated = any(_is_negated(words, i) and self.lexicon.word(w) for i, w in enumerate(words))
        return negated or any(f" {phrase} " in padded for phrase in NOT_REGIONS)

    def _dangles(self, words: list[str]) -> bool:
        """Whether an unknown word is joined to others, as another body part would be."""
        joined = (
            b for a, b in pairwise(words) if a in UNFINISHED or (a in CONNECTING and len(b) > 1)
        )
        return any(self.lexicon.word(w) is None and self._single(w) is None for w in joined)

    def _regions(self, words: list[str]) -> list[str]:
        """The terms that a description names; [] if negated, or if a range has no end."""
        terms: list[str] = []
        at, last_end, open_range = 0, -1, False
        while at < len(words):
            run, term = self._mention(words, at)
            if term and _is_negated(words, at):
                return []
            open_range = (open_range and not term) or (last_end == at and words[at] in RANGE_WORDS)
            at += run
            if term:
                terms, last_end = [*terms, term], at
        return [] if open_range else list(dict.fromkeys(terms))

    def _mention(self, words: list[str], at: int) -> tuple[int, str | None]:
        """The number of words from `at` on that belong together, and their region."""
        spine = self._spine_here(words, at)
        if spine:
            return spine
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

    def _describes(self, words: list[str]) -> bool:
        """Whether the last of `words` is a view or the like, after which no body part follows."""
        last = words[-1] if words else ""
        connects = last in UNFINISHED or last in CONNECTING or last in NEGATIONS
        return not connects and (last.isdecimal() or self.lexicon.term_of.get(last) == IGNORED)

    def _read(self, words: list[str], *, cut: bool) -> list[str] | None:
        """The terms in words, longest runs first; None if a word is unknown."""
        terms: list[str] = []
        at = 0
        while at < len(words):
            run, term = self._run(words, at, cut=cut)
            if term is None:
                return None
            terms += [term] if term != IGNORED else []
            at += run
        return list(dict.fromkeys(terms))

    def _run(self, words: list[str], at: int, *, cut: bool) -> tuple[int, str | None]:
        """The number of words from `at` on that have one term, and the term."""
        for length in range(min(LONGEST_RUN, len(words) - at), 0, -1):
            joined = "".join(words[at : at + length])
            term = self.lexicon.lookup(joined)
            if term is None and length == 1:
                term = self._single(joined)
            uncertain = term is None or (term == IGNORED and len(joined) < SHORTEST_STEM)
            if uncertain and cut and at + length == len(words):
                term = self.lexicon.complete(joined, after=words[at - 1] if at else "") or term
                if term is None and length == 1 and self._describes(words[:at]):
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
        return self.lexicon.word(word)

    def _spine(self, words: list[str]) -> list[str] | None:
        """The parts of the spine that vertebrae, or a word for the spine with its parts, name.

        `T/L SPINE`, `SPINE CERVICAL`, `C3-C7`; None where there are other words too.
        """
        words = _without_view(words)
        nouns = [w for w in words if _noun(w)]
        rest = [w for w in words if not _noun(w) and w not in RANGE_WORDS]
        rest = [w for w in rest if w in SPINE_WORDS or self.lexicon.term_of.get(w) != IGNORED]
        if not any(VERTEBRA.fullmatch(w) for w in rest if w not in WEIGHTINGS):
            rest = [w for w in rest if w not in WEIGHTINGS]
        parts = [_spine_part(w, beside_noun=bool(nouns)) for w in rest]
        if not parts or None in parts:
            return None
        return list(dict.fromkeys(p for p in parts if p))


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
