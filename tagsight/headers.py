"""From a file to an image's tags as text, without anything that names a person.

What the reader keeps of a file: keyed hashes of its identifiers, one text per public keyword,
and the names (never the values) of the keywords that it withheld.
"""

import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import BinaryIO

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_sequence_item

from tagsight.dictionary import WITHHELD_TEXT, is_identifying
from tagsight.drawable import check_drawable
from tagsight.elements import Element, Parsed, encodings, opened
from tagsight.hashing import keyed_hash
from tagsight.makers import known_maker
from tagsight.refusals import Reason, Refused
from tagsight.repeated import identities, repeating
from tagsight.texts import WITHHELD, is_registered, text_of

PIXEL_FACTS = (
    "Columns",
    "NumberOfFrames",
    "PhotometricInterpretation",
    "Rows",
    "TransferSyntaxUID",
)
_CODED = {"AnatomicRegionSequence", "PrimaryAnatomicStructureSequence", "ViewCodeSequence"}
_SHARED, _PER_FRAME = 0x52009229, 0x52009230  # functional groups
_CODE_MEANING, _PIXEL_REPRESENTATION = 0x00080104, 0x00280103
_IDENTIFY = {"AE", "DA", "DT", "LO", "PN", "SH", "UC", "UI"}  # VRs of what identifies by itself
_MAY_REPEAT = {"AE", "CS", "DA", "DT", "IS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"}

# What stands in Patient ID where everybody's was removed: such files are of unknown patients.
_NOBODY = re.compile(
    r"(?i)\W*(|0+|x+|9{3,}|n/?a|none|null|unknown|anon(ym(ous|i[sz]ed)?)?|removed)\W*"
)
_PERSONAL = {"AccessionNumber", "OtherPatientIDs", "PatientBirthDate", "PatientID"}


@dataclass(frozen=True)
class Image:
    """An image's header: hashes in hex (None where the file has none), texts, withheld keywords.

    `size` (bytes) and `mtime_ns` are those of the open file.
    """

    image: str
    instance: str | None
    series: str | None
    study: str | None
    patient: str | None
    values: dict[str, str]
    withheld: list[str]
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Rejected:
    """A file not taken: a reason of `REASONS`, and a detail without patient data."""

    reason: Reason
    detail: str = ""


@dataclass
class Gathered:
    """By keyword: texts to keep, the VR of each, and texts to withhold."""

    values: dict[str, str] = field(default_factory=dict)
    vrs: dict[str, str] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)


def read_header(path: str, key: bytes, keep: Collection[str] = ()) -> Image | Rejected:
    """Reads the header of the file at `path` (text form, see `archive.to_text`); never raises.

    `image` hashes the SOP Instance UID together with the path: shards are read by jobs that know
    nothing of each other, real archives hold one UID in several files (with different content,
    too), and rows have to be told apart whatever the number of shards. `instance` hashes the UID
    alone, so that copies can be found. `patient` hashes Patient ID
    without its issuer, which is often filled in some files only; codes for nobody have none.

    Values are as stored: multi-values joined by `\\`, padding off, numbers not reformatted, binary
    numbers in their shortest decimal form; an empty value is an absent one. A known maker goes by
    one name, so that an institution typed in its place can be told from it. Functional groups
    (shared, first frame) fill what the top level lacks. Withheld are the keywords of PS3.15
    Table E.1-1 and person names (unless in `keep`), UIDs that no standard registers, what cannot
    be decoded, what is longer than 1,024 characters, and every text in which one of the file's
    own identifying values turns up again.
    """
    try:
        with opened(path) as parsed:
            gathered = gather(parsed, frozenset(keep))
            check_drawable(parsed, gathered.values)
            _withhold_repeated(gathered, keep)
            return _image(parsed, gathered, path, key)
    except Refused as refused:
        return Rejected(refused.reason, refused.detail)


def _image(parsed: Parsed, gathered: Gathered, path: str, key: bytes) -> Image:
    uids = gathered.values | gathered.withheld

    def hashed(text: str | None) -> str | None:
        return keyed_hash(key, text) if text and text != WITHHELD else None

    patient = uids.get("PatientID", "")
    return Image(
        image=keyed_hash(key, f"{uids.get('SOPInstanceUID', '')}\0{path}"),
        instance=hashed(uids.get("SOPInstanceUID")),
        series=hashed(uids.get("SeriesInstanceUID")),
        study=hashed(uids.get("StudyInstanceUID")),
        patient=hashed(None if _NOBODY.fullmatch(patient) else patient),
        values=gathered.values,
        withheld=sorted(gathered.withheld),
        size=parsed.status.st_size,
        mtime_ns=parsed.status.st_mtime_ns,
    )


def gather(parsed: Parsed, keep: frozenset[str], frame: int = 0) -> Gathered:
    """The texts of a header; functional groups (shared, and of `frame`) fill the top level's gaps.

    Raises:
        Refused: a sequence that cannot be read.
    """
    gathered = Gathered()
    _take(gathered, parsed.elements, parsed.encodings, parsed.little, keep)
    for tag, wanted in ((_SHARED, 0), (_PER_FRAME, frame)):
        if tag in parsed.elements:
            items = _items(parsed.elements[tag], parsed.encodings)
            for groups in islice(items, wanted, wanted + 1):
                _take_groups(gathered, parsed, groups, keep)
    gathered.values["TransferSyntaxUID"] = str(parsed.syntax)
    return gathered


