"""Nuclear medicine and PET: attenuation correction and radiopharmaceutical."""

import re

from tagsight.content.header import ImageHeader

CORRECTION_KEYWORDS = ("CorrectedImage", "AttenuationCorrected", "AttenuationCorrectionMethod")
CORRECTIONS = ("AC", "NAC", "CTAC")  # the latter, a CT for it, from descriptions
_TRACERS = {
    "FDG": re.compile(r"FDG|FLUORODEOXYGLUCOSE|FLUDEOXYGLUCOSE"),
    "PSMA": re.compile(r"PSMA|PIFLUFOLASTAT"),
    "DOTA": re.compile(r"DOTA[TN]"),
    "CHOLINE": re.compile(r"CHOLINE"),
    "FLT": re.compile(r"\bFLT\b|FLUOROTHYMIDINE"),
    "FMISO": re.compile(r"MISO\b|MISONIDAZOLE"),
    "FES": re.compile(r"\bFES\b|FLUOROESTRADIOL"),
    "NAF": re.compile(r"SODIUM FLUORIDE|\bNAF\b"),
    "AMYLOID": re.compile(r"FLORBETA|FLUTEMETAMOL|PITTSBURGH|\bPIB\b"),
    "BONE": re.compile(r"\b(MDP|HDP|HMDP|DPD)\b|MEDRONATE|OXIDRONATE"),
    "MIBI": re.compile(r"MIBI\b|SESTAMIBI|TETROFOSMIN"),
    "MIBG": re.compile(r"MIBG|IOBENGUANE"),
    "MAA": re.compile(r"\bMAA\b|MACROAGGREGATED"),
    "MAG3": re.compile(r"MAG ?-?3|MERTIATIDE"),
    "DMSA": re.compile(r"DMSA|SUCCIMER"),
    "DTPA": re.compile(r"DTPA|PENTETATE"),
    "PYP": re.compile(r"\bPYP\b|PYROPHOSPHATE"),
    "DATSCAN": re.compile(r"DATSCAN|IOFLUPANE"),
    "IODINE": re.compile(r"IODIDE"),
    "GALLIUM": re.compile(r"GALLIUM"),
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


def tracer(header: ImageHeader) -> str | None:
    """Return the radiopharmaceutical, one of TRACERS.

    Source: PS3.3 C.8.4.10 (Radiopharmaceutical); PS3.16 CID 25, CID 4021.
    """
    names = header.words("Radiopharmaceutical")
    found = (word for word, rule in _TRACERS.items() if any(rule.search(name) for name in names))
    return next(found, None)
