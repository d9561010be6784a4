"""The texts of a parsed header: one for each public keyword, to keep or to withhold."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from pydicom.datadict import dictionary_VR, keyword_for_tag

from tagsight.dicom.part10 import CHARSET_TAG, ParsedFile, character_sets
from tagsight.dicom.privacy import WITHHELD, is_kept
from tagsight.dicom.tokenizer import Element, Window, items
from tagsight.dicom.values import LONGEST, has_text, text_of

CODED_TAGS = {
    0x00082218: "AnatomicRegionSequence",
    0x00082228: "PrimaryAnatomicStructureSequence",
    0x00540220: "ViewCodeSequence",
}
SHARED_GROUPS, FRAME_GROUPS = 0x52009229, 0x52009230  # PS3.3 C.7.6.16
PIXEL_REPRESENTATION = 0x00280103
_CODE_MEANING = 0x00080104


@dataclass
class HeaderTexts:
    """Texts to keep and texts to withhold by keyword, and the VR of each."""

    values: dict[str, str] = field(default_factory=dict)
    vrs: dict[str, str] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)


def gather(parsed: ParsedFile, keep: frozenset[str], frame: int = 0) -> HeaderTexts:
    """Return the texts of a header.

    Functional groups (shared, and those of `frame`) fill what the top level lacks.
    Raises Rejection where a sequence cannot be read.
    """
    texts = HeaderTexts()
    _take(texts, parsed, parsed.elements, keep)
    for tag, item in ((SHARED_GROUPS, 0), (FRAME_GROUPS, frame)):
        if tag in parsed.elements:
            for groups in islice(items(parsed.window, parsed.elements[tag]), item, item + 1):
                _take_groups(texts, parsed, groups, keep)
    texts.values["TransferSyntaxUID"] = str(parsed.syntax)
    return texts


def _take_groups(
    texts: HeaderTexts,
    parsed: ParsedFile,
    groups: Iterable[tuple[int, Element]],
    keep: frozenset[str],
) -> None:
    """Add the texts of functional groups: sequences of one item (PS3.3 C.7.6.16), not private."""
    for tag, group in groups:
        if public(tag)[1] == "SQ":
            for item in islice(items(parsed.window, group), 1):
                _take(texts, parsed, dict(item), keep)


def _take(
    texts: HeaderTexts, parsed: ParsedFile, elements: dict[int, Element], keep: frozenset[str]
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
            text = meanings(window, element, encodings) if tag in CODED_TAGS else ""
        elif has_text(vr):
            text = text_of(vr, _start_of(window, element), encodings, element.encoding.little)
        else:
            continue
        if text:
            _put(texts, keyword, vr, text, keep)


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


def _put(texts: HeaderTexts, keyword: str, vr: str, text: str, keep: frozenset[str]) -> None:
    kept = is_kept(keyword, vr, text, keep)
    (texts.values if kept else texts.withheld)[keyword] = text
    texts.vrs[keyword] = vr


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


def meanings(window: Window, sequence: Element, encodings: tuple[str, ...]) -> str:
    """Return the code meanings of a coded sequence's items, joined by `\\`."""
    texts = []
    for item in items(window, sequence):
        elements = dict(item)
        if _CODE_MEANING in elements:
            element = elements[_CODE_MEANING]
            names = _character_sets(window, elements, encodings)
            texts.append(text_of("LO", _start_of(window, element), names, element.encoding.little))
    return WITHHELD if WITHHELD in texts else "\\".join(filter(None, texts))
