"""How a projection looks through the body, and which side of it is imaged."""

from tagsight.content.header import ImageHeader
from tagsight.terms.facet_words import FacetWords

KEYWORDS = ("ViewCodeSequence", "ViewPosition", "PatientOrientation")
SIDE_KEYWORDS = ("ImageLaterality", "FrameLaterality", "Laterality")


def view(words: FacetWords, header: ImageHeader) -> str | None:
    """Return the view of a projection, None where the tags don't tell.

    A code of the standard precedes View Position, which people type; a lateral film is a lateral
    film from either side. Patient Orientation of a projection (where its rows and columns run to)
    tells a lateral film: its rows run to the front or the back of the patient.

    Source: PS3.3 C.8.1.1 and C.8.11.5 (View Position, View Code Sequence), C.7.6.1.1.1 (Patient
    Orientation); PS3.16 CID 4010, CID 4014.
    """
    stated = {key: header.words(key) for key in KEYWORDS[:2]}
    return words.first("view", header.kind, **stated) or _turned(header)


def _turned(header: ImageHeader) -> str | None:
    """LAT where rows run to the front or back and columns to the feet or the head."""
    orientation = header.words("PatientOrientation")
    if header.kind == "MG" or len(orientation) != 2:
        return None
    row, column = orientation
    return "LAT" if row in ("A", "P") and column in ("F", "H") else None


def side(words: FacetWords, header: ImageHeader) -> str | None:
    """Return R, L or B (both), None where the part is unpaired or the tags don't tell.

    Source: PS3.3 C.7.6.1 (Image Laterality), C.7.3.1 (Laterality), C.7.6.16.2.8 (Frame Laterality).
    """
    return words.first("side", header.kind, **{key: header.words(key) for key in SIDE_KEYWORDS})
