"""Whether an image may have text in its pixels, a name perhaps, judged by its header.

Nobody looks at the pixels: an image counts as written on where its header says so, or where it is
of a kind that usually is. A NO in such kinds is not trusted: the tag is often left at its default.

Sources: PS3.3 C.7.6.1.1 (Burned In Annotation, Recognizable Visual Features), C.7.3.1.1.1
(Modality), C.8.6.1 (Conversion Type), C.8.12.4.1.1 (labels of slides), PS3.6 (classes, retired ones
too), PS3.15 E.3.1 (what has burned-in text). Image Type of screens: usage of makers.
"""

import re
from collections.abc import Mapping

FACTS = (
    "BurnedInAnnotation",
    "ConversionType",
    "ImageType",
    "Modality",
    "RecognizableVisualFeatures",
    "SOPClassUID",
)

_NO = frozenset({"NO", "N", "FALSE", "F", "0", ""})
# Ultrasound, secondary capture, photographs, endoscopy, dermoscopy, film, screens of devices,
# charts of eyes and hearts; and words in place of a code.
_MODALITIES = frozenset(
    (
        *("US", "IVUS", "BDUS", "EC", "SC", "XC", "ES", "DMS", "OT", "DOC", "HC", "FID", "DF"),
        *("LP", "VF", "FS", "CF", "DD", "DG", "TG", "DS", "LS", "BMD", "SMR"),
        *("OPV", "OPM", "ECG", "HD", "EPS", "ULTRASOUND", "OTHER", "SECONDARY", "DOCUMENT"),
    )
)
_CLASSES = re.compile(
    r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.("
    r"3|6"  # ultrasound, retired
    r"|3\.1|6\.1|6\.2"  # ultrasound
    r"|7(\.\d+)*"  # secondary capture
    r"|77\.1|77\.2|77\.1\.[147](\.\d+)*"  # endoscopy, photographs, dermoscopy
    r")"
)
# Items of Image Type: screens of doses and protocols, captures, labels of slides.
_SCREENS = re.compile(
    r"SCREEN|DOSE|REPORT|PROTOCOL|CAPTURE|BURN"  # in words of makers, too: SCREENGRAB
    r"|\b(SNAPSHOT|LABEL|OVERVIEW|TEXT|PRINT|PASTED|ANNOTATED|ANNOTATION|WORKSHEET|SUMMARY|RESULTS?"
    r"|CHART|GRAPH|CURVE|PLOT)\b"
)


def may_have_text(values: Mapping[str, str]) -> bool:
    """Return whether an image may have text in its pixels; values: texts of FACTS by keyword."""
    stated = (*_items(values, "BurnedInAnnotation"), *_items(values, "RecognizableVisualFeatures"))
    return (
        any(item not in _NO for item in stated)
        or not _MODALITIES.isdisjoint(_items(values, "Modality"))
        or _CLASSES.fullmatch(values.get("SOPClassUID", "").strip(" \0")) is not None
        or values.get("ConversionType", "") != ""
        or any(_SCREENS.search(re.sub(r"[\W_]+", " ", i)) for i in _items(values, "ImageType"))
    )


def _items(values: Mapping[str, str], keyword: str) -> list[str]:
    return [item.strip().upper() for item in values.get(keyword, "").split("\\")]
