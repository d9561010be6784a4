"""Nuclear medicine and PET: attenuation correction and radiopharmaceutical."""

from tagsight.content.header import ImageHeader
from tagsight.terms.facet_words import FacetWords

CORRECTION_KEYWORDS = ("CorrectedImage", "AttenuationCorrected", "AttenuationCorrectionMethod")
CORRECTIONS = ("AC", "NAC", "CTAC")  # the latter, a CT for it, from descriptions
TRACER_KEYWORDS = ("RadiopharmaceuticalInformationSequence", "Radiopharmaceutical")


def correction(words: FacetWords, header: ImageHeader) -> str | None:
    """Return AC where attenuation is corrected, NAC where it is not, None where no tag tells.

    Source: PS3.3 C.8.9.1 (Corrected Image, Attenuation Correction Method), C.8.22.4 (Attenuation
    Corrected).
    """
    stated = {key: header.words(key) for key in ("AttenuationCorrected", "CorrectedImage")}
    if said := words.telling("correction", header.kind, **stated):
        return said
    method = header.words("AttenuationCorrectionMethod")[:1]
    none = words.first("correction", header.kind, AttenuationCorrectionMethod=method)
    if method and not none:
        return "AC"
    return none or ("NAC" if any(stated.values()) else None)


def tracer(words: FacetWords, header: ImageHeader) -> str | None:
    """Return the radiopharmaceutical.

    Of the sequence, where it is stated (PS3.3 C.8.4.10, C.8.9.2), the reader lets out words of the
    facet alone (`header_texts.tracers`); a ready table may have a column of names.

    Source: PS3.16 CID 25, CID 4021.
    """
    words_of_reader, name = (header.words(keyword) for keyword in TRACER_KEYWORDS)
    known = {word.upper(): word for word in words.words("tracer")}
    told = next((known[word] for word in words_of_reader if word in known), None)
    return told or words.telling("tracer", header.kind, Radiopharmaceutical=name) or None
