"""Texts that others wrote, made plain for the place where they are shown: terminal, table, page.

A value or the name of a file may hold what a terminal obeys (ESC), what a table breaks at (line
feeds), what turns the order of letters round (direction marks), or what a spreadsheet computes.
"""

import re
from typing import TypeVar

import polars as pl
from polars import selectors

# Controls (Cc), direction marks and letters of no width (Cf), separators of lines (Zl, Zp).
_RANGES = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb"
)
_UNSEEN = re.compile(f"[{_RANGES}\ud800-\udfff]")  # and halves of letters, as in names of files
_UNSEEN_IN_FRAME = "[" + re.sub(r"\\u(....)", r"\\x{\1}", _RANGES) + "]"
# What spreadsheets take for a formula, in narrow and wide letters; a number is none.
_FORMULA = r"^[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
LONGEST_WORD = 60  # letters without a space that a line has room for

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def plain(text: str, keep: str = "") -> str:
    r"""Return a text with escapes (`\x1b`, `\u202e`) in the place of letters that are not seen.

    keep: letters that stay nevertheless.

    >>> plain("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    return _UNSEEN.sub(lambda letter: letter[0] if letter[0] in keep else _escape(letter[0]), text)


def _escape(letter: str) -> str:
    escaped = letter.encode("ascii", "backslashreplace").decode()
    return letter.encode("unicode_escape").decode() if escaped == letter else escaped


def short(text: str, longest: int = LONGEST_WORD) -> str:
    """Return a plain text, its words cut to `longest` letters, with an ellipsis."""
    words = (each if len(each) <= longest else f"{each[: longest - 1]}…" for each in _words(text))
    return "".join(words)


def _words(text: str) -> list[str]:
    """Words and what is between them."""
    return re.split(r"(\s+)", plain(text, keep="\n\t"))


def counted(number: int, what: str) -> str:
    """Return a number with the noun that it counts.

    >>> counted(1, "patient"), counted(1200, "new image"), counted(2, "series")
    ('1 patient', '1,200 new images', '2 series')
    """
    return f"{number:,} {noun(number, what)}"


def noun(number: int, what: str) -> str:
    """Return a noun, in the plural but for one."""
    return what if number == 1 or what.endswith("series") else f"{what}s"


def for_spreadsheets(frame: Frame) -> Frame:
    """Return a table whose texts are plain, and none of which a spreadsheet takes for a formula.

    A text that begins as a formula has an apostrophe before it, as one would type it.
    """
    cells = selectors.string().map_batches(_cells, return_dtype=pl.String, is_elementwise=True)
    return frame.with_columns(cells)


def _cells(texts: pl.Series) -> pl.Series:
    if texts.str.contains(_UNSEEN_IN_FRAME).any():
        distinct = texts.drop_nulls().unique()
        texts = texts.replace_strict(distinct, [plain(text) for text in distinct], default=None)
    formula = texts.str.contains(_FORMULA) & ~texts.str.contains(_NUMBER)
    return texts.zip_with(~formula.fill_null(value=False), "'" + texts)
