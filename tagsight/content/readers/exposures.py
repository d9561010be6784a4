"""X-ray: angle of the C-arm, raw or processed, thickness of a section."""

from tagsight.content.header import ImageHeader
from tagsight.terms.facet_words import FacetWords

TILT, LATERAL = 15.0, 75.0  # degrees: straight up to the first, lateral from the second on
THIN, THICK = 1.5, 4.0  # mm
_ACROSS = ("RAO", "AP", "LAO", "LAT")
_ALONG = ("", " CRA", " CAU")
ANGLES = tuple(across + along for across in _ACROSS for along in _ALONG)
ANGLE_KEYWORDS = ("PositionerPrimaryAngle", "PositionerSecondaryAngle")
THICKNESSES = ("thin", "medium", "thick")


def angle(header: ImageHeader) -> str | None:
    """Return the angle of the C-arm: RAO, AP, LAO or LAT, and CRA or CAU where it is tilted.

    Source: PS3.3 C.8.7.5.1.2 (Positioner Primary Angle: RAO to LAO is -90 to +90 degrees;
    Secondary Angle: CAU to CRA is -90 to +90 degrees).
    """
    primary = header.number("PositionerPrimaryAngle")
    if primary is None:
        return None
    secondary = header.number("PositionerSecondaryAngle") or 0.0
    along = "" if abs(secondary) < TILT else (" CRA" if secondary > 0 else " CAU")
    if abs(primary) < TILT:
        return "AP" + along
    return ("LAT" if abs(primary) >= LATERAL else "LAO" if primary > 0 else "RAO") + along


def intent(words: FacetWords, header: ImageHeader) -> str | None:
    """Return raw for data of the detector that no person is to read (for processing), else None.

    Source: PS3.3 C.8.11.1 (Presentation Intent Type).
    """
    stated = header.words("PresentationIntentType")
    return words.first("intent", header.kind, PresentationIntentType=stated)


def thickness(header: ImageHeader) -> str | None:
    """Return thin (to 1.5 mm), medium or thick (from 4 mm) for the thickness of a section.

    Source: PS3.3 C.7.6.2 (Slice Thickness); ACR-SPR-STR practice parameter for thoracic CT (thin
    sections: 1.5 mm or less), routine body CT of 5 mm.
    """
    number = header.number("SliceThickness")
    if number is None:
        return None
    return "thin" if number <= THIN else "thick" if number >= THICK else "medium"
