"""What the values of a vocabulary mean: column, text and fate of each, found out once."""

from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np
from pydicom.charset import default_encoding

from tagsight.archive.source import BytesSource
from tagsight.dicom.dictionary import region_column
from tagsight.dicom.header_texts import CODED_TAGS, meanings, one_vr, public
from tagsight.dicom.header_texts import PIXEL_REPRESENTATION as SIGN
from tagsight.dicom.headers import Wanted, region
from tagsight.dicom.part10 import CHARSET_TAG, SYNTAX_TAG, character_sets
from tagsight.dicom.privacy import can_hold_identity, is_kept, is_source, may_repeat
from tagsight.dicom.tokenizer import ByteOrder, Element, Window
from tagsight.dicom.values import text_of
from tagsight.reading.interning import MAX_ARENA, MAX_VALUES, Interned, vr_of
from tagsight.reading.interning import vocabulary as empty_vocabulary
from tagsight.rejections import Rejection
from tagsight.terms.manufacturers import known_maker

ABSENT, KEPT, WITHHELD, PLAIN = range(4)  # fates; PLAIN: the plain reader has to judge its file
PRESENT = 1  # in a signature: a withheld value that others need not be measured against
FACTS = frozenset(  # what the verdict on an image hangs on
    [
        "BitsAllocated",
        "BurnedInAnnotation",
        "Columns",
        "Modality",
        "NumberOfFrames",
        "PhotometricInterpretation",
        "Rows",
        "SamplesPerPixel",
        "SOPClassUID",
        "TransferSyntaxUID",
    ]
)
_VARY = ("UI", "DT")  # VRs of identifying values that differ from file to file

_of_values = partial(np.zeros, MAX_VALUES + 1, np.int32)
_none = partial(np.full, MAX_VALUES + 1, -1, np.int32)


class KnownHead(NamedTuple):
    """What a value's tag and VR say of it, for what is wanted: see `headers`."""

    tag: int
    keyword: str
    vr: str
    column: int
    plain: bool
    source: bool
    repeats: bool
    derived: bool


