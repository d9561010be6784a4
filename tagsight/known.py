"""What the values of a vocabulary mean: column, text and fate of each, found out once."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from pydicom.charset import default_encoding

from tagsight import scan
from tagsight.elements import CHARSET_TAG, SYNTAX_TAG, InMemory, character_sets
from tagsight.gathering import CODED_TAGS, is_kept, meanings, one_vr, public
from tagsight.gathering import PIXEL_REPRESENTATION as SIGN
from tagsight.headers import Wanted, is_source, may_repeat, region, region_column
from tagsight.makers import known_maker
from tagsight.refusals import Refused
from tagsight.texts import text_of
from tagsight.tokens import Element, Encoding, Window

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
SHORTEST = 4  # characters of a text that can repeat an identifying one, see `repeated`
_VARY = ("UI", "DT")  # VRs of identifying values that differ from file to file

_of_values = partial(np.zeros, scan.MAX_VALUES + 1, np.int32)
_none = partial(np.full, scan.MAX_VALUES + 1, -1, np.int32)


@dataclass
class Known:
    """The meaning of each value of `vocabulary`, in its order; the last place of arrays is for -1.

    column: int32, its place in `columns`. fate: int32. sign: int32, its part in a signature. shown,
    region: int32, the number in `output` of the text that leaves the reader, and of the region that
    a description names. varies: bool, identifying and different from file to file.
    """

    generation: int
    vocabulary: scan.Vocabulary = field(default_factory=scan.vocabulary)
    keywords: list[str] = field(default_factory=list)
    vrs: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    columns: dict[str, int] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    column: np.ndarray = field(default_factory=_of_values)
    fate: np.ndarray = field(default_factory=_of_values)
    sign: np.ndarray = field(default_factory=_of_values)
    shown: np.ndarray = field(default_factory=_none)
    region: np.ndarray = field(default_factory=_none)
    varies: np.ndarray = field(default_factory=partial(np.zeros, scan.MAX_VALUES + 1, np.bool_))

    def is_full(self) -> bool:
        """Whether it is time to begin a new one."""
        return self.vocabulary.used[0] > scan.MAX_VALUES * 3 // 4 or (
            self.vocabulary.starts[self.vocabulary.used[0]] > scan.MAX_ARENA * 3 // 4
        )

    def learn(self, wanted: Wanted) -> None:
        """Finds out about the values that have come since."""
        first, count = len(self.texts), int(self.vocabulary.used[0])
        if first == count:
            return
        starts = self.vocabulary.starts[first : count + 1].tolist()
        data = self.vocabulary.arena[starts[0] : starts[-1]].tobytes()
        heads = zip(
            self.vocabulary.tags[first:count].tolist(),
            self.vocabulary.vrs[first:count].tolist(),
            self.vocabulary.variants[first:count].tolist(),
            strict=True,
        )
        for i, (tag, letters, variant) in enumerate(heads):
            value = data[starts[i] - starts[0] : starts[i + 1] - starts[0]]
            self._add(first + i, tag, letters, variant, value, wanted)

    def _add(
        self, i: int, tag: int, letters: int, variant: int, data: bytes, wanted: Wanted
    ) -> None:
        keyword, known = public(tag)
        written = chr(letters >> 8) + chr(letters & 255) if letters else None
        vr = one_vr(written, known, bool(variant & 1)) if keyword else ""
        text, fate = self._meaning(tag, keyword, vr, variant, data, wanted)
        if " or " in known and tag < SIGN and written in (None, "UN"):
            fate = PLAIN
        if self.tags.setdefault(keyword, tag) != tag and keyword:
            fate = PLAIN  # a repeating group: which of them stands hangs on the file
        self.keywords.append(keyword)
        self.vrs.append(vr)
        self.texts.append(text)
        self.column[i] = self.columns.setdefault(keyword, len(self.columns))
        self.fate[i] = fate
        self.sign[i], self.varies[i] = _signature(i, fate, keyword, vr, text, wanted)
        if fate == KEPT:
            maker = known_maker(text) if keyword == "Manufacturer" else None
            self.shown[i] = self._out(maker or text)
        if keyword in wanted.derive and (term := region(keyword, text, wanted)):
            self.region[i] = self._out(term)
            self.columns.setdefault(region_column(keyword), len(self.columns))

    def _out(self, text: str) -> int:
        self.output.append(text)
        return len(self.output) - 1

    def _meaning(
        self, tag: int, keyword: str, vr: str, variant: int, data: bytes, wanted: Wanted
    ) -> tuple[str, int]:
        """Text and fate, as `gathering` has them."""
        if tag == SYNTAX_TAG:
            text = data.decode("ascii", "replace").strip("\0 ")
            return text, KEPT if text else PLAIN
        if not keyword:
            return "", ABSENT
        names = self._character_sets(variant >> 1)
        try:
            if tag in CODED_TAGS:
                sequence = Element(vr, 0, len(data), Encoding(vr == "", True))
                text = meanings(Window(InMemory(data)), sequence, names) if vr == "SQ" else ""
            else:
                text = text_of(vr, data, names, True)
        except Refused:
            return "", PLAIN
        if not text:
            return "", ABSENT
        return text, KEPT if is_kept(keyword, vr, text, wanted.keep) else WITHHELD

    def _character_sets(self, value: int) -> tuple[str, ...]:
        if not value:
            return (default_encoding,)
        start, end = self.vocabulary.starts[value - 1 : value + 1]
        assert self.vocabulary.tags[value - 1] == CHARSET_TAG
        return character_sets(self.vocabulary.arena[start:end].tobytes())


def _signature(
    i: int, fate: int, keyword: str, vr: str, text: str, wanted: Wanted
) -> tuple[int, bool]:
    """Value i's part in the signature of a header, and whether it is to be measured by itself."""
    if fate == WITHHELD:
        if not is_source(keyword, vr):
            return PRESENT, False
        return (PRESENT, True) if vr in _VARY else (i + 2, False)
    if fate == KEPT and keyword in FACTS:
        return i + 2, False
    repeats = fate == KEPT and len(text) >= SHORTEST and may_repeat(keyword, vr, wanted.keep)
    return (i + 2 if repeats else 0), False
