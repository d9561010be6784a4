"""What may leave the reader, decided in this one place, for files and for ready tables.

What leaves, as it is in the header:
- the value of a public attribute that is not a person's name, not in PS3.15 Table E.1-1, not free
  text, and, if it is a UID, registered by the standard (`is_kept`), if
- its text can be read, is not too long and has the form of its VR (`is_presentable`), which is the
  dictionary's whatever a file states (`judged_vr`), and
- it does not repeat an identifying value of the same image (`repeating`), in any way of writing
  it (`identities`).

What leaves in another form:
- SOP Instance, Series and Study Instance UID and Patient ID as keyed hashes (`identifier_hash`),
- the region of the body and the words of technique that a withheld description names, as terms
  of closed lists, if the config asks for them (`headers.region`, `headers.words`),
- the meaning of the code in three sequences on anatomy and view (`header_texts.CODED_TAGS`),
- of the sequence on radiopharmaceuticals a word of a closed list for each (`header_texts.tracers`),
- an age above 89 years as 90 (`in_public`),
- the keyword of each value that is withheld, never the value.

Beside the header two things are kept as they are: the path of the file, in columns `path` alone,
and of a ready table the `site` that the config names. Nothing else leaves. Private attributes,
pixels, overlays and other bulk values never become text. `keep` is the config's `privacy.keep`:
keywords whose values leave although Table E.1-1 lists them, or although they are free text. A
person's name never leaves.

Sources: PS3.15 Table E.1-1 (basic application level confidentiality profile, 2023, as packaged in
dicom-anonymizer), PS3.6 (registered UIDs, VRs), PS3.5 6.2 (VRs, names of persons).
"""

import re
from collections.abc import Collection, Mapping
from functools import cache, lru_cache

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2023
from pydicom.datadict import keyword_for_tag

from tagsight.dicom.dictionary import attribute, repeating_groups, uid_name
from tagsight.dicom.identities import CLOCKS, LONG, NUMBERS, containing, searchable, written_forms
from tagsight.run.hashing import keyed_hash
from tagsight.terms.defined_terms import is_defined_term
from tagsight.terms.manufacturers import known_maker

WITHHELD = "\0"  # in place of a value that cannot or must not be shown; no real value equals it
MAX_LENGTH = 1024  # characters of a value

# Keywords of Table E.1-1 that describe rather than identify: withheld too, but the reason given
# for leaving them out is that they are free text.
WITHHELD_TEXT = frozenset(
    {
        "AcquisitionComments",
        "AcquisitionProtocolDescription",
        "AdditionalPatientHistory",
        "AdmittingDiagnosesDescription",
        "BolusDescription",
        "CommentsOnThePerformedProcedureStep",
        "ContrastBolusAgent",
        "DerivationDescription",
        "DeviceDescription",
        "FrameComments",
        "ImageComments",
        "ImagePresentationComments",
        "PatientComments",
        "PerformedProcedureStepDescription",
        "ProtocolName",
        "ReasonForStudy",
        "ReasonForTheRequestedProcedure",
        "RequestedContrastAgent",
        "RequestedProcedureComments",
        "RequestedProcedureDescription",
        "ScheduledProcedureStepDescription",
        "SeriesDescription",
        "StudyComments",
        "StudyDescription",
        "VisitComments",
    }
)

# What drawing an image needs: numbers and terms of the standard, never compared.
PIXEL_FACTS = (
    "Columns",
    "NumberOfFrames",
    "PhotometricInterpretation",
    "Rows",
    "TransferSyntaxUID",
)

_FREE = frozenset({"LT", "ST", "UR", "UT"})  # VRs of free text
_HAND_TYPED = frozenset({"AE", "LO", "SH", "UC"})  # VRs of other values that people type
_FORMAL = frozenset({"AS", "DA", "DS", "DT", "IS", "TM"})  # VRs of numbers, dates, times, ages
_IDENTIFYING = frozenset({"AE", "DA", "DT", "LO", "PN", "SH", "UC", "UI"})  # each value by itself
# VRs of values that may repeat an identifying one.
_REPEATING = frozenset({*_FREE, *_HAND_TYPED, *NUMBERS, *CLOCKS, "CS", "DA", "DT", "SQ"})
_MEASURES = frozenset({"Columns", "NumberOfFrames", "Rows"})  # without them nothing can be drawn
_PERSONAL = frozenset({"AccessionNumber", "OtherPatientIDs", "PatientBirthDate", "PatientID"})

