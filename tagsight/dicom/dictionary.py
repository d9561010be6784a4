"""What the DICOM standard says of a keyword: tag, VR, module, and whether it may identify someone.

Sources: PS3.6 (pydicom's dictionary), PS3.3 modules (`data/modules.csv`), PS3.15 Table E.1-1
(basic application level confidentiality profile, as packaged in dicom-anonymizer).
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2023
from pydicom._dicom_dict import RepeatersDictionary
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from tagsight.run.package_data import rows_of

# Keywords of the confidentiality profile that describe rather than identify: withheld all the
# same, and called free text when it is said why a tag was left out.
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


# Columns that the reader derives of a description (tags.derive_text), and that description.
DERIVED = {
    f"{keyword}Region": keyword
    for keyword in ("StudyDescription", "SeriesDescription", "ProtocolName")
}


_FREE = frozenset({"LT", "ST", "UR", "UT"})  # VRs of free text
_TYPED = frozenset({"AE", "LO", "SH", "UC"})  # VRs of the other things that people type


@dataclass(frozen=True)
class Attribute:
    """A DICOM attribute; `tag` as `GGGG,EEEE`, `module` empty where the standard names none."""

    keyword: str
    tag: str
    vr: str
    module: str


@cache
def attribute(keyword: str) -> Attribute:
    """The attribute of a public keyword; a keyword unknown to PS3.6 has empty tag and VR.

    An attribute of a repeating group (50xx, 60xx) is given by its first group. Where PS3.6 leaves
    a choice of VRs (`US or SS`) the first stands. A derived column has the tag of the description
    that it was derived of, and as a term of a closed list the VR CS.
    """
    if keyword in DERIVED:
        return Attribute(keyword, attribute(DERIVED[keyword]).tag, "CS", "")
    tag = tag_for_keyword(keyword)
    if tag is None:
        tag = _repeating().get(keyword)
    if tag is None:
        return Attribute(keyword, "", "", "")
    vr = dictionary_VR(tag).split(" or ")[0]
    return Attribute(
        keyword, f"{tag >> 16:04X},{tag & 0xFFFF:04X}", vr, _modules().get(keyword, "")
    )


def is_identifying(keyword: str, keep: Collection[str] = ()) -> bool:
    """Whether the keyword's value has to be withheld, unless it is in `keep`.

    True for all of PS3.15 Table E.1-1, whatever its action, for its repeating groups, for every
    person name, and for free text. UIDs outside the table are judged by value: see `headers`.
    """
    if keyword in keep:
        return False
    return keyword in _listed() or attribute(keyword).vr in {"PN", *_FREE}


def is_free_text(keyword: str) -> bool:
    """Whether a value is withheld because it is text, and not because it identifies by its kind."""
    unlisted = keyword not in _listed() and attribute(keyword).vr in _FREE
    return keyword in WITHHELD_TEXT or unlisted


def is_for_reading(keyword: str) -> bool:
    """Whether a value that `privacy.keep` lets out is for people to read and nothing else.

    True for free text, and for what people type into attributes of Table E.1-1 (descriptions, names
    of places and devices): no list of values, no feature and no card may be made of it.
    """
    vr = attribute(keyword).vr
    return vr in _FREE or (keyword in _listed() and vr in _TYPED)


@cache
def _listed() -> frozenset[str]:
    """Keywords of Table E.1-1; its masked entries spread over the repeating groups of PS3.6."""
    exact = {keyword_for_tag(t) for t in dicomfields_2023.ALL_TAGS if len(t) == 2}
    masked = [t for t in dicomfields_2023.ALL_TAGS if len(t) == 4]
    repeating = {
        keyword
        for keyword, tag in _repeating().items()
        for group, element, group_mask, element_mask in masked
        if (tag >> 16) & group_mask == group and tag & 0xFFFF & element_mask == element
    }
    return frozenset((exact | repeating) - {""})


@cache
def _repeating() -> dict[str, int]:
    """Keyword → tag in the first group, for the repeating groups of PS3.6."""
    return {
        entry[4]: int(mask.replace("x", "0"), 16)
        for mask, entry in RepeatersDictionary.items()
        if entry[4]
    }


@cache
def _modules() -> dict[str, str]:
    """Keyword → module of PS3.3, the most widely used one where several hold the keyword."""
    return {row["keyword"]: row["module"] for row in rows_of("modules.csv")}
