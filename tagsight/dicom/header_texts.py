"""The texts of a parsed header: one for each public keyword, to keep or to withhold."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from pydicom.datadict import dictionary_VR, keyword_for_tag

from tagsight.dicom.part10 import CHARSET_TAG, ParsedFile, character_sets
from tagsight.dicom.privacy import WITHHELD, is_kept, judged_vr
from tagsight.dicom.tokenizer import Element, Window, items
from tagsight.dicom.values import LONGEST, as_standard, has_text, text_of
from tagsight.terms.facet_words import FacetWords

CODED_TAGS = {
    0x00082218: "AnatomicRegionSequence",
    0x00082228: "PrimaryAnatomicStructureSequence",
    0x00540220: "ViewCodeSequence",
}
# Of a sequence, whose items hold doses, times and free text, a word of a closed list alone leaves.
TRACERS, TRACERS_TAG = "RadiopharmaceuticalInformationSequence", 0x00540016
READ_SEQUENCES = frozenset([*CODED_TAGS, TRACERS_TAG])
SHARED_GROUPS, FRAME_GROUPS = 0x52009229, 0x52009230  # PS3.3 C.7.6.16
PIXEL_REPRESENTATION = 0x00280103
_CODE_MEANING, _CODE_VALUE = 0x00080104, 0x00080100
_TRACER, _TRACER_CODES = 0x00180031, 0x00540304


@dataclass
class HeaderTexts:
    """Texts to keep and texts to withhold by keyword, and the VR by which each is judged."""

    values: dict[str, str] = field(default_factory=dict)
    vrs: dict[str, str] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)


def gather(
    parsed: ParsedFile, keep: frozenset[str], frame: int = 0, words: FacetWords | None = None
) -> HeaderTexts:
    """Return the texts of a header.

    words: in which tracers are looked up; without them none is told.
    Functional groups (shared, and those of `frame`) fill what the top level lacks.
    Raises Rejection where a sequence cannot be read.
    """
    texts = HeaderTexts()
    _take(texts, parsed, parsed.elements, keep, words)
    for tag, item in ((SHARED_GROUPS, 0), (FRAME_GROUPS, frame)):
        if tag in parsed.elements:
            for groups in islice(items(parsed.window, parsed.elements[tag]), item, item + 1):
                _take_groups(texts, parsed, groups, keep, words)
    # A private one may name an institution.
    _put(texts, "TransferSyntaxUID", ("UI", "UI"), str(parsed.syntax), keep)
    return texts


def _take_groups(
    texts: HeaderTexts,
    parsed: ParsedFile,
    groups: Iterable[tuple[int, Element]],
    keep: frozenset[str],
    words: FacetWords | None,
) -> None:
    """Add the texts of functional groups: sequences of one item (PS3.3 C.7.6.16), not private."""
    for tag, group in groups:
        if public(tag)[1] == "SQ":
            for item in islice(items(parsed.window, group), 1):
                _take(texts, parsed, dict(item), keep, words)


def _take(
    texts: HeaderTexts,
    parsed: ParsedFile,
    elements: dict[int, Element],
    keep: frozenset[str],
    words: FacetWords | None,
) -> None:
    """Add the keywords that are still missing: the top level has precedence over groups."""
    window = parsed.window
    encodings = _character_sets(window, elements, parsed.encodings)
    signed = _is_signed(window, elements)
    for tag, element in elements.items():
        keyword, standard_vr = public(tag)
        if not keyword or keyword in texts.values or keyword in texts.withheld:
            continue
        vr = one_vr(element.vr, standard_vr, signed)
        if vr == "SQ":
            text = sequence_text(tag, window, element, encodings, words)
        elif has_text(vr):
            text = text_of(vr, _start_of(window, element), encodings, element.encoding.little)
        else:
            continue
        if text:
            _put(texts, keyword, (vr, judged_vr(vr, standard_vr)), text, keep)


def _start_of(window: Window, element: Element) -> bytes:
    """The bytes of a value, or enough of them to see that its text is too long."""
    return window.value(element._replace(length=min(element.length, LONGEST + 1)))


def _character_sets(
    window: Window, elements: dict[int, Element], inherited: tuple[str, ...]
) -> tuple[str, ...]:
    """The character sets that the elements name, else those of the data set they are in."""
    if CHARSET_TAG in elements:
        return character_sets(_start_of(window, elements[CHARSET_TAG]))
    return inherited


def _put(
    texts: HeaderTexts, keyword: str, vrs: tuple[str, str], text: str, keep: frozenset[str]
) -> None:
    """Add a text; vrs: by which it was read, and by which it is judged. Either can withhold it."""
    text = as_standard(*vrs, text)
    if not text:
        return
    kept = all(is_kept(keyword, vr, text, keep) for vr in vrs)
    (texts.values if kept else texts.withheld)[keyword] = text
    texts.vrs[keyword] = vrs[1]


@lru_cache(maxsize=2**14)
def public(tag: int) -> tuple[str, str]:
    """Return keyword and VR of a public tag; both empty for private tags, lengths, delimiters."""
    if tag >> 16 & 1 or not tag & 0xFFFF or tag >> 16 == 0xFFFE:
        return "", ""
    keyword = keyword_for_tag(tag)
    return keyword, dictionary_VR(tag) if keyword else ""


def one_vr(vr: str | None, standard_vr: str, signed: bool) -> str:
    """Return the file's VR, or the dictionary's where the file has none or UN, as a single VR."""
    choice = vr if vr not in (None, "UN") else standard_vr
    if " or " in choice:
        return "SS" if signed and "SS" in choice else choice.split(" or ")[0]
    return choice


def _is_signed(window: Window, elements: dict[int, Element]) -> bool:
    element = elements.get(PIXEL_REPRESENTATION)
    return element is not None and 1 in _start_of(window, element)


def sequence_text(
    tag: int,
    window: Window,
    sequence: Element,
    encodings: tuple[str, ...],
    words: FacetWords | None,
) -> str:
    """Return the text of a sequence, empty but for READ_SEQUENCES.

    Of a coded one these are the code meanings of its items, joined by `\\`, of radiopharmaceuticals
    their words (`tracers`).
    Raises Rejection where the value is no sequence.
    """
    if tag in CODED_TAGS:
        return _joined(_meanings(window, sequence, encodings))
    if tag != TRACERS_TAG or words is None:
        return ""
    named = (_names(window, dict(item), encodings) for item in items(window, sequence))
    return tracers(named, words)


def tracers(named: Iterable[Iterable[str]], words: FacetWords) -> str:
    """Return the words of radiopharmaceuticals, joined by `\\`: nothing of their texts.

    named: of each, what it is called: its name, values and meanings of its codes.

    Sources: PS3.3 C.8.4.10 and C.8.9.2 (Radiopharmaceutical, Radiopharmaceutical Code Sequence).
    """
    found = (
        words.telling(
            "tracer", None, **{TRACERS: [" ".join(name.upper().split()) for name in names]}
        )
        for names in named
    )
    return "\\".join(dict.fromkeys(filter(None, found)))


def _names(window: Window, elements: dict[int, Element], encodings: tuple[str, ...]) -> list[str]:
    """What an item on a radiopharmaceutical calls it."""
    names = [_text(window, elements, _TRACER, "LO", encodings)]
    if _TRACER_CODES in elements:
        inner = _character_sets(window, elements, encodings)
        for item in items(window, elements[_TRACER_CODES]):
            code = dict(item)
            names.append(_text(window, code, _CODE_VALUE, "SH", inner))
            names.append(_text(window, code, _CODE_MEANING, "LO", inner))
    return [name for name in names if name != WITHHELD]


def _meanings(window: Window, sequence: Element, encodings: tuple[str, ...]) -> list[str]:
    """The code meanings of a coded sequence's items."""
    return [
        _text(window, dict(item), _CODE_MEANING, "LO", encodings)
        for item in items(window, sequence)
    ]


def _text(
    window: Window, elements: dict[int, Element], tag: int, vr: str, encodings: tuple[str, ...]
) -> str:
    """The text of an element of an item, empty where it has none."""
    if tag not in elements:
        return ""
    names = _character_sets(window, elements, encodings)
    return text_of(vr, _start_of(window, elements[tag]), names, elements[tag].encoding.little)


def _joined(texts: list[str]) -> str:
    return WITHHELD if WITHHELD in texts else "\\".join(filter(None, texts))