_WORD = re.compile(r"[^\W\d_]{3}")
_UNIT_OR_NOTHING = re.compile(
    r"(?i)[\s\d.,+-]+[^\W\d_]{1,4}\s*|unknown|none|null|nan|[+-]?inf(inity)?"
)
_AGE = re.compile(r"(?P<number>\d+(?:[.,]\d*)?)\s*(?P<unit>[^\W\d_]*)")
_A_YEAR = {"D": 365.25, "W": 52.18, "M": 12}  # units of an age (PS3.5 6.2, AS) in a year
OLDEST = "090Y"
# Placeholders in Patient ID: the patients of such files are unknown.
_PLACEHOLDER = re.compile(
    r"(?i)[\W_]*(|0+|x+|9{3,}|n/?a|nil|none|null|blank|missing|unknown|undefined|"
    r"not (known|given|available)|unbekannt|inconnue?|desconocido|sconosciuto|removed|"
    r"no ?(patient ?)?(id|name)|anon(ym(e|ous|i[sz]ed|isiert)?)?([ _]patient)?|"
    r"de-?identified)[\W_]*"
)


def is_identifying(keyword: str, keep: Collection[str] = ()) -> bool:
    """Return whether an attribute is withheld whatever its value is, unless it is in `keep`.

    True for all of PS3.15 Table E.1-1, whatever its action, for its repeating groups, for every
    person's name, and for free text. UIDs outside the table are judged by value (`is_kept`).
    """
    return keyword not in keep and _identifies(keyword)


@cache
def _identifies(keyword: str) -> bool:
    return keyword in table_e1_keywords() or attribute(keyword).vr in {"PN", *_FREE}


@cache
def table_e1_keywords() -> frozenset[str]:
    """Return the keywords of Table E.1-1, with all repeating groups of PS3.6 that it masks."""
    exact = {keyword_for_tag(t) for t in dicomfields_2023.ALL_TAGS if len(t) == 2}
    masked = [t for t in dicomfields_2023.ALL_TAGS if len(t) == 4]
    repeating_keywords = {
        keyword
        for keyword, tag in repeating_groups().items()
        for group, element, group_mask, element_mask in masked
        if (tag >> 16) & group_mask == group and tag & 0xFFFF & element_mask == element
    }
    return frozenset((exact | repeating_keywords) - {""})


def is_free_text(keyword: str) -> bool:
    """Return whether an attribute is withheld because it is text, not because of what it names."""
    unlisted = keyword not in table_e1_keywords() and attribute(keyword).vr in _FREE
    return keyword in WITHHELD_TEXT or unlisted


def is_for_display_only(keyword: str) -> bool:
    """Return whether a value that is in `keep` may only be displayed for people to read.

    True for free text, and for what people type into attributes of Table E.1-1 (descriptions, names
    of places and devices): it may be in no list of values, no feature and no card.
    """
    vr = attribute(keyword).vr
    return vr in _FREE or (keyword in table_e1_keywords() and vr in _HAND_TYPED)


def is_kept(keyword: str, vr: str, text: str, keep: Collection[str]) -> bool:
    """Return whether a value may leave the reader, judged by itself."""
    if text == WITHHELD or vr == "PN" or is_identifying(keyword, keep):
        return False
    return vr != "UI" or is_registered(text)


def is_registered(uids: str) -> bool:
    """Return whether PS3.6 registers each UID (`\\` between them), so that it names no instance."""
    return all(uid_name(uid) is not None for uid in uids.split("\\"))


def is_presentable(vr: str, text: str) -> bool:
    """Return whether a text was decoded without loss, is not too long, and has the form of its VR.

    Words in the place of a number, a date, a time or an age may be a name. A number with its unit
    and the words for a missing value pass, but for ages: one without a number is withheld.
    """
    if "\ufffd" in text or len(text) > MAX_LENGTH:
        return False
    parts = text.split("\\")
    if vr == "AS" and any(part.strip() and not re.search(r"\d", part) for part in parts):
        return False
    if vr not in _FORMAL or not _WORD.search(text):
        return True
    return all(_UNIT_OR_NOTHING.fullmatch(part) or not _WORD.search(part) for part in parts)


def judged_vr(vr: str, standard_vr: str) -> str:
    """Return the VR by which a value is judged: the dictionary's, whatever a file calls it.

    vr: by which the file's bytes are read; standard_vr: the dictionary's, or a choice of several.
    A file may call a Patient ID a code, or a number a text: it stays what the standard says. What
    a file calls a person's name names one, too.
    """
    choices = standard_vr.split(" or ")
    named = vr == "PN" and choices[0] not in _IDENTIFYING
    return vr if vr in choices or named else choices[0]


