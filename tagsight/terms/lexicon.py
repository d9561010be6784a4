"""The term of one word of a spelling: by itself, by its start, with a side, glued to others."""

import re
from bisect import bisect_left
from collections.abc import Collection
from functools import lru_cache

from tagsight.terms.annex_l import combine, parts_of
from tagsight.terms.body_words import GLUED, NOT_IN_TEXT, SHORT, SIDED
from tagsight.terms.word_splitting import SHORTEST_STEM, is_ideographic, pieces, singulars, words_of

NEARLY = 2  # letters that a word which is cut off lacks at most, to be taken for it
SHORTEST_GLUED = 3  # letters of a word that is found inside another
SIDE_BEFORE = re.compile(r"^(LEFT|RIGHT|BILATERAL|BILAT|LT|RT|BI|L|R)(?=.{3})")
SIDE_AFTER = re.compile(r"(?<=.{3})(LEFT|RIGHT|BILATERAL|BILAT|LINKS|RECHTS|LT|RT|L|R)$")
MODALITIES = ("CTA", "CT", "MRI", "MRT", "MRA", "MR", "XR", "RTG", "RX")
GLUED_MARKS = (*MODALITIES, "AP", "PA", "LAT")


class Lexicon:
    """Words and phrases, and their Annex L terms; an empty term marks a word to ignore.

    standard: phrase → term; rows: spelling and term of each row of a table, which has precedence;
    a spelling that ends in `*` stands for all words that begin so; terms: all of Annex L.
    Methods `word` and `region_of` are `_word` and `_region_of`, cached.
    """

    def __init__(
        self, standard: dict[str, str], rows: list[tuple[str, str]], terms: Collection[str]
    ) -> None:
        whole = {" ".join(words_of(s)): t for s, t in rows if not s.endswith("*")}
        self.phrases = {**standard, **whole}
        self.term_of = {phrase.replace(" ", ""): term for phrase, term in self.phrases.items()}
        self.stems = {"".join(words_of(s)): t for s, t in rows if s.endswith("*")}
        self.terms = terms
        self.ordered = sorted(self.term_of)
        self.word = lru_cache(maxsize=2**17)(self._word)
        self.region_of = lru_cache(maxsize=2**17)(self._region_of)

    def lookup(self, word: str) -> str | None:
        """Return the term of a word, or of words written as one, in the singular or plural."""
        for form in (word, *singulars(word)):
            if form in self.term_of:
                return self.term_of[form]
        return None

    def _word(self, word: str) -> str | None:
        """Return the term of a word that is alone, with a side, or made of several words."""
        term = self.lookup(word)
        if term is None:
            stems = (word[:end] for end in range(len(word), SHORTEST_STEM - 1, -1))
            term = next((self.stems[stem] for stem in stems if stem in self.stems), None)
        if term is None:
            term = self._sided(word)
        if term is None and len(word) > SHORTEST_STEM:
            parts = self._unglued(word)
            term = combine(list(dict.fromkeys(parts)), [word]) if parts else None
        return term

    def _region_of(self, word: str) -> str | None:
        """Return the region that a word of a description names, if it can mean nothing else."""
        if is_ideographic(word):
            return self._of_ideographs(word)
        return self.word(word) if self.may_be_body_part(word) and not word.isdecimal() else None

    def _of_ideographs(self, word: str) -> str | None:
        """The region of a word in kanji, each of which means something: `足首` is no foot."""
        terms = [self.lookup(part) for part in self._ideographic(word)]
        if None in terms:
            return None
        named = list(dict.fromkeys(term for term in terms if term))
        return combine(named, [word]) if named else None

    def may_be_body_part(self, word: str) -> bool:
        """Return whether a word may be a body part, beside other words or glued to them."""
        if len(word) < SHORTEST_STEM:
            return word in SHORT
        bases = [word, *singulars(word)]
        return not any(w in NOT_IN_TEXT for w in bases) and not any(
            len(w) < SHORTEST_STEM and w not in SHORT and w in self.term_of for w in bases
        )

    def _sided(self, word: str) -> str | None:
        """`KNEELT`, `RHIP`. A single letter is a side only beside what is surely a body part."""
        for side in (SIDE_BEFORE, SIDE_AFTER):
            match = side.search(word)
            rest = side.sub("", word, count=1)
            if not match or not (
                rest in SIDED or (self.may_be_body_part(rest) and rest not in SHORT)
            ):
                continue
            letter, sure = len(match[1]) == 1, rest in self.terms or rest in SIDED
            if sure or not letter or (side is SIDE_BEFORE and len(rest) > SHORTEST_STEM):
                term = self.lookup(rest)
                if term:
                    return term
        return None

    def _unglued(self, word: str) -> list[str]:
        """Return the terms of the words that make up the whole of `word`: `THORABDPELV`.

        Each has three letters or more, except some marks (CT, AP) at the ends of `word`.
        """
        for mark in GLUED_MARKS:
            rest = word.removeprefix(mark) if word.startswith(mark) else word.removesuffix(mark)
            least = SHORTEST_STEM if mark in MODALITIES else SHORTEST_STEM + 1
            if rest == word or len(rest) < least or not self.may_be_body_part(rest):
                continue
            if term := self.lookup(rest):
                return [term]
        pieces_to: list[list[str] | None] = [[], *[None] * len(word)]  # by the end of the last
        for end in range(SHORTEST_GLUED, len(word) + 1):
            for start in range(end - SHORTEST_GLUED + 1):
                before, piece = pieces_to[start], word[start:end]
                if before is not None and (piece in GLUED or self._may_be_in_word(piece)):
                    pieces_to[end] = [*before, piece]
                    break
        parts = [piece for piece in pieces_to[-1] or [] if piece not in GLUED]
        alone = len(parts) == 1 and parts[0] in SHORT  # a short word in a long one is a coincidence
        return [] if alone else [self.term_of[part] for part in parts]

    def _may_be_in_word(self, piece: str) -> bool:
        """Whether a piece of a word may be a body part."""
        return bool(self.term_of.get(piece)) and self.may_be_body_part(piece)

    def _ideographic(self, word: str) -> list[str]:
        """Split kanji, written without blanks, into the longest words of the table."""
        words: list[str] = []
        at = 0
        while at < len(word):
            ends = (e for e in range(len(word), at, -1) if word[at:e] in self.term_of)
            end = next(ends, at + 1)
            words.append(word[at:end])
            at = end
        return words

    def split(self, word: str) -> list[str]:
        """Return the words that are written as one, or the word itself if it is in the table."""
        if word in self.term_of:
            return [word]
        return self._ideographic(word) if is_ideographic(word) else pieces(word)

    def complete(self, word: str, after: str) -> str | None:
        """Return the term that all spellings with this beginning share, None if they differ.

        `CHEST AND ABD PE`: after the abdomen even `P` can only be the pelvis.
        """
        if self.lookup(after) == "ABDOMEN" and "PELVIS".startswith(word):
            return "PELVIS"
        if len(word) < SHORTEST_STEM:
            return None
        first, last = (bisect_left(self.ordered, w) for w in (word, word + "\U0010ffff"))
        spellings = self.ordered[first:last]
        terms = {self.term_of[spelling] for spelling in spellings}
        if len(terms) == 1:
            return terms.pop()
        # `CHES`: all that begin so are the chest, or the chest and more.
        near = {self.term_of[s] for s in spellings if len(s) <= len(word) + NEARLY}
        term = next(iter(near)) if len(near) == 1 else None
        return term if term and all(parts_of(term) <= parts_of(other) for other in terms) else None