def _take_groups(
    gathered: Gathered, parsed: Parsed, groups: dict[int, Element], keep: frozenset[str]
) -> None:
    """Each functional group is a sequence of one item (PS3.3 C.7.6.16); private ones are left."""
    for tag, group in groups.items():
        if _public(tag)[1] == "SQ":
            for item in islice(_items(group, parsed.encodings), 1):
                _take(gathered, item, parsed.encodings, parsed.little, keep)


def _take(
    gathered: Gathered,
    elements: dict[int, Element],
    charset: list[str],
    little: bool,
    keep: frozenset[str],
) -> None:
    """Adds what is not there yet: so the top level wins over the functional groups."""
    names = tuple(encodings(elements) if 0x00080005 in elements else charset)
    signed = _is_signed(elements)
    for tag, element in elements.items():
        keyword, known = _public(tag)
        if not keyword or keyword in gathered.values or keyword in gathered.withheld:
            continue
        vr = _vr(element, known, signed)
        if vr == "SQ":
            text = _meanings(element, charset) if keyword in _CODED else ""
        elif isinstance(element.value, bytes):
            text = text_of(vr, element.value, names, little)
        else:
            continue
        if text:
            _put(gathered, keyword, vr, text, keep)


def _put(gathered: Gathered, keyword: str, vr: str, text: str, keep: frozenset[str]) -> None:
    private = _is_identifying(keyword, keep) or vr == "PN" or text == WITHHELD
    if private or (vr == "UI" and not is_registered(text)):
        gathered.withheld[keyword] = text
    else:
        gathered.values[keyword] = text
    gathered.vrs[keyword] = vr


_is_identifying = cache(is_identifying)


@cache
def _public(tag: int) -> tuple[str, str]:
    """Keyword and VR of a public tag; no keyword for private tags and group lengths."""
    if tag >> 16 & 1 or not tag & 0xFFFF:
        return "", ""
    keyword = keyword_for_tag(tag)
    return keyword, dictionary_VR(tag) if keyword else ""


def _vr(element: Element, known: str, signed: bool) -> str:
    """The file's VR, the dictionary's where the file has none or says UN; one of a choice."""
    vr = element.VR if element.VR not in (None, "UN") else known
    if " or " in vr:
        vr = "SS" if signed and "SS" in vr else vr.split(" or ")[0]
    return str(vr)


def _is_signed(elements: dict[int, Element]) -> bool:
    element = elements.get(_PIXEL_REPRESENTATION)
    return element is not None and isinstance(element.value, bytes) and 1 in element.value


def _meanings(element: Element, charset: list[str]) -> str:
    """The code meanings of a coded sequence's items, joined by `\\`."""
    found = []
    for item in _items(element, charset):
        meaning = item.get(_CODE_MEANING)
        if meaning is not None and isinstance(meaning.value, bytes):
            names = tuple(encodings(item) if 0x00080005 in item else charset)
            found.append(text_of("LO", meaning.value, names, True))
    return WITHHELD if WITHHELD in found else "\\".join(filter(None, found))


def _items(element: Element, charset: list[str]) -> Iterator[dict[int, Element]]:
    """The items of a sequence; of one that is still bytes only those asked for are parsed."""
    if isinstance(element, RawDataElement):
        yield from _unparsed_items(element, charset)
    elif element.VR == "SQ" and element.value is not None:
        yield from (dict(item.items()) for item in element.value)


def _unparsed_items(element: RawDataElement, charset: list[str]) -> Iterator[dict[int, Element]]:
    data = element.value or b""
    source = io.BytesIO(data)
    while source.tell() < len(data):
        item = _next_item(source, element, charset)
        if item is None:
            return
        yield dict(item.items())


def _next_item(source: BinaryIO, element: RawDataElement, charset: list[str]) -> Dataset | None:
    try:
        return read_sequence_item(source, element.is_implicit_VR, element.is_little_endian, charset)
    except RecursionError as error:
        raise Refused("too_deep") from error
    except Exception as error:  # as in `elements`: pydicom throws many things
        raise Refused("bad_header", type(error).__name__) from error


def _withhold_repeated(gathered: Gathered, keep: Collection[str]) -> None:
    """Withholds texts in which an identifying value of this very file turns up again.

    Free text is no such value, nor are codes, ages and sizes; and the facts that the pixels need
    stay. Stations and institutions are often named after the maker or the model: a known maker
    stays, under its one name, and models are measured against persons and their numbers alone.
    """
    sources = {
        keyword: text
        for keyword, text in gathered.withheld.items()
        if gathered.vrs[keyword] in _IDENTIFY and keyword not in WITHHELD_TEXT
    }
    persons = [t for k, t in sources.items() if gathered.vrs[k] == "PN" or k in _PERSONAL]
    texts = {
        keyword: text
        for keyword, text in gathered.values.items()
        if gathered.vrs.get(keyword) in _MAY_REPEAT and keyword not in {*PIXEL_FACTS, *keep}
    }
    model = {k: texts.pop(k) for k in ("ManufacturerModelName",) if k in texts}
    if maker := known_maker(texts.get("Manufacturer", "")):
        gathered.values["Manufacturer"] = maker
        del texts["Manufacturer"]
    found = repeating(texts, identities(sources.values()))
    for keyword in found + repeating(model, identities(persons)):
        gathered.withheld[keyword] = gathered.values.pop(keyword)