def identifies_alone(keyword: str, vr: str) -> bool:
    """Return whether a withheld value identifies by itself, unlike free text, codes and ages."""
    return vr in _IDENTIFYING and keyword not in WITHHELD_TEXT


def may_repeat(keyword: str, vr: str, keep: Collection[str]) -> bool:
    """Return whether values of an attribute are compared with identifying ones.

    Whoever keeps an attribute that names a patient (`keep`) wants that name.
    """
    return vr in _REPEATING and keyword not in _MEASURES and not _is_kept_name(keyword, keep)


def _is_kept_name(keyword: str, keep: Collection[str]) -> bool:
    return keyword in _PERSONAL and keyword in keep


@lru_cache(maxsize=2**14)
def searched(keyword: str, vr: str, text: str) -> str:
    """Return what of a value is looked through for identifying texts, see `identities.searchable`.

    A term that the standard defines for the attribute is none, whatever a patient is called.
    """
    if vr == "CS":
        items = [item for item in text.split("\\") if not is_defined_term(keyword, item)]
        text = "\\".join(items)
    return searchable(vr, text)


def repeating(
    shown: Mapping[str, str],
    withheld: Mapping[str, str],
    vrs: Mapping[str, str],
    keep: Collection[str],
) -> list[str]:
    """Return the keywords of values that repeat an identifying value of the same image.

    shown, withheld: texts of the image by keyword; vrs: the VR of each.
    Stations and institutions are often named after the maker or the model, dates are often equal,
    and short numbers are equal by chance: so a known maker is always shown, and a model, a kept
    attribute and a number are compared only with what is of persons (their names and numbers), a
    number also with what is long.
    """
    every, persons = set[str](), set[str]()
    for keyword, text in withheld.items():
        vr = vrs[keyword]
        if text and identifies_alone(keyword, vr):
            forms = written_forms(keyword, vr, text)
            every |= forms
            persons |= forms if vr == "PN" or keyword in _PERSONAL else frozenset()
    texts = {
        keyword: searched(keyword, vrs.get(keyword, ""), text)
        for keyword, text in shown.items()
        if may_repeat(keyword, vrs.get(keyword, ""), keep)
    }
    if known_maker(shown.get("Manufacturer", "")):
        texts.pop("Manufacturer", None)
    numbers = {k for k in texts if vrs.get(k, "") in NUMBERS}
    careful = {k for k in texts if k == "ManufacturerModelName" or k in keep}
    parts = (
        (texts.keys() - numbers - careful, every),
        (numbers - careful, persons | {form for form in every if len(form) >= LONG}),
        (careful, persons),
    )
    found = {k for keys, forms in parts for k in containing({k: texts[k] for k in keys}, forms)}
    return [keyword for keyword in texts if keyword in found]


def in_public(keyword: str, vr: str, text: str) -> str:
    """Return a value that may leave in the form in which it does.

    A known maker has one name. An age above 89 years is 90 (45 CFR 164.514 (b)(2)(i)(C): all ages
    above 89 in one category).
    """
    if keyword == "Manufacturer":
        return known_maker(text) or text
    return "\\".join(map(_capped_age, text.split("\\"))) if vr == "AS" else text


def _capped_age(text: str) -> str:
    """An age in any writing (`>91Y`, `91Y05M`): the oldest if a number in it is above 89 years."""
    ages = (
        float(age["number"].replace(",", ".")) / _A_YEAR.get(age["unit"][:1].upper(), 1)
        for age in _AGE.finditer(text)
    )
    return OLDEST if any(years >= 90 for years in ages) else text


def identifier_hash(key: bytes, text: str | None) -> str | None:
    """Return the keyed hash of an identifier; None where it is absent or cannot be read."""
    return keyed_hash(key, text) if text and text != WITHHELD else None


def image_hash(key: bytes, uid: str | None, path: str) -> str:
    """Return the hash of an image: of its SOP Instance UID and its path, see `read_header`."""
    return keyed_hash(key, f"{uid or ''}\0{path}")


def patient_hash(key: bytes, text: str | None) -> str | None:
    """Return the hash of a Patient ID; None for placeholders such as `ANON`."""
    return None if text is None or _PLACEHOLDER.fullmatch(text) else identifier_hash(key, text)
