"""The text of a data element's value, as a table holds it, from its bytes (PS3.5 6.2)."""

import struct
from functools import lru_cache

import numpy as np
from pydicom.charset import CODES_TO_ENCODINGS, decode_bytes

from tagsight.dicom.privacy import MAX_LENGTH, WITHHELD, is_presentable

LONGEST = 8 * MAX_LENGTH  # bytes of a value; a longer one has no text

MULTIPLE = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UC", "UI"})
SINGLE = frozenset({"LT", "ST", "UR", "UT"})
NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}
_PADDING = " \0"
_ESCAPE = "\x1b"
_DELIMITERS = {0x0D, 0x0A, 0x09, 0x0C}


def has_text(vr: str) -> bool:
    """Return whether values of a VR are texts or numbers rather than bulk (OB, OW, OF, UN …)."""
    return vr in MULTIPLE or vr in SINGLE or vr in NUMBERS or vr == "AT"


def text_of(vr: str, data: bytes, encodings: tuple[str, ...], little: bool) -> str:
    """Return the text of a value, `\\` between its parts.

    data: bytes of the value; encodings: Python's names of the character sets; little: byte order.
    Returns an empty text for padding alone and for bulk values (OB, OW, UN …), WITHHELD for bytes
    that cannot be decoded, escapes of unknown character sets among them, and for texts that are
    not presentable (see `privacy`). The texts of short values are cached: the same bytes recur in
    many files.
    """
    if len(data) <= 64:
        return _cached(vr, data, encodings, little)
    return _decoded(vr, data, encodings, little)


def _decoded(vr: str, data: bytes, encodings: tuple[str, ...], little: bool) -> str:
    if vr in NUMBERS:
        return _numbers(vr, data, little)
    if vr == "AT":
        return _tags(data, little)
    if vr in MULTIPLE or vr in SINGLE:
        return _characters(vr, data, encodings)
    return ""


_cached = lru_cache(maxsize=2**17)(_decoded)


def _characters(vr: str, data: bytes, encodings: tuple[str, ...]) -> str:
    if len(data) > 4 * MAX_LENGTH:
        return WITHHELD
    if data.isascii() and b"\x1b" not in data:
        text = data.decode("ascii")
    else:
        delimiters = _DELIMITERS | ({0x5C} if vr in MULTIPLE else set())
        try:
            text = _unescaped(data, encodings, delimiters)
        except (UnicodeError, LookupError):
            return WITHHELD
    return WITHHELD if _ESCAPE in text else cleaned(vr, text)


def _unescaped(data: bytes, encodings: tuple[str, ...], delimiters: set[int]) -> str:
    """A text without the escapes that switch its character sets.

    An escape stands for one set alone (PS3.3 C.12.1.1.2): where (0008,0005) leaves it out it is
    read all the same, or it would stay in the text, as that of GB 2312 does in pydicom.
    """
    named = {code: name for code, name in CODES_TO_ENCODINGS.items() if code in data}
    text = decode_bytes(data, [*encodings, *named.values()], delimiters)
    for code in named:
        text = text.replace(code.decode("ascii"), "")
    return text


def cleaned(vr: str, text: str) -> str:
    """Return a decoded value and its parts without padding; WITHHELD if it is not presentable."""
    if vr in MULTIPLE and "\\" in text:
        parts = [part.strip(_PADDING) for part in text.split("\\")]
        text = "\\".join(parts) if any(parts) else ""
    else:
        text = text.strip(_PADDING)
    return text if is_presentable(vr, text) else WITHHELD


def as_standard(vr: str, judged: str, text: str) -> str:
    """Return a text, read by a file's VR, as the VR by which it is judged demands it.

    judged: see `privacy.judged_vr`. WITHHELD where the text has not the form of that VR.
    """
    if vr == judged or text in ("", WITHHELD):
        return text
    if judged == "AT" or not has_text(judged):
        return WITHHELD
    return cleaned("DS" if judged in NUMBERS else judged, text)


def _numbers(vr: str, data: bytes, little: bool) -> str:
    """Integers in full; floats with the fewest digits that give back the same float."""
    code = NUMBERS[vr]
    width = struct.calcsize(f"<{code}")
    count, rest = divmod(len(data), width)
    if rest or count > MAX_LENGTH:
        return WITHHELD
    numbers = struct.unpack(f"{'<' if little else '>'}{count}{code}", data)
    if code == "f":
        return _short("\\".join(str(np.float32(number)) for number in numbers))
    return _short("\\".join(map(str, numbers)))


def _tags(data: bytes, little: bool) -> str:
    if len(data) % 4 or len(data) > 4 * MAX_LENGTH:
        return WITHHELD
    halves = struct.unpack(f"{'<' if little else '>'}{len(data) // 2}H", data)
    pairs = zip(halves[::2], halves[1::2], strict=True)
    return _short("\\".join(f"({group:04X},{element:04X})" for group, element in pairs))


def _short(text: str) -> str:
    return text if len(text) <= MAX_LENGTH else WITHHELD
