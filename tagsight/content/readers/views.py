"""How a projection looks through the body, and which side of it is imaged."""

from tagsight.content.header import ImageHeader

# Meanings of view codes -> the terms of View Position. PS3.16 CID 4010 (projections of DX), CID
# 4014 (mammography), as the reader keeps Code Meaning alone.
_CODES = {
    "CRANIO-CAUDAL": "CC",
    "CRANIO CAUDAL": "CC",
    "CRANIOCAUDAL": "CC",
    "MEDIO-LATERAL OBLIQUE": "MLO",
    "MEDIOLATERAL OBLIQUE": "MLO",
    "MEDIO-LATERAL": "ML",
    "MEDIOLATERAL": "ML",
    "LATERO-MEDIAL": "LM",
    "LATEROMEDIAL": "LM",
    "LATERO-MEDIAL OBLIQUE": "LMO",
    "CAUDO-CRANIAL (FROM BELOW)": "FB",
    "CAUDO-CRANIAL": "FB",
    "FROM BELOW": "FB",
    "SUPEROLATERAL TO INFEROMEDIAL OBLIQUE": "SIO",
    "INFEROMEDIAL TO SUPEROLATERAL OBLIQUE": "ISO",
    "EXAGGERATED CRANIO-CAUDAL": "XCC",
    "CRANIO-CAUDAL EXAGGERATED LATERALLY": "XCCL",
    "CRANIO-CAUDAL EXAGGERATED MEDIALLY": "XCCM",
    "ANTERO-POSTERIOR": "AP",
    "ANTEROPOSTERIOR": "AP",
    "POSTERO-ANTERIOR": "PA",
    "POSTEROANTERIOR": "PA",
    "LATERAL": "LAT",
    "LEFT LATERAL": "LAT",
    "RIGHT LATERAL": "LAT",
    "LATERAL PROJECTION": "LAT",
    "OBLIQUE": "OBL",
    "OBLIQUE PROJECTION": "OBL",
    "AXIAL": "AX",
    "AXIAL PROJECTION": "AX",
    "SKYLINE": "SKYLINE",
}
# Terms of View Position -> one word: a lateral film is a lateral film from either side.
_MERGED = {
    "LATERAL": "LAT",
    "LL": "LAT",
    "RL": "LAT",
    "LLO": "OBL",
    "RLO": "OBL",
    "OBLIQUE": "OBL",
    "LLD": "DECUB",
    "RLD": "DECUB",
    "AXIAL": "AX",
}
_BREAST = ("CC", "MLO", "ML", "LM", "LMO", "FB", "SIO", "ISO", "XCC", "XCCL", "XCCM", "AT", "CV")
_BODY = ("AP", "PA", "LAT", "LAO", "RAO", "LPO", "RPO", "OBL", "AX", "DECUB", "FRONTAL")
_NAMED = (
    "SKYLINE",
    "MORTISE",
    "FROG",
    "ODONTOID",
    "SWIMMERS",
    "LORDOTIC",
    "Y",
    "WATERS",
    "TOWNE",
    "PANO",
    "ANT",
    "POST",
)
WORDS = (*_BODY, *_NAMED, *_BREAST)
KEYWORDS = ("ViewCodeSequence", "ViewPosition", "PatientOrientation")
SIDE_KEYWORDS = ("ImageLaterality", "FrameLaterality", "Laterality")


def view(header: ImageHeader) -> str | None:
    """Return the view of a projection, one of WORDS, None where the tags don't tell.

    A code of the standard precedes View Position, which people type. Patient Orientation of a
    projection (where its rows and columns run to) tells a lateral film: its rows run to the front
    or the back of the patient.

    Source: PS3.3 C.8.1.1 and C.8.11.5 (View Position, View Code Sequence), C.7.6.1.1.1 (Patient
    Orientation); PS3.16 CID 4010, CID 4014.
    """
    stated = (*_coded(header), *header.words("ViewPosition"))
    words = (_MERGED.get(word, word) for word in stated)
    known = next((word for word in words if word in WORDS), None)
    return known or _turned(header)


def _coded(header: ImageHeader) -> list[str]:
    return [_CODES[word] for word in header.words("ViewCodeSequence") if word in _CODES]


def _turned(header: ImageHeader) -> str | None:
    """LAT where rows run to the front or back and columns to the feet or the head."""
    orientation = header.words("PatientOrientation")
    if header.kind == "MG" or len(orientation) != 2:
        return None
    row, column = orientation
    return "LAT" if row in ("A", "P") and column in ("F", "H") else None


def side(header: ImageHeader) -> str | None:
    """Return R, L or B (both), None where the part is unpaired or the tags don't tell.

    Source: PS3.3 C.7.6.1 (Image Laterality), C.7.3.1 (Laterality), C.7.6.16.2.8 (Frame Laterality).
    """
    stated = header.words(*SIDE_KEYWORDS)
    return next((word for word in stated if word in ("L", "R", "B")), None)
