"""What Image Type says: scouts, reformats, and other pictures that are no plain acquisition.

Image Type (PS3.3 C.7.6.1.1.2): ORIGINAL or DERIVED, PRIMARY or SECONDARY, then terms of the
modality: C.8.2.1.1.1 (CT), C.8.3.1.1.1 (MR), C.8.16.1 (enhanced), C.8.9.1.1.1 (PET).
"""

from tagsight.content.header import ImageHeader
from tagsight.terms.facet_words import FacetWords

SCOUT_KEYWORDS = ("ImageType", "ScanOptions")
KEYWORDS = ("ImageType", "VolumeBasedCalculationTechnique")
REFORMATS = ("MIP", "MINIP", "VRT", "CPR", "MPR", "SUB", "3D")
LOCALIZERS = ("LOC", "BOLUS", "CAL")


def localizer(words: FacetWords, header: ImageHeader) -> str | None:
    """Return LOC for a localizer (scout, topogram, surview), else None.

    Source: PS3.3 C.8.2.1.1.1, C.8.3.1.1.1 (LOCALIZER); makers' words for it; Scan Options
    SCOUT MODE of GE.
    """
    image_type, options = header.words("ImageType")[2:], header.words("ScanOptions")
    return (
        words.telling("localizer", header.kind, ImageType=image_type, ScanOptions=options) or None
    )


def reformat(words: FacetWords, header: ImageHeader) -> str | None:
    """Return MIP, MINIP, VRT, CPR, MPR or SUB for such a picture made of others, else None.

    Source: PS3.3 C.8.3.1.1.1 (MPR, PROJECTION IMAGE, MODULUS SUBTRACT), C.8.16.1.3 and
    C.8.16.2.1.4 (Volume Based Calculation Technique: MAX_IP, MIN_IP, VOLUME_RENDER,
    SURFACE_RENDER, MPR, CURVED_MPR), C.8.7.1.1.1; makers' items in Image Type.
    """
    technique = {key: header.words(key) for key in KEYWORDS[1:]}
    image_type = header.words("ImageType")[2:]
    return words.telling("reformat", header.kind, ImageType=image_type, **technique) or None
