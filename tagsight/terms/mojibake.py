"""Text that was read in another character set than it was written in."""

import re

REPLACED = "�"  # U+FFFD: what could not be decoded
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")  # of C0 and C1; ESC of ISO 2022 too
_ISO_2022 = re.compile(r"\$[@B][!-~]{2,}\([BJ]")  # Japanese whose escapes were dropped
_LOST = re.compile(r"\?{2,}(?=.*[^\W\d_])|(?<=[^\W\d_])\?{2,}|(?<=[^\W\d_])\?(?=[^\W\d_])")
# UTF-8 read as one byte per character: a lead byte and as many others as it announces.
_UTF8 = re.compile(r"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_QUOTED = re.compile(r"[\xc0-\xff]\xbb(?!\w)")  # `CAFÉ»` ends a quotation
# Cyrillic, Greek, Chinese as Western European: no word there has four such letters in a row.
_FOREIGN = re.compile(r"[\xa1-\xff]{4,}")
_CODE_PAGE = {
    ord(bytes([byte]).decode("cp1252")): byte
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


def is_mojibake(text: str) -> bool:
    """Return whether a text shows that its bytes were decoded wrongly, or not at all.

    Signs of it: U+FFFD, control characters (which text must not contain, PS3.5 §6.1.3),
    UTF-8 as Latin-1 (`MÃ¼nchen`), other scripts as Latin-1 (`ÃÎËÎÂÀ`), escapes of ISO 2022
    left as text, question marks in place of letters (`M?nchen`).
    """
    if _CONTROL.search(text) or _ISO_2022.search(text) or _LOST.search(text):
        return True
    if text.isascii():
        return False
    as_bytes = text.translate(_CODE_PAGE)
    foreign = _FOREIGN.search(as_bytes) or _UTF8.search(_QUOTED.sub("", as_bytes))
    return REPLACED in text or foreign is not None
