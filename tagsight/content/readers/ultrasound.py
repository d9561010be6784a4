"""Ultrasound: mode, transducer and examination."""

from tagsight.content.header import ImageHeader

MODE_KEYWORDS = ("ImageType", "UltrasoundColorDataPresent")
MODES = ("B", "M", "CW", "PW", "COLOR", "POWER", "3D", "DOPPLER", "ELASTO", "CEUS")
TRANSDUCERS = ("linear", "curved", "sector", "endocavity", "intravascular")
# Image Type, fourth item: a sum of these, in hexadecimal; of several the most telling counts.
_BITS = {0x40: "3D", 0x04: "CW", 0x08: "PW", 0x100: "POWER", 0x10: "COLOR", 0x20: "M", 0x02: "M"}
_TWO_DIMENSIONAL = 0x01
_TRANSDUCERS = {
    "LINEAR": "linear",
    "CURVED LINEAR": "curved",
    "SECTOR_PHASED": "sector",
    "SECTOR_MECH": "sector",
    "SECTOR_ANNULAR": "sector",
    "VECTOR_PHASED": "sector",
    "ENDOCAV_PA": "endocavity",
    "ENDOCAV_MECH": "endocavity",
    "ENDOCAV_CLA": "endocavity",
    "ENDOCAV_AA": "endocavity",
    "ENDOCAV_LINEAR": "endocavity",
    "IV_PHASED": "intravascular",
    "IV_ROT XTAL": "intravascular",
    "IV_ROT MIRROR": "intravascular",
}
_EXAMS = {
    "ABDOMINAL": "abdominal",
    "BREAST": "breast",
    "CHEST": "chest",
    "ENDOCAVITARY": "endocavitary",
    "ENDORECTAL": "endorectal",
    "ENDOVAGINAL": "endovaginal",
    "EPICARDIAC": "epicardiac",
    "EPICARDIAL": "epicardiac",
    "FETAL HEART": "fetal heart",
    "GYNECOLOGY": "gynecology",
    "INTRACARDIAC": "intracardiac",
    "INTRAOPERATIVE": "intraoperative",
    "INTRAVASCULAR": "intravascular",
    "MUSCULOSKELETAL": "musculoskeletal",
    "NEONATAL HEAD": "neonatal head",
    "OB 1ST TRIMESTER": "obstetric",
    "OB 2 AND 3 TRIMS": "obstetric",
    "OBSTETRICAL": "obstetric",
    "OPHTHALMIC": "ophthalmic",
    "PEDIATRIC": "pediatric",
    "PELVIC": "pelvic",
    "RETROPERITONEAL": "retroperitoneal",
    "SCROTAL": "scrotal",
    "SMALL PARTS": "small parts",
    "TEE": "TEE",
    "THYROID": "thyroid",
    "TRANSCRANIAL": "transcranial",
    "VASCULAR": "vascular",
    "PERIPHERAL VASC": "vascular",
    "CARDIAC": "cardiac",
    "CARDIOLOGY": "cardiac",
    "ECHO": "cardiac",
    "TTE": "cardiac",
}
EXAMS = tuple(dict.fromkeys(_EXAMS.values()))


def mode(header: ImageHeader) -> str | None:
    """Return the mode of an ultrasound image, one of MODES.

    Source: PS3.3 C.8.5.6.1.1 (fourth item of Image Type), C.8.5.6 (Ultrasound Color Data Present).
    """
    bits = _hexadecimal(header.words("ImageType")[3:4])
    if bits:
        return next((word for bit, word in _BITS.items() if bits & bit), _flat(bits))
    return "COLOR" if header.number("UltrasoundColorDataPresent") == 1 else None


def transducer(header: ImageHeader) -> str | None:
    """Return the shape of the transducer, one of TRANSDUCERS.

    Source: PS3.3 C.8.5.6 (Transducer Type).
    """
    words = header.words("TransducerType")
    return next((_TRANSDUCERS[word] for word in words if word in _TRANSDUCERS), None)


def exam(header: ImageHeader) -> str | None:
    """Return the examination, one of EXAMS.

    Source: PS3.3 C.8.5.6.1.1 (third item of Image Type).
    """
    third = header.words("ImageType")[2:3]
    return next((_EXAMS[word] for word in third if word in _EXAMS), None)


def _hexadecimal(items: tuple[str, ...]) -> int:
    try:
        return int(items[0], 16) if items else 0
    except ValueError:  # a maker's own word in this place
        return 0


def _flat(bits: int) -> str | None:
    return "B" if bits & _TWO_DIMENSIONAL else None
