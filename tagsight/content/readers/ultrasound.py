"""Ultrasound: mode, transducer and examination."""

import re

from tagsight.content.header import ImageHeader
from tagsight.terms.facet_words import FacetWords

MODE_KEYWORDS = ("ImageType", "UltrasoundColorDataPresent")
MODES = ("B", "M", "CW", "PW", "COLOR", "POWER", "3D", "DOPPLER", "ELASTO", "CEUS")
# Image Type, fourth item: a sum of these, in hexadecimal; of several the most telling counts.
_BITS = {0x40: "3D", 0x04: "CW", 0x08: "PW", 0x100: "POWER", 0x10: "COLOR", 0x20: "M", 0x02: "M"}
_TWO_DIMENSIONAL = 0x01
_HEXADECIMAL = re.compile("[0-9A-F]{1,8}")


def mode(header: ImageHeader) -> str | None:
    """Return the mode of an ultrasound image, one of MODES.

    Source: PS3.3 C.8.5.6.1.1 (fourth item of Image Type), C.8.5.6 (Ultrasound Color Data Present).
    """
    bits = _hexadecimal(header.words("ImageType")[3:4])
    if bits:
        return next((word for bit, word in _BITS.items() if bits & bit), _flat(bits))
    return "COLOR" if header.number("UltrasoundColorDataPresent") == 1 else None


def transducer(words: FacetWords, header: ImageHeader) -> str | None:
    """Return the shape of the transducer.

    Source: PS3.3 C.8.5.6 (Transducer Type).
    """
    return words.first("transducer", header.kind, TransducerType=header.words("TransducerType"))


def exam(words: FacetWords, header: ImageHeader) -> str | None:
    """Return the examination.

    Source: PS3.3 C.8.5.6.1.1 (third item of Image Type).
    """
    return words.first("exam", header.kind, ImageType=header.words("ImageType")[2:3])


def _hexadecimal(items: tuple[str, ...]) -> int:
    """The bits of an item; none where a maker has a word of its own in this place."""
    return int(items[0], 16) if items and _HEXADECIMAL.fullmatch(items[0]) else 0


def _flat(bits: int) -> str | None:
    return "B" if bits & _TWO_DIMENSIONAL else None
