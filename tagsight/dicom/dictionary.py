"""Tables of the DICOM standard: the tag, VR and module of a keyword, the name of a UID.

The only module that uses private names of pydicom, which has no public ones for these tables.

Sources: PS3.6 (pydicom's dictionary), PS3.3 modules (`data/modules.csv`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import dictionary_VR, tag_for_keyword

from tagsight.run.package_data import rows_of


def region_column(keyword: str) -> str:
    """Return the name of the column that holds the region which a description names."""
    return f"{keyword}Region"


def words_column(keyword: str) -> str:
    """Return the name of the column that holds the words of technique in a description."""
    return f"{keyword}Words"


# Columns that the reader derives from a description (tags.derive_text), and that description.
_DESCRIPTIONS = ("StudyDescription", "SeriesDescription", "ProtocolName")
REGIONS = {region_column(keyword): keyword for keyword in _DESCRIPTIONS}
WORDS = {words_column(keyword): keyword for keyword in _DESCRIPTIONS}
DERIVED = REGIONS | WORDS


@dataclass(frozen=True)
class Attribute:
    """A DICOM attribute; `tag` as `GGGG,EEEE`, `module` empty where the standard names none."""

    keyword: str
    tag: str
    vr: str
    module: str


@cache
def attribute(keyword: str) -> Attribute:
    """Return the attribute of a public keyword; tag and VR are empty where PS3.6 lacks it.

    An attribute of a repeating group (50xx, 60xx) has the tag of the first group. Where PS3.6
    leaves a choice of VRs (`US or SS`), the first is taken. A derived column has the tag of the
    description that it is derived from and, as terms of a closed list, the VR CS.
    """
    if keyword in DERIVED:
        return Attribute(keyword, attribute(DERIVED[keyword]).tag, "CS", "")
    tag = tag_for_keyword(keyword)
    if tag is None:
        tag = repeating_groups().get(keyword)
    if tag is None:
        return Attribute(keyword, "", "", "")
    vr = dictionary_VR(tag).split(" or ")[0]
    return Attribute(
        keyword, f"{tag >> 16:04X},{tag & 0xFFFF:04X}", vr, _modules().get(keyword, "")
    )


@cache
def repeating_groups() -> dict[str, int]:
    """Return keyword → tag in the first group, for the repeating groups of PS3.6."""
    return {
        entry[4]: int(mask.replace("x", "0"), 16)
        for mask, entry in RepeatersDictionary.items()
        if entry[4]
    }


def vrs_of_tags() -> Mapping[int, str]:
    """Return tag → VR, or a choice of VRs (`US or SS`), for all single tags of PS3.6."""
    return {tag: entry[0] for tag, entry in DicomDictionary.items()}


def uid_name(uid: str) -> str | None:
    """Return the name under which PS3.6 registers a UID, None for any other UID."""
    entry = UID_dictionary.get(uid)
    return entry[0] if entry else None


def expanded_lut(segments: Sequence[int], layout: str) -> list[int]:
    """Return the entries of a segmented palette (PS3.3 C.7.9.2).

    segments: the palette's numbers; layout: their format in `struct`.
    """
    from pydicom.pixels.processing import _expand_segmented_lut

    return _expand_segmented_lut(tuple(segments), layout)


@cache
def _modules() -> dict[str, str]:
    """Keyword → module of PS3.3, the most widely used one where several hold the keyword."""
    return {row["keyword"]: row["module"] for row in rows_of("modules.csv")}
