"""Nuclear medicine and PET: attenuation correction, way of acquisition, radiopharmaceutical."""

import re

from tagsight.content.header import ImageHeader

CORRECTION_KEYWORDS = ("CorrectedImage", "AttenuationCorrected", "AttenuationCorrectionMethod")
CORRECTIONS = ("AC", "NAC")
ACQUISITIONS = ("static", "dynamic", "gated", "whole body", "tomo", "recon")
# Image Type, third item, and Series Type -> acquisition.
_ACQUISITION = {
    "STATIC": "static",
    "DYNAMIC": "dynamic",
    "GATED": "gated",
    "WHOLE BODY": "whole body",
    "TOMO": "tomo",
    "GATED TOMO": "tomo",
    "RECON TOMO": "recon",
    "RECON GATED TOMO": "recon",
}
_TRACERS = {
    "FDG": re.compile(r"FDG|FLUORODEOXYGLUCOSE|FLUDEOXYGLUCOSE"),
    "PSMA": re.compile(r"PSMA|PIFLUFOLASTAT"),
    "DOTA": re.compile(r"DOTA[TN]"),
    "choline": re.compile(r"CHOLINE"),
    "FLT": re.compile(r"FLT|FLUOROTHYMIDINE"),
    "NaF": re.compile(r"SODIUM FLUORIDE|\bNAF\b|FLUORIDE F"),
    "amyloid": re.compile(r"FLORBETA|FLUTEMETAMOL|PITTSBURGH|\bPIB\b"),
    "bone": re.compile(r"\bMDP\b|\bHDP\b|\bDPD\b|MEDRONATE|OXIDRONATE"),
    "sestamibi": re.compile(r"SESTAMIBI|\bMIBI\b|CARDIOLITE"),
    "MIBG": re.compile(r"MIBG|IOBENGUANE"),
    "MAA": re.compile(r"\bMAA\b|MACROAGGREGATED"),
    "MAG3": re.compile(r"MAG ?-?3|MERTIATIDE"),
    "iodide": re.compile(r"SODIUM IODIDE|\bIODIDE\b"),
    "pertechnetate": re.compile(r"PERTECHNETATE"),
}
TRACERS = tuple(_TRACERS)


def correction(header: ImageHeader) -> str | None:
    """Return AC where attenuation is corrected, NAC where it is not, None where no tag tells.

    Source: PS3.3 C.8.9.1 (Corrected Image, Attenuation Correction Method), C.8.22.4 (Attenuation
    Corrected).
    """
    if header.has("AttenuationCorrected", "YES") or header.has("CorrectedImage", "ATTN"):
        return "AC"
    method = header.words("AttenuationCorrectionMethod")
    stated = header.words("AttenuationCorrected", "CorrectedImage")
    without = any(word in ("NONE", "NO", "OFF") for word in method[:1])
    if method and not without:
        return "AC"
    return "NAC" if stated or without else None


def acquisition(header: ImageHeader) -> str | None:
    """Return how the counts were acquired, one of ACQUISITIONS.

    Source: PS3.3 C.8.4.9.1.1 (NM, Image Type), C.8.9.1.1.4 (PET, Series Type).
    """
    terms = (*header.words("ImageType")[2:3], *header.words("SeriesType")[:1])
    return next((_ACQUISITION[term] for term in terms if term in _ACQUISITION), None)


def tracer(header: ImageHeader) -> str | None:
    """Return the radiopharmaceutical, one of TRACERS.

    Source: PS3.3 C.8.4.10 (Radiopharmaceutical); PS3.16 CID 25, CID 4021.
    """
    names = header.words("Radiopharmaceutical")
    found = (word for word, rule in _TRACERS.items() if any(rule.search(name) for name in names))
    return next(found, None)
