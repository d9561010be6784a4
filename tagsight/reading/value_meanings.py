"""The meaning of a vocabulary's values: column, text and disposition of each, determined once."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from pydicom.charset import default_encoding

from tagsight.archive.source import BytesSource
from tagsight.arrays import Bools, Int32s
from tagsight.dicom.dictionary import region_column, words_column
from tagsight.dicom.header_texts import PIXEL_REPRESENTATION as SIGN
from tagsight.dicom.header_texts import READ_SEQUENCES, one_vr, public, sequence_text
from tagsight.dicom.headers import FACTS, ReaderOptions, region, words
from tagsight.dicom.identities import NUMBERS, is_long_enough
from tagsight.dicom.part10 import CHARSET_TAG, SYNTAX_TAG, character_sets
from tagsight.dicom.privacy import (
    identifies_alone,
    in_public,
    is_kept,
    judged_vr,
    may_repeat,
    searched,
)
from tagsight.dicom.tokenizer import ByteOrder, Element, Window
from tagsight.dicom.values import as_standard, text_of
from tagsight.reading.interning import MAX_ARENA, MAX_VALUES, Interned, vr_of
from tagsight.reading.interning import vocabulary as empty_vocabulary
from tagsight.rejections import Rejection

ABSENT, KEPT, WITHHELD, PLAIN = range(4)  # dispositions; PLAIN: its file is for the plain reader
PRESENT = 1  # in a signature: a withheld value, which no text is compared with
_VARY = ("UI", "DT")  # VRs of identifying values that differ from file to file


def _zeros() -> Int32s:
    return np.zeros(MAX_VALUES + 1, np.int32)


def _minus_ones() -> Int32s:
    return np.full(MAX_VALUES + 1, -1, np.int32)


def _false() -> Bools:
    return np.zeros(MAX_VALUES + 1, np.bool_)


class ValueHead(NamedTuple):
    """What follows from a value's tag and VR, under the options: see `privacy`, `headers`.

    vr: by which its bytes are read; judged: by which it is judged, see `privacy.judged_vr`.
    """

    tag: int
    keyword: str
    vr: str
    judged: str
    column: int
    plain: bool
    identifies: bool
    may_repeat: bool
    derived: bool


@dataclass
class ValueMeanings:
    """The meaning of each value of `vocabulary`, in its order; arrays end with the entry of -1.

    column: int32 (v + 1,), index in `columns`; disposition: int32 (v + 1,);
    signature_part: int32 (v + 1,), part in a signature;
    shown: int32 (v + 1,), index in `output` of the text that leaves the reader;
    region: int32 (v + 1,), index in `output` of the region that a description names;
    varies: bool (v + 1,), identifying and different from file to file;
    measures: bool (v + 1,), shown, whole numbers that may repeat an identifying one.
    """

    generation: int
    vocabulary: Interned = field(default_factory=empty_vocabulary)
    heads: list[ValueHead] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    columns: dict[str, int] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    _heads: dict[tuple[int, int, int], ValueHead] = field(default_factory=dict)
    _words: dict[int, int] = field(default_factory=dict)
    column: Int32s = field(default_factory=_zeros)
    disposition: Int32s = field(default_factory=_zeros)
    signature_part: Int32s = field(default_factory=_zeros)
    shown: Int32s = field(default_factory=_minus_ones)
    region: Int32s = field(default_factory=_minus_ones)
    varies: Bools = field(default_factory=_false)
    measures: Bools = field(default_factory=_false)

    def is_full(self) -> bool:
        """Return whether an empty vocabulary should replace this one."""
        return self.vocabulary.used[0] > MAX_VALUES * 3 // 4 or (
            self.vocabulary.starts[self.vocabulary.used[0]] > MAX_ARENA * 3 // 4
        )

    def learn(self, options: ReaderOptions) -> None:
        """Determine the meanings of the values that are new in the vocabulary."""
        first, count = len(self.texts), int(self.vocabulary.used[0])
        if first == count:
            return
        starts = self.vocabulary.starts[first : count + 1].tolist()
        data = self.vocabulary.arena[starts[0] : starts[-1]].tobytes()
        meanings = [
            self._meaning(i, tag, letters, variant, data[at - starts[0] : end - starts[0]], options)
            for i, tag, letters, variant, at, end in zip(
                range(first, count),
                self.vocabulary.tags[first:count].tolist(),
                self.vocabulary.vrs[first:count].tolist(),
                self.vocabulary.variants[first:count].tolist(),
                starts[:-1],
                starts[1:],
                strict=True,
            )
        ]
        arrays = (
            self.column,
            self.disposition,
            self.signature_part,
            self.shown,
            self.region,
            self.varies,
            self.measures,
        )
        for array, new in zip(arrays, np.array(meanings, np.int32).T, strict=True):
            array[first:count] = new

    def word_codes(self, described: Int32s, modality: Int32s, options: ReaderOptions) -> Int32s:
        """Return the indices in `output` of the words of technique, -1 = none.

        described, modality: int32 (files,), values of a description and of Modality, -1 = none.
        """
        pairs, places = np.unique(
            (described.astype(np.int64) << 32) + modality + 1, return_inverse=True
        )
        codes = [self._words_of(pair, options) for pair in pairs.tolist()]
        return np.array(codes, np.int32)[places]

    def _words_of(self, pair: int, options: ReaderOptions) -> int:
        """Words of a description (upper half) beside a modality (lower half, 0 = none)."""
        text, modality = pair >> 32, (pair & 0xFFFFFFFF) - 1
        if text < 0:
            return -1
        if pair not in self._words:
            beside = self.texts[modality] if modality >= 0 else ""
            found = words(self.heads[text].keyword, self.texts[text], beside, options)
            self._words[pair] = self._out(found) if found else -1
        return self._words[pair]

    def _meaning(
        self, i: int, tag: int, letters: int, variant: int, data: bytes, options: ReaderOptions
    ) -> tuple[int, int, int, int, int, bool, bool]:
        """Column, disposition, signature part, shown text, region, varies, measures of value i."""
        head = self._heads.get((tag, letters, variant & 1))
        if head is None:
            head = self._head(tag, letters, bool(variant & 1), options)
            self._heads[tag, letters, variant & 1] = head
        text = self._text(head, data, variant >> 1, ByteOrder(letters == 0, True), options)
        disposition = _disposition(head, text, options)
        self.heads.append(head)
        self.texts.append(text or "")
        shown = self._shown(head, text or "") if disposition == KEPT else -1
        varies = disposition == WITHHELD and head.identifies and head.judged in _VARY
        compared = disposition == KEPT and head.may_repeat and can_repeat(head, text or "")
        measure = compared and is_measure(head, text or "")
        term = region(head.keyword, text, options) if text and head.derived else None
        return (
            head.column,
            disposition,
            _part(i, disposition, head, repeats=compared and not measure),
            shown,
            self._out(term) if term else -1,
            varies,
            measure,
        )

    def _head(self, tag: int, letters: int, signed: bool, options: ReaderOptions) -> ValueHead:
        keyword, standard_vr = public(tag) if tag != SYNTAX_TAG else ("TransferSyntaxUID", "UI")
        file_vr = vr_of(letters)
        vr = one_vr(file_vr, standard_vr, signed) if keyword else ""
        judged = judged_vr(vr, standard_vr)
        derived = keyword in options.derive
        if derived:
            self.columns.setdefault(region_column(keyword), len(self.columns))
            self.columns.setdefault(words_column(keyword), len(self.columns))
        return ValueHead(
            tag=tag,
            keyword=keyword,
            vr=vr,
            judged=judged,
            column=self.columns.setdefault(keyword, len(self.columns)),
            # Repeating groups, and a sign that comes later, need the whole file.
            plain=self.tags.setdefault(keyword, tag) != tag
            or (" or " in standard_vr and tag < SIGN and file_vr in (None, "UN")),
            identifies=identifies_alone(keyword, judged),
            may_repeat=may_repeat(keyword, judged, options.keep),
            derived=derived,
        )

    def _shown(self, head: ValueHead, text: str) -> int:
        """The index of the text that leaves the reader."""
        return self._out(in_public(head.keyword, head.judged, text))

    def _out(self, text: str) -> int:
        self.output.append(text)
        return len(self.output) - 1

    def _text(
        self,
        head: ValueHead,
        data: bytes,
        charset: int,
        encoding: ByteOrder,
        options: ReaderOptions,
    ) -> str | None:
        """The text of a value as in `header_texts`; None where that raises."""
        if head.tag == SYNTAX_TAG:
            return data.decode("ascii", "replace").strip("\0 ")
        if not head.keyword:
            return ""
        encodings = self._character_sets(charset)
        if head.tag not in READ_SEQUENCES or head.vr != "SQ":
            return as_standard(head.vr, head.judged, text_of(head.vr, data, encodings, True))
        sequence = Element(head.vr, 0, len(data), encoding)
        try:
            window = Window(BytesSource(data))
            return sequence_text(head.tag, window, sequence, encodings, options.facets)
        except Rejection:
            return None

    def _character_sets(self, value: int) -> tuple[str, ...]:
        if not value:
            return (default_encoding,)
        start, end = self.vocabulary.starts[value - 1 : value + 1]
        assert self.vocabulary.tags[value - 1] == CHARSET_TAG
        return character_sets(self.vocabulary.arena[start:end].tobytes())


def _disposition(head: ValueHead, text: str | None, options: ReaderOptions) -> int:
    if head.plain or text is None or (head.tag == SYNTAX_TAG and not text):
        return PLAIN
    if not text:
        return ABSENT
    vrs = (head.vr, head.judged)  # either can withhold it
    kept = all(is_kept(head.keyword, vr, text, options.keep) for vr in vrs)
    if head.tag == SYNTAX_TAG and not kept:
        return PLAIN
    return KEPT if kept else WITHHELD


def _part(i: int, disposition: int, head: ValueHead, *, repeats: bool) -> int:
    """Value i's part in the signature of a header; 0 where no verdict depends on it."""
    if disposition == WITHHELD:
        return i + 2 if head.identifies and head.judged not in _VARY else PRESENT
    return i + 2 if disposition == KEPT and (repeats or head.keyword in FACTS) else 0


def can_repeat(head: ValueHead, text: str) -> bool:
    """Return whether a value says enough to repeat an identifying one."""
    return any(map(is_long_enough, searched(head.keyword, head.judged, text).split("\n")))


def is_measure(head: ValueHead, text: str) -> bool:
    """Return whether a value is of numbers alone: many differ from file to file."""
    digits = searched(head.keyword, head.judged, text).replace("\n", "0")
    return head.judged in NUMBERS and digits.isdecimal()
