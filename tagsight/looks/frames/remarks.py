"""What is said of a picture whose header and codestream disagree: it is drawn, and counted."""

from typing import Literal

Remark = Literal[
    "another_syntax",
    "another_size",
    "other_samples",
    "another_depth",
    "another_sign",
    "other_colours",
    "planes_ignored",
    "incomplete_window_or_rescale",
    "unreadable_number",
]

_JPEGS = "1.2.840.10008.1.2.4."
_FORMATS = {
    **{f"{_JPEGS}{n}": "JPEG" for n in (*range(50, 67), 70)},
    **{f"{_JPEGS}{n}": "JPEG-LS" for n in (80, 81)},
    **{f"{_JPEGS}{n}": "JPEG 2000" for n in (*range(90, 94), *range(201, 204))},
    "1.2.840.10008.1.2.5": "RLE",
    "1.2.840.10008.1.2.8.1": "deflated",
}


def format_of(syntax: str) -> str | None:
    """Return the format of frames that a transfer syntax names; None of native pixels."""
    return _FORMATS.get(syntax)


def syntaxes_of(format: str) -> list[str]:
    """Return the UIDs of the transfer syntaxes whose frames are of a format."""
    return [syntax for syntax, its_format in _FORMATS.items() if its_format == format]


def joined(remarks: tuple[Remark, ...]) -> str | None:
    """Return remarks as one text, in the order of their list; None where there is none."""
    return "; ".join(dict.fromkeys(remarks)) or None
