"""What Image Type says: scouts, reformats, and other pictures that are no plain acquisition.

Image Type (PS3.3 C.7.6.1.1.2): ORIGINAL or DERIVED, PRIMARY or SECONDARY, then terms of the
modality: C.8.2.1.1.1 (CT), C.8.3.1.1.1 (MR), C.8.16.1 (enhanced), C.8.9.1.1.1 (PET).
"""

from collections.abc import Mapping

from tagsight.content.header import ImageHeader

SCOUT_KEYWORDS = ("ImageType", "ScanOptions")
KEYWORDS = ("ImageType", "VolumeBasedCalculationTechnique")
LOCALIZER = "LOC"
_SCOUTS = ("LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW", "SCANOGRAM")
_REFORMATS: Mapping[str, tuple[str, ...]] = {
    "MIP": ("MIP", "MAX_IP", "MAXIMUM", "PROJECTION IMAGE", "MIP_T", "MIPS"),
    "MINIP": ("MINIP", "MIN_IP", "MIN IP", "MNIP"),
    "VRT": ("VRT", "VOLUME_RENDER", "VOLREN", "VOLUME_RENDERING", "SSD", "SURFACE_RENDER", "3D_VR"),
    "CPR": ("CURVED_MPR", "CPR", "CURVED MPR", "CURVED_PLANAR"),
    "MPR": ("MPR", "REFORMATTED", "REFORMAT", "MULTI_PLANAR", "STACKED_MPR", "MPR_T"),
    "SUB": ("SUBTRACT", "SUBTRACTION", "SUB", "MODULUS SUBTRACT", "SUBTRACTED"),
}
REFORMATS = (*_REFORMATS, "3D")
LOCALIZERS = ("LOC", "BOLUS", "CAL")


def localizer(header: ImageHeader) -> str | None:
    """Return LOC for a localizer (scout, topogram, surview), else None.

    Source: PS3.3 C.8.2.1.1.1, C.8.3.1.1.1 (LOCALIZER); makers' words for it; Scan Options
    SCOUT MODE of GE; a Siemens topogram has a kernel T20.
    """
    words = (*header.words("ImageType")[2:], *header.words("ScanOptions"))
    found = any(scout in word for word in words for scout in _SCOUTS)
    return LOCALIZER if found else None


def reformat(header: ImageHeader) -> str | None:
    """Return MIP, MINIP, VRT, CPR, MPR or SUB for such a picture made of others, else None.

    Source: PS3.3 C.8.3.1.1.1 (MPR, PROJECTION IMAGE, MODULUS SUBTRACT), C.8.16.1.3 and
    C.8.16.2.1.4 (Volume Based Calculation Technique: MAX_IP, MIN_IP, VOLUME_RENDER,
    SURFACE_RENDER, MPR, CURVED_MPR), C.8.7.1.1.1; makers' items in Image Type.
    """
    items = {*header.words("ImageType")[2:], *header.words("VolumeBasedCalculationTechnique")}
    fitting = (word for word, names in _REFORMATS.items() if not items.isdisjoint(names))
    return next(fitting, None)
