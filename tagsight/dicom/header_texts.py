"""From a parsed header to its texts: one for each public keyword, to keep or to withhold."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from pydicom.datadict import dictionary_VR, keyword_for_tag

from tagsight.dicom.part10 import CHARSET_TAG, Parsed, character_sets
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
class Gathered:
    """By keyword: texts to keep, the VR of each, and texts to withhold."""

    values: dict[str, str] = field(default_factory=dict)
    vrs: dict[str, str] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)


def gather(parsed: Parsed, keep: frozenset[str], frame: int = 0) -> Gathered:
    """The texts of a header; functional groups (shared, and of `frame`) fill the top level's gaps.

    Raises:
        Refused: a sequence that cannot be read.
    """
    gathered = Gathered()
    _take(gathered, parsed, parsed.elements, keep)
    for tag, wanted in ((SHARED_GROUPS, 0), (FRAME_GROUPS, frame)):
        if tag in parsed.elements:
            for groups in islice(items(parsed.window, parsed.elements[tag]), wanted, wanted + 1):
                _take_groups(gathered, parsed, groups, keep)
    gathered.values["TransferSyntaxUID"] = str(parsed.syntax)
    return gathered


def _take_groups(
    gathered: Gathered,
    parsed: Parsed,
    groups: Iterable[tuple[int, Element]],
    keep: frozenset[str],
) -> None:
    """Each functional group is a sequence of one item (PS3.3 C.7.6.16); private ones are left."""
    for tag, group in groups:
        if public(tag)[1] == "SQ":
            for item in islice(items(parsed.window, group), 1):
                _take(gathered, parsed, dict(item), keep)


def _take(
    gathered: Gathered, parsed: Parsed, elements: dict[int, Element], keep: frozenset[str]
) -> None:
    """Adds what is not there yet: so the top level wins over the functional groups."""
    window = parsed.window
    names = _character_sets(window, elements, parsed.encodings)
    signed = _is_signed(window, elements)
    for tag, element in elements.items():
        keyword, known = public(tag)
        if not keyword or keyword in gathered.values or keyword in gathered.withheld:
            continue
        vr = one_vr(element.vr, known, signed)
        if vr == "SQ":
            text = meanings(window, element, names) if tag in CODED_TAGS else ""
        elif has_text(vr):
            text = text_of(vr, _start_of(window, element), names, element.encoding.little)
        else:
            continue
        if text:
            _put(gathered, keyword, vr, text, keep)


def _start_of(window: Window, element: Element) -> bytes:
    """The bytes of a value, or so many of them that its text is seen to be too long."""
    return window.value(element._replace(length=min(element.length, LONGEST + 1)))


def _character_sets(
    window: Window, elements: dict[int, Element], around: tuple[str, ...]
) -> tuple[str, ...]:
    """Those that the elements name, else those of the data set `around` them."""
    if CHARSET_TAG in elements:
        return character_sets(_start_of(window, elements[CHARSET_TAG]))
    return around


def _put(gathered: Gathered, keyword: str, vr: str, text: str, keep: frozenset[str]) -> None:
    kept = is_kept(keyword, vr, text, keep)
    (gathered.values if kept else gathered.withheld)[keyword] = text
    gathered.vrs[keyword] = vr


@lru_cache(maxsize=2**14)
def public(tag: int) -> tuple[str, str]:
    """Keyword and VR of a public tag; no keyword for private tags, lengths and delimiters."""
    if tag >> 16 & 1 or not tag & 0xFFFF or tag >> 16 == 0xFFFE:
        return "", ""
    keyword = keyword_for_tag(tag)
    return keyword, dictionary_VR(tag) if keyword else ""


def one_vr(vr: str | None, known: str, signed: bool) -> str:
    """The file's VR, the dictionary's where the file has none or says UN; one of a choice."""
    chosen = vr if vr not in (None, "UN") else known
    if " or " in chosen:
        return "SS" if signed and "SS" in chosen else chosen.split(" or ")[0]
    return chosen


def _is_signed(window: Window, elements: dict[int, Element]) -> bool:
    element = elements.get(PIXEL_REPRESENTATION)
    return element is not None and 1 in _start_of(window, element)


def meanings(window: Window, sequence: Element, names: tuple[str, ...]) -> str:
    """The code meanings of a coded sequence's items, joined by `\\`."""
    found = []
    for item in items(window, sequence):
        elements = dict(item)
        if _CODE_MEANING in elements:
            element = elements[_CODE_MEANING]
            own = _character_sets(window, elements, names)
            found.append(text_of("LO", _start_of(window, element), own, element.encoding.little))
    return WITHHELD if WITHHELD in found else "\\".join(filter(None, found))
