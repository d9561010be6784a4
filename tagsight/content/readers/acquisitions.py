"""How an image was acquired: planar or tomographic, patient's position, contrast agent."""

from tagsight.content.header import ImageHeader
from tagsight.terms.facet_words import FacetWords

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
POSITIONS = ("SUPINE", "PRONE", "DECUB", "ERECT")
AGENTS = ("C+", "C-")
_GIVEN = ("ContrastBolusVolume", "ContrastBolusTotalDose", "ContrastFlowRate")
CONTRAST_KEYWORDS = ("ContrastBolusAgent", "ContrastBolusRoute", "withheld", *_GIVEN)


def acquisition(words: FacetWords, header: ImageHeader) -> str | None:
    """Return how the image was acquired, one of ACQUISITIONS, None where the tags don't tell.

    A plain mammogram is not told from others that say nothing of tomosynthesis.

    Source: PS3.3 C.8.3.1 (MR Acquisition Type), C.8.4.9.1.1 (NM, Image Type), C.8.9.1.1.4 (Series
    Type), A.55 and A.74 (tomosynthesis and its projections), C.8.7.2 (Radiation Setting: SC for low
    dose, GR for diagnostic quality).
    """
    if header.kind == "MG":
        stated = {key: header.words(key) for key in ("SOPClassUID", "ImageType")}
        return words.telling("acquisition", "MG", **stated) or None
    if header.kind in ("XA", "RF"):
        setting = header.words("RadiationSetting")[:1]
        return words.first("acquisition", header.kind, RadiationSetting=setting)
    if header.kind == "MR":
        stated = {"MRAcquisitionType": header.words("MRAcquisitionType")}
        return words.first("acquisition", "MR", **stated)
    image_type, series_type = header.words("ImageType")[2:3], header.words("SeriesType")[:1]
    return words.first("acquisition", header.kind, ImageType=image_type, SeriesType=series_type)


def position(words: FacetWords, header: ImageHeader) -> str | None:
    """Return SUPINE, PRONE or DECUB of a patient who lies, None where the tags don't tell.

    Source: PS3.3 C.7.3.1.1.2 (Patient Position: HFS, FFP, HFDR …).
    """
    stated = header.words("PatientPosition")[:1]
    return words.first("position", header.kind, PatientPosition=stated)


def contrast(words: FacetWords, header: ImageHeader) -> str | None:
    """Return C+ where a contrast agent is in the picture, C- where its tag says that none is.

    The agent is free text, which stays in the reader: `withheld` says that there is one. A header
    without the tag says nothing: it may have been taken out.

    Source: PS3.3 C.7.6.4 (Contrast/Bolus: present where contrast media was used).
    """
    agent = header.words("ContrastBolusAgent")[:1]
    if agent:
        return words.first("contrast", header.kind, ContrastBolusAgent=agent) or "C+"
    used = header.has("withheld", "CONTRASTBOLUSAGENT") or header.words("ContrastBolusRoute")
    given = (header.number(keyword) or 0 for keyword in _GIVEN)
    return "C+" if used or any(amount > 0 for amount in given) else None
