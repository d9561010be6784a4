"""What an MR image is weighted by, and what it measures, from its sequence and its times.

What the object says in so many words comes first (Image Type, Acquisition Contrast, a b-value),
then the sequence's name where the maker's names are documented, then repetition, echo and
inversion time. The limits are those of textbooks; between them there is no word.

Sources: PS3.3 C.8.3.1 (MR Image), C.8.13.3.1.1 and C.8.13.4.1 (terms of Image Type and Acquisition
Contrast); Westbrook & Talbot, MRI in Practice (5th ed., ch. 2-4: T1 TR 300-700, TE 10-30 ms; PD TR
over 1000, TE 10-30; T2 TR over 2000, TE over 70; STIR TI 100-175; FLAIR TI 1700-2200 ms); Siemens
MR sequence names (`ep2d`, `tfi`, `spc`, `tir`) as in its DICOM conformance statements.
"""

from tagsight.content.header import ImageHeader
from tagsight.terms.facet_words import FacetWords

KEYWORDS = (
    "ImageType",
    "AcquisitionContrast",
    "DiffusionBValue",
    "DiffusionDirectionality",
    "SequenceName",
    "PulseSequenceName",
    "ScanningSequence",
    "SequenceVariant",
    "EchoPulseSequence",
    "EchoPlanarPulseSequence",
    "SteadyStatePulseSequence",
    "TimeOfFlightContrast",
    "AngioFlag",
    "RepetitionTime",
    "EchoTime",
    "EffectiveEchoTime",
    "InversionTime",
    "FlipAngle",
    "EchoTrainLength",
)
WORDS = (
    "T1",
    "T2",
    "PD",
    "T2*",
    "FLAIR",
    "STIR",
    "SSFP",
    "DWI",
    "ADC",
    "FA",
    "EPI",
    "BOLD",
    "SWI",
    "LGE",
    "MRS",
    "MRA",
    "PERF",
    "FLOW",
    "MAP",
)
SUPPRESSION_KEYWORDS = ("ScanOptions", "SpectrallySelectedSuppression")
SUPPRESSIONS = ("FS", "WS", "SS", "WE", "DIXON")
SHORT_TI, LONG_TI = 300.0, 1400.0  # ms: fat is nulled below, water above


def weighting(words: FacetWords, header: ImageHeader) -> str | None:
    """Return the weighting of an MR image, one of WORDS, None where the tags don't tell."""
    image_type, contrast = header.words("ImageType")[2:], header.words("AcquisitionContrast")
    stated = words.telling("weighting", "MR", ImageType=image_type, AcquisitionContrast=contrast)
    if stated is not None:
        return stated or None
    if header.words("AngioFlag") == ("Y",):
        return "MRA"
    return _named(words, header) or _timed(header)


def _named(words: FacetWords, header: ImageHeader) -> str | None:
    """The weighting that a b-value or the sequence's name tells."""
    b_value = header.number("DiffusionBValue")
    planar = {"EP", "SE"} <= set(header.words("ScanningSequence"))
    if b_value is not None and (b_value > 0 or planar):  # planar: the image without gradients
        return "DWI"
    names = {key: header.words(key) for key in ("SequenceName", "PulseSequenceName")}
    return words.telling("weighting", "MR", **names) or None


def _timed(header: ImageHeader) -> str | None:
    """The weighting by kind of echo and times in milliseconds."""
    tr, te = header.number("RepetitionTime"), header.number("EchoTime")
    te = te if te is not None else header.number("EffectiveEchoTime")
    if tr is None or te is None:
        return None
    gradient = header.has("ScanningSequence", "GR") or header.has("EchoPulseSequence", "GRADIENT")
    spin = header.has("ScanningSequence", "SE") or header.has("EchoPulseSequence", "SPIN")
    if _is_planar(header, te, gradient=gradient and not spin):
        return "EPI"
    inverted = _inverted(header, te, gradient=gradient and not spin)
    if inverted:
        return inverted
    if gradient and not spin:
        return _gradient(header, tr, te)
    return _spin(tr, te) if spin or header.has("ScanningSequence", "RM", "IR") else None


def _is_planar(header: ImageHeader, te: float, *, gradient: bool) -> bool:
    """Whether an echo-planar readout is stated, or gradient echoes come late and in a train.

    Philips states EP nowhere, but the factor of the train as Echo Train Length.
    """
    stated = header.has("ScanningSequence", "EP") or header.has("EchoPlanarPulseSequence", "YES")
    return stated or (gradient and te >= 15 and (header.number("EchoTrainLength") or 0) > 1)


def _inverted(header: ImageHeader, te: float, *, gradient: bool) -> str | None:
    """STIR, FLAIR or T1 of an inversion recovery; None of others."""
    ti = header.number("InversionTime")
    if not ti:  # 0 stands for none
        return None
    if gradient:
        return "T1" if te < 10 and ti > SHORT_TI else None
    if ti <= SHORT_TI:
        return "STIR"
    if ti >= LONG_TI and te >= 60:
        return "FLAIR"
    return "T1" if te <= 40 else None


def _gradient(header: ImageHeader, tr: float, te: float) -> str | None:
    """SSFP, T2* or T1 of a gradient echo."""
    flip = header.number("FlipAngle")
    if _is_balanced(header, tr, te, flip or 0):
        return "SSFP"
    if te >= 20 or (te >= 12 and (flip is None or flip <= 45)):
        return "T2*"
    wide = flip is not None and flip >= 15
    return "T1" if te < 8 and (wide or tr <= 50) else None


def _is_balanced(header: ImageHeader, tr: float, te: float, flip: float) -> bool:
    """Whether an echo lies midway between two fast pulses, unspoiled: steady state, or wide flips.

    A spoiled sequence so fast would have no signal left at flip angles of 35 degrees and more.
    """
    steady = header.has("SequenceVariant", "SS", "TRSS") or header.has(
        "SteadyStatePulseSequence", "FREE_PRECESSION", "TIME_REVERSED"
    )
    midway = tr < 15 and 0.3 <= te / tr <= 0.7
    return midway and not header.has("SequenceVariant", "SP") and (steady or flip >= 35)


def _spin(tr: float, te: float) -> str | None:
    if te >= 60:
        return "T2"
    if tr <= 1100:
        return "T1" if te <= 35 else None
    return "PD" if tr >= 1500 and te <= 50 else None


def suppression(words: FacetWords, header: ImageHeader) -> str | None:
    """Return FS, WS or SS where the signal of fat, water or silicone is suppressed, else None.

    Source: PS3.3 C.8.3.1.1.4 (Scan Options FS, fat saturation), C.8.13.4 (Spectrally Selected
    Suppression).
    """
    stated = {key: header.words(key) for key in SUPPRESSION_KEYWORDS}
    return words.telling("suppression", "MR", **stated) or None
