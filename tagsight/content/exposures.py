"""X-ray: angle of the C-arm, fluoroscopy or run, raw or processed, tomosynthesis; CT thickness."""

from tagsight.content.header import ImageHeader

TILT, LATERAL = 15.0, 75.0  # degrees: straight up to the first, lateral from the second on
THIN, THICK = 1.5, 4.0  # mm
_ACROSS = ("RAO", "AP", "LAO", "LAT")
_ALONG = ("", " CRA", " CAU")
ANGLES = tuple(across + along for across in _ACROSS for along in _ALONG)
ANGLE_KEYWORDS = ("PositionerPrimaryAngle", "PositionerSecondaryAngle")
THICKNESSES = ("thin", "medium", "thick")
RUNS = ("fluoro", "cine")
_TOMOSYNTHESIS = "1.2.840.10008.5.1.4.1.1.13.1.3"
MAMMOGRAMS = ("tomo", "synthetic")
_SYNTHETIC = ("GENERATED_2D", "TOMO_2D", "C-VIEW", "SYNTHESIZED_2D")
_GIVEN = ("ContrastBolusVolume", "ContrastBolusTotalDose", "ContrastFlowRate")
CONTRAST_KEYWORDS = ("ContrastBolusAgent", "ContrastBolusRoute", "withheld", *_GIVEN)
_NONE = ("NO", "NON", "NONE", "NO CONTRAST", "WITHOUT", "OHNE", "SANS", "NATIV", "NATIVE", "0")


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


def run(header: ImageHeader) -> str | None:
    """Return fluoro or cine.

    Source: PS3.3 C.8.7.2 (Radiation Setting: SC for low dose, GR for diagnostic quality).
    """
    if header.has("RadiationSetting", "SC"):
        return "fluoro"
    return "cine" if header.has("RadiationSetting", "GR") else None


def intent(header: ImageHeader) -> str | None:
    """Return raw for data of the detector that no person is to read (for processing), else None.

    Source: PS3.3 C.8.11.1 (Presentation Intent Type).
    """
    return "raw" if header.has("PresentationIntentType", "FOR PROCESSING") else None


def mammogram(header: ImageHeader) -> str | None:
    """Return tomo for a tomosynthesis, synthetic for a picture computed from one, else None.

    Source: PS3.3 A.55 (Breast Tomosynthesis), C.8.11.7.1.4 (Image Type).
    """
    if header.has("SOPClassUID", _TOMOSYNTHESIS) or header.has("ImageType", "TOMOSYNTHESIS"):
        return "tomo"
    return "synthetic" if header.has("ImageType", *_SYNTHETIC) else None


def thickness(header: ImageHeader) -> str | None:
    """Return thin (to 1.5 mm), medium or thick (from 4 mm) for the thickness of a section.

    Source: PS3.3 C.7.6.2 (Slice Thickness); ACR-SPR-STR practice parameter for thoracic CT (thin
    sections: 1.5 mm or less), routine body CT of 5 mm.
    """
    number = header.number("SliceThickness")
    if number is None:
        return None
    return "thin" if number <= THIN else "thick" if number >= THICK else "medium"


def contrast(header: ImageHeader) -> str | None:
    """Return C+ where a contrast agent is in the picture, C- where its tag says that none is.

    The agent is free text, which stays in the reader: `withheld` says that there is one. A header
    without the tag says nothing: it may have been taken out.

    Source: PS3.3 C.7.6.4 (Contrast/Bolus: present where contrast media was used).
    """
    agent = header.words("ContrastBolusAgent")
    if agent:
        return "C-" if agent[0] in _NONE else "C+"
    used = header.has("withheld", "CONTRASTBOLUSAGENT") or header.words("ContrastBolusRoute")
    given = (header.number(keyword) or 0 for keyword in _GIVEN)
    return "C+" if used or any(amount > 0 for amount in given) else None
