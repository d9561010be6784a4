"""How an image was acquired: planar or tomographic, patient's position, contrast agent."""

from tagsight.content.header import ImageHeader

ACQUISITION_KEYWORDS = (
    "ImageType",
    "SeriesType",
    "SOPClassUID",
    "MRAcquisitionType",
    "RadiationSetting",
)
ACQUISITIONS = (
    "2D",
    "3D",
    "CINE",
    "STATIC",
    "DYN",
    "GATED",
    "WB",
    "TOMO",
    "RECON",
    "PROJ",
    "SYNTH",
    "MAG",
    "SPOT",
    "RUN",
    "FLUORO",
)
# Image Type, third item, and Series Type, first one (PS3.3 C.8.4.9.1.1, C.8.9.1.1.4).
_EMISSION = {
    "STATIC": "STATIC",
    "DYNAMIC": "DYN",
    "GATED": "GATED",
    "WHOLE BODY": "WB",
    "TOMO": "TOMO",
    "GATED TOMO": "TOMO",
    "RECON TOMO": "RECON",
    "RECON GATED TOMO": "RECON",
}
_TOMOSYNTHESIS = "1.2.840.10008.5.1.4.1.1.13.1.3"
_PROJECTIONS = ("1.2.840.10008.5.1.4.1.1.13.1.4", "1.2.840.10008.5.1.4.1.1.13.1.5")
_SYNTHETIC = ("GENERATED_2D", "TOMO_2D", "SYNTHESIZED_2D")
POSITIONS = ("SUPINE", "PRONE", "DECUB", "ERECT")
_LYING = {"S": "SUPINE", "P": "PRONE", "DR": "DECUB", "DL": "DECUB"}
AGENTS = ("C+", "C-")
_GIVEN = ("ContrastBolusVolume", "ContrastBolusTotalDose", "ContrastFlowRate")
CONTRAST_KEYWORDS = ("ContrastBolusAgent", "ContrastBolusRoute", "withheld", *_GIVEN)
_NONE = ("NO", "NON", "NONE", "NO CONTRAST", "WITHOUT", "OHNE", "SANS", "NATIV", "NATIVE", "0")


def acquisition(header: ImageHeader) -> str | None:
    """Return how the image was acquired, one of ACQUISITIONS, None where the tags don't tell.

    Source: PS3.3 C.8.3.1 (MR Acquisition Type), C.8.4.9.1.1 (NM, Image Type), C.8.9.1.1.4 (Series
    Type), A.55 and A.74 (tomosynthesis and its projections), C.8.7.2 (Radiation Setting: SC for low
    dose, GR for diagnostic quality).
    """
    if header.kind == "MG":
        return _mammogram(header)
    if header.kind in ("XA", "RF"):
        setting = header.words("RadiationSetting")[:1]
        return "FLUORO" if setting == ("SC",) else "RUN" if setting == ("GR",) else None
    if header.kind == "MR":
        return next((w for w in header.words("MRAcquisitionType") if w in ("2D", "3D")), None)
    terms = (*header.words("ImageType")[2:3], *header.words("SeriesType")[:1])
    return next((_EMISSION[term] for term in terms if term in _EMISSION), None)


def _mammogram(header: ImageHeader) -> str | None:
    """TOMO, PROJ or SYNTH of a tomosynthesis; a plain mammogram is not told from others."""
    if header.has("SOPClassUID", _TOMOSYNTHESIS) or header.has("ImageType", "TOMOSYNTHESIS"):
        return "TOMO"
    if header.has("SOPClassUID", *_PROJECTIONS) or header.has("ImageType", "TOMO_PROJ"):
        return "PROJ"
    return "SYNTH" if header.has("ImageType", *_SYNTHETIC) else None


def position(header: ImageHeader) -> str | None:
    """Return SUPINE, PRONE or DECUB of a patient who lies, None where the tags don't tell.

    Source: PS3.3 C.7.3.1.1.2 (Patient Position: HFS, FFP, HFDR …).
    """
    stated = header.words("PatientPosition")[:1]
    return next((_LYING.get(word[2:]) for word in stated if word[1:2] == "F"), None)


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
