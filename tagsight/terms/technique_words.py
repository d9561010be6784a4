"""Words of technique in descriptions, as words of a closed list: `t2_tse_sag_fs` is T2, SAG, FS.

The table is `data/technique_words.csv`; a user's rows are laid on top of it. A row says that its
spellings mean a word of a facet, in images of some modalities (`kinds`; empty for all): PA is a
view of a radiograph, PA in MR a direction of gradients. The longest phrase counts first, so that a
row without a word takes a phrase out of the game: BONE MARROW names no kernel. Of two words of one
facet the one of the higher `rank` counts (2 where the table has none): FLAIR says more than T2.
Two of the same rank say nothing (`AX + SAG`). A `*` at the end of a spelling stands for all words
that begin so.

Nothing of the text itself comes out, whatever it is: only pairs of the table.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from tagsight.errors import ConfigError
from tagsight.run.package_data import rows_of
from tagsight.run.user_files.csv_file import dict_rows
from tagsight.terms.word_splitting import SHORTEST_STEM, words_of_text

Row = tuple[str, str, str, str, str]  # facet, word, spellings, kinds, rank
Pair = tuple[str, str]  # facet, word

COLUMNS = ("facet", "word", "spellings", "kinds")
RANK = 2
SEPARATOR = "\\"  # between the values of a tag, PS3.5 6.2
_OPPOSITES = {("contrast", "C+"): "C-", ("correction", "AC"): "NAC"}
# Of all others, `no` and `without` say nothing, or belong to something else: `CT HEAD WO BONE`.
_NEGATED = frozenset(["contrast", "suppression", "correction", "phase", "dose"])
_FILLERS = frozenset(["IV", "I", "V", "ANY", "DE", "DI"])  # `without IV contrast`
_CLOSED = re.compile(r"[A-Za-z0-9][A-Za-z0-9+*-]{0,15}")  # a word: a code string without blanks
_FACET = re.compile(r"[a-z][a-z_]{0,15}")

_STEM = re.compile(rf"[^\W\d_]{{{SHORTEST_STEM},}}\*")  # not `T2*`
_AGENT = "(?:C|IV|KM|CM|GD)"
_ALONE, _END = r"(?<![^\W_])", r"(?![^\W_])"  # no letter or digit before, behind
# Signs that `words_of` drops: `T2*`, `+C`, `KM-`; `FIESTA-C` and `C-SPINE` are none.
_SIGNS = {
    re.compile(r"(?i)T2 ?\*|T2[ _-]?STAR"): " T2STAR ",
    re.compile(rf"(?i){_ALONE}{_AGENT} ?\+|\+ ?{_AGENT}{_END}"): " CPLUS ",
    re.compile(rf"(?i){_ALONE}{_AGENT}-{_END}|(?:^|(?<=[\s_]))-C{_END}"): " CMINUS ",
}
# Two words in one: `T2W`, `3DT1`; `AXT2`; `t2tse`.
_WEIGHTED = re.compile(rf"(?i){_ALONE}([23]D)?(T[12]|PD)WI?{_END}")
_BEFORE = re.compile(rf"(?i){_ALONE}(AX|SAG|COR|TRA|OBL|FS|[23]D)(?=T[12](?!\d))")
_FAST = "(?:FS|FSE|TSE|SPAIR|SPIR)"
_AFTER = re.compile(rf"(?i){_ALONE}(T[12]|[23]D|PD(?={_FAST}))W?(?=[A-Z]{{2}})(?!STAR)")


class Meaning(NamedTuple):
    """What a spelling means in images of some kinds; facet and word are empty for nothing."""

    facet: str
    word: str
    rank: int
    kinds: frozenset[str]

    def counts(self, kind: str | None) -> bool:
        """Return whether it counts for a modality; None stands for any."""
        return kind is None or not self.kinds or kind in self.kinds


class TechniqueWords:
    """The table of words, and a user's rows on top of it.

    extra: rows that take precedence: what a spelling of theirs means in the table is forgotten.
    """

    def __init__(self, extra: Sequence[Row] = ()) -> None:
        self._phrases: dict[str, list[Meaning]] = {}
        self._stems: dict[str, list[Meaning]] = {}
        self._negations: frozenset[str] = frozenset()
        for rows in (shipped_rows(), extra):
            self._lay(rows)
        joined = {key.replace(" ", ""): m for key, m in self._phrases.items() if " " in key}
        self._joined = {key: m for key, m in joined.items() if len(key) >= SHORTEST_STEM}
        written = {key.replace(" ", "") for key in self._phrases}
        self._begin = frozenset(key[:end] for key in written for end in range(2, len(key) + 1))

    def _lay(self, rows: Sequence[Row]) -> None:
        phrases: dict[str, list[Meaning]] = {}
        stems: dict[str, list[Meaning]] = {}
        for facet, word, spellings, kinds, rank in rows:
            keys = [" ".join(_tokens(s)) for s in spellings.split("|")]
            if not facet:
                self._negations |= frozenset(keys)
                continue
            meaning = Meaning(
                facet, word, int(rank or RANK), frozenset(filter(None, kinds.split("|")))
            )
            for key, spelling in zip(keys, spellings.split("|"), strict=True):
                (stems if _STEM.fullmatch(spelling) else phrases).setdefault(key, []).append(
                    meaning
                )
        self._phrases |= phrases
        self._stems |= stems

    def pairs(self, kind: str | None = None) -> frozenset[Pair]:
        """Return the pairs of facet and word that can come out for a modality; None: for any."""
        known = [*self._phrases.values(), *self._stems.values()]
        found = {
            (m.facet, m.word) for meanings in known for m in meanings if m.word and m.counts(kind)
        }
        return frozenset(found | {(p[0], _OPPOSITES[p]) for p in found & _OPPOSITES.keys()})

    def words(self, text: str, kind: str | None = None) -> tuple[Pair, ...]:
        """Return the words of technique in a text, by facet in alphabetical order, one of each.

        text: of StudyDescription, SeriesDescription, ProtocolName; kind: the modality of the image
        (`MR`), empty if unknown, when only words that count for all kinds are taken; None takes
        those of any kind.
        """
        return _words_in(self, text, kind)

    def _read(self, text: str, kind: str | None) -> tuple[Pair, ...]:
        best: dict[str, tuple[int, set[str]]] = {}
        for meaning in self._meanings(_tokens(text), kind):
            rank, words = best.get(meaning.facet, (meaning.rank, set()))
            if meaning.rank > rank:
                rank, words = meaning.rank, set()
            if meaning.rank == rank:
                best[meaning.facet] = rank, words | {meaning.word}
        chosen = [(facet, words) for facet, (_, words) in sorted(best.items())]
        return tuple((facet, words.pop()) for facet, words in chosen if len(words) == 1)

    def _meanings(self, tokens: list[str], kind: str | None) -> Iterator[Meaning]:
        """All words in the text, before one of each facet is chosen.

        A phrase keeps its words from meaning something else in its own facets, not in others:
        `T1 SAG FLAIR` is T1 and sagittal.
        """
        taken: dict[str, tuple[int, int]] = {}  # facet → where its last phrase begins and ends
        for at in range(len(tokens)):
            for end, meaning in self._phrases_at(tokens, at, kind):
                last = taken.get(meaning.facet, (0, 0))
                if at >= last[1] or (at, end) == last:
                    taken[meaning.facet] = (at, end)
                    if meaning.word:
                        yield meaning

    def _phrases_at(
        self, tokens: list[str], at: int, kind: str | None
    ) -> Iterator[tuple[int, Meaning]]:
        """The phrases that begin at a token, with their ends, the longest first."""
        negated = self._negated(tokens, at, kind) if tokens[at] in self._negations else []
        for end in self._ends(tokens, at):
            for meaning in self._lookup(tokens[at:end], kind) if end > at + bool(negated) else ():
                yield end, meaning
        yield from negated

    def _negated(self, tokens: list[str], at: int, kind: str | None) -> list[tuple[int, Meaning]]:
        """The phrase after a negation turned into its opposite, which may be none."""
        start = at + 1
        while start < len(tokens) and tokens[start] in _FILLERS:
            start += 1
        for end in self._ends(tokens, start):
            meanings = [m for m in self._lookup(tokens[start:end], kind) if m.facet in _NEGATED]
            if meanings:
                return [(end, m._replace(word=_OPPOSITES.get(m[:2], ""))) for m in meanings]
        return []

    def _ends(self, tokens: list[str], at: int) -> list[int]:
        """Where phrases that begin at a token may end, the last first."""
        ends, written = [], ""
        for end in range(at + 1, len(tokens) + 1):
            written += tokens[end - 1]
            if end > at + 1 and written not in self._begin:
                break
            ends.append(end)
        return ends[::-1]

    def _lookup(self, words: list[str], kind: str | None) -> list[Meaning]:
        joined = "".join(words)
        found = self._phrases.get(" ".join(words)) or self._joined.get(joined)
        if found is None and len(words) > 1 and len(joined) >= SHORTEST_STEM:
            found = self._phrases.get(joined)
        if found is None and len(words) == 1:
            found = self._of_stem(joined)
        return [meaning for meaning in found or () if meaning.counts(kind)]

    def _of_stem(self, word: str) -> list[Meaning] | None:
        stems = (word[:end] for end in range(len(word), SHORTEST_STEM - 1, -1))
        return next((self._stems[stem] for stem in stems if stem in self._stems), None)


def technique_words(
    text: str, kind: str | None = None, extra: tuple[Row, ...] = ()
) -> tuple[Pair, ...]:
    """Return the words of technique in a text, see `TechniqueWords.words`.

    >>> technique_words("t2_tse_sag_fs", "MR")
    (('plane', 'SAG'), ('suppression', 'FS'), ('weighting', 'T2'))
    """
    return known_words(extra).words(text, kind)


def for_kind(kind: str, extra: tuple[Row, ...] = ()) -> frozenset[Pair]:
    """Return the pairs of facet and word that can come out for a modality."""
    return known_words(extra).pairs(kind)


def joined(words: Iterable[Pair]) -> str | None:
    """Return pairs as the value of a tag, `plane=SAG\\weighting=T2`; None if there is none."""
    return SEPARATOR.join(f"{facet}={word}" for facet, word in words) or None


def by_facet(value: str) -> dict[str, str]:
    """Return facet → word of a value that `joined` returned."""
    pairs = (pair.partition("=") for pair in value.split(SEPARATOR) if pair)
    return {facet: word for facet, _, word in pairs}


def known_words(extra: tuple[Row, ...] = ()) -> TechniqueWords:
    """Return the table of words with a user's rows on top of it."""
    return _laid(extra)


