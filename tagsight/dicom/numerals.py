"""Numbers and terms in the texts of a header, read in one way by everything that needs one.

Tags, pixels, windows, rescaling and counts of frames all ask here, so that what is a number for
one of them is the same number for all others.

Source: PS3.5 6.2 (CS, DS, IS).
"""

import re
from collections.abc import Mapping

# Of texts in upper case without padding; Python and polars read both patterns alike.
DECIMAL = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:E[+-]?0*[0-9]{1,3})?"
COMMA = r"^([+-]?[0-9]*),([0-9]+(?:E[+-]?0*[0-9]{1,3})?)$"  # a decimal comma, see `plain`

_DECIMAL, _COMMA = re.compile(DECIMAL), re.compile(COMMA)
_PADDING = " \0\t\r\n"


def plain(item: str) -> str | None:
    """Return one item of a value as a number in the standard's own form; None where it is none.

    `1.5`, `+3`, `-2E+01` as they are, `2e3` in upper case, `0,5` with a point; not `1A`,
    `1,000.5`, `0X1F`. Padding around it does not count.
    """
    text = _COMMA.sub(r"\1.\2", item.strip(_PADDING).upper())
    return text if _DECIMAL.fullmatch(text) else None


def number(values: Mapping[str, str], keyword: str) -> float | None:
    """Return the first item of a value as a number; None where it is absent or not a finite one.

    values: texts of a header by keyword.
    """
    found = numbers(values, keyword)
    return found[0] if found else None


def numbers(values: Mapping[str, str], keyword: str) -> list[float | None]:
    """Return every item of a value as a number, None in the place of what is no finite number."""
    text = values.get(keyword, "")
    return [_finite(plain(item)) for item in text.split("\\")] if text else []


def _finite(text: str | None) -> float | None:
    value = float("inf") if text is None else float(text)
    return value if abs(value) < float("inf") else None


def int_value(values: Mapping[str, str], keyword: str, default: int) -> int:
    """Return the first item of a value as a whole number, zero at least.

    Any notation of it counts (`3`, `+3`, `3.0`); `default` where it is absent, or no such number.
    """
    value = number(values, keyword)
    return int(value) if value is not None and value >= 0 and value.is_integer() else default


def term(values: Mapping[str, str], keyword: str, default: str = "") -> str:
    """Return the first item of a value as a term of the standard: upper case, single blanks.

    `default` where it is absent or empty.
    """
    text = values.get(keyword, "").split("\\")[0].replace("\0", " ")
    return " ".join(text.upper().split()) or default