@dataclass
class Known:
    """The meaning of each value of `vocabulary`, in its order; the last place of arrays is for -1.

    column: int32, its place in `columns`. fate: int32. sign: int32, its part in a signature. shown,
    region: int32, the number in `output` of the text that leaves the reader, and of the region that
    a description names. varies: bool, identifying and different from file to file.
    """

    generation: int
    vocabulary: Interned = field(default_factory=empty_vocabulary)
    heads: list[KnownHead] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    columns: dict[str, int] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    _heads: dict[tuple[int, int, int], KnownHead] = field(default_factory=dict)
    column: np.ndarray = field(default_factory=_of_values)
    fate: np.ndarray = field(default_factory=_of_values)
    sign: np.ndarray = field(default_factory=_of_values)
    shown: np.ndarray = field(default_factory=_none)
    region: np.ndarray = field(default_factory=_none)
    varies: np.ndarray = field(default_factory=partial(np.zeros, MAX_VALUES + 1, np.bool_))

    def is_full(self) -> bool:
        """Whether it is time to begin a new one."""
        return self.vocabulary.used[0] > MAX_VALUES * 3 // 4 or (
            self.vocabulary.starts[self.vocabulary.used[0]] > MAX_ARENA * 3 // 4
        )

    def learn(self, wanted: Wanted) -> None:
        """Finds out about the values that have come since."""
        first, count = len(self.texts), int(self.vocabulary.used[0])
        if first == count:
            return
        starts = self.vocabulary.starts[first : count + 1].tolist()
        data = self.vocabulary.arena[starts[0] : starts[-1]].tobytes()
        facts = [
            self._fact(i, tag, letters, variant, data[start - starts[0] : end - starts[0]], wanted)
            for i, tag, letters, variant, start, end in zip(
                range(first, count),
                self.vocabulary.tags[first:count].tolist(),
                self.vocabulary.vrs[first:count].tolist(),
                self.vocabulary.variants[first:count].tolist(),
                starts[:-1],
                starts[1:],
                strict=True,
            )
        ]
        told = np.array(facts, np.int32).T
        self.column[first:count], self.fate[first:count], self.sign[first:count] = told[:3]
        self.shown[first:count], self.region[first:count], self.varies[first:count] = told[3:]

    def _fact(
        self, i: int, tag: int, letters: int, variant: int, data: bytes, wanted: Wanted
    ) -> tuple[int, int, int, int, int, bool]:
        """Column, fate, part in a signature, shown text, region, and whether value i varies."""
        head = self._heads.get((tag, letters, variant & 1))
        if head is None:
            head = self._head(tag, letters, bool(variant & 1), wanted)
            self._heads[tag, letters, variant & 1] = head
        text = self._text(head, data, variant >> 1)
        fate = _fate(head, text, wanted)
        self.heads.append(head)
        self.texts.append(text or "")
        shown = self._shown(head, text or "") if fate == KEPT else -1
        varies = fate == WITHHELD and head.source and head.vr in _VARY
        term = region(head.keyword, text, wanted) if text and head.derived else None
        return (
            head.column,
            fate,
            _part(i, fate, head, text or ""),
            shown,
            self._out(term) if term else -1,
            varies,
        )

    def _head(self, tag: int, letters: int, signed: bool, wanted: Wanted) -> KnownHead:
        keyword, known = public(tag) if tag != SYNTAX_TAG else ("TransferSyntaxUID", "UI")
        written = vr_of(letters)
        vr = one_vr(written, known, signed) if keyword else ""
        derived = keyword in wanted.derive
        if derived:
            self.columns.setdefault(region_column(keyword), len(self.columns))
        return KnownHead(
            tag=tag,
            keyword=keyword,
            vr=vr,
            column=self.columns.setdefault(keyword, len(self.columns)),
            # Of repeating groups, and of signs that are told later, the file has to be seen whole.
            plain=self.tags.setdefault(keyword, tag) != tag
            or (" or " in known and tag < SIGN and written in (None, "UN")),
            source=is_source(keyword, vr),
            repeats=may_repeat(keyword, vr, wanted.keep),
            derived=derived,
        )

    def _shown(self, head: KnownHead, text: str) -> int:
        """The number of the text that leaves the reader."""
        maker = known_maker(text) if head.keyword == "Manufacturer" else None
        return self._out(maker or text)

    def _out(self, text: str) -> int:
        self.output.append(text)
        return len(self.output) - 1

    def _text(self, head: KnownHead, data: bytes, charset: int) -> str | None:
        """The text of a value as `gathering` has it; None where that refuses."""
        if head.tag == SYNTAX_TAG:
            return data.decode("ascii", "replace").strip("\0 ")
        if not head.keyword:
            return ""
        names = self._character_sets(charset)
        if head.tag not in CODED_TAGS:
            return text_of(head.vr, data, names, True)
        sequence = Element(head.vr, 0, len(data), ByteOrder(head.vr == "", True))
        try:
            return meanings(Window(BytesSource(data)), sequence, names) if head.vr == "SQ" else ""
        except Rejection:
            return None

    def _character_sets(self, value: int) -> tuple[str, ...]:
        if not value:
            return (default_encoding,)
        start, end = self.vocabulary.starts[value - 1 : value + 1]
        assert self.vocabulary.tags[value - 1] == CHARSET_TAG
        return character_sets(self.vocabulary.arena[start:end].tobytes())


def _fate(head: KnownHead, text: str | None, wanted: Wanted) -> int:
    if head.plain or text is None or (head.tag == SYNTAX_TAG and not text):
        return PLAIN
    if not text:
        return ABSENT
    kept = head.tag == SYNTAX_TAG or is_kept(head.keyword, head.vr, text, wanted.keep)
    return KEPT if kept else WITHHELD


def _part(i: int, fate: int, head: KnownHead, text: str) -> int:
    """Value i's part in the signature of a header; 0 where no verdict hangs on it."""
    if fate == WITHHELD:
        return i + 2 if head.source and head.vr not in _VARY else PRESENT
    repeats = head.repeats and can_hold_identity(text)
    return i + 2 if fate == KEPT and (repeats or head.keyword in FACTS) else 0