def user_words(table: str | Path | None) -> TechniqueWords:
    """Return the table of words, with those of a user's table on top of it.

    table: the value of `labels.tables.words`, a path or None.
    Raises ConfigError as `read_rows`.
    """
    return known_words(read_rows(Path(table)) if table else ())


def read_rows(path: Path) -> tuple[Row, ...]:
    """Read a user's table: columns `facet`, `word`, `spellings`, `kinds`, perhaps `rank`.

    Raises ConfigError where a column is missing, or a facet or word is no short closed word.
    """
    table = dict_rows(path, COLUMNS)
    if table and not set(COLUMNS) <= table[0].keys():
        raise ConfigError(f"{path}: the first line must be {','.join(COLUMNS)}")
    rows = [_row(row) for row in table]
    for facet, word, _, _, rank in rows:
        if facet and not _FACET.fullmatch(facet):
            raise ConfigError(f"{path}: {facet} is no facet; write it in small letters")
        if word and not _CLOSED.fullmatch(word):
            raise ConfigError(f"{path}: {word} is no word: at most 16 letters, digits, + - *")
        if rank and not rank.isdecimal():
            raise ConfigError(f"{path}: {rank} is no rank; write a whole number, or nothing")
    return tuple(rows)


@lru_cache(maxsize=1)
def shipped_rows() -> tuple[Row, ...]:
    """Return the rows of the library's table."""
    return tuple(_row(row) for row in rows_of("technique_words.csv"))


def _row(row: dict[str, str]) -> Row:
    facet, word, spellings, kinds = (row[name].strip() for name in COLUMNS)
    return facet, word, spellings, kinds, (row.get("rank") or "").strip()


@lru_cache(maxsize=8)
def _laid(extra: tuple[Row, ...]) -> TechniqueWords:
    return TechniqueWords(extra)


@lru_cache(maxsize=2**14)  # files of an archive share most descriptions
def _words_in(table: TechniqueWords, text: str, kind: str | None) -> tuple[Pair, ...]:
    return table._read(text, kind)


def _tokens(text: str) -> list[str]:
    """The words of a text, with signs that mean something as words."""
    for sign, word in _SIGNS.items():
        text = sign.sub(word, text)
    text = _WEIGHTED.sub(r" \1 \2 ", text)
    text = _AFTER.sub(r" \1 ", _BEFORE.sub(r" \1 ", text))
    return words_of_text(text)
