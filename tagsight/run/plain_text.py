"""Texts that others wrote, made plain for the place where they are shown: terminal, table, page.

A value or the name of a file may hold what a terminal obeys (ESC), what a table breaks at (line
feeds), what turns the order of letters round (direction marks), or what a spreadsheet computes.
"""

import re
from typing import TypeVar

import polars as pl
from polars import selectors

# Controls (Cc), letters of no width and direction marks (Cf), separators of lines (Zl, Zp), letters
# that are drawn as nothing, and what Unicode never gives a letter to.
_RANGES = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    r"\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufeff"
    r"\uffa0\ufff9-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
) + "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(1, 17))
_UNSEEN = re.compile(f"[{_RANGES}\ud800-\udfff]")  # and halves of letters, as in names of files
_UNSEEN_IN_FRAME = "[" + re.sub(r"\\u(.{4})|\\U(.{8})", r"\\x{\1\2}", _RANGES) + "]"
# What spreadsheets take for a formula, in narrow, small and wide letters; a number is none. Some
# part cells at other signs than those of the table, or at tabs and quotation marks in them.
_SIGNS = "[=+\\-@﹢﹣﹦﹫＝＋－＠]"
_BEFORE_SIGN = r'[;,|\t"]\s*'
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_SIGN_IN_FRAME = f"(^|{_BEFORE_SIGN}){_SIGNS}"
_FORMULA = re.compile(rf'(^(?!{_NUMBER}\Z)|{_BEFORE_SIGN}(?!{_NUMBER}\s*([;,|\t"]|\Z)))({_SIGNS})')
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

    A text that begins as a formula has an apostrophe before it, as one would type it; so has one
    inside a text, where a spreadsheet may part cells.
    """
    cells = selectors.string().map_batches(_cells, return_dtype=pl.String, is_elementwise=True)
    return frame.with_columns(cells)


def _cells(texts: pl.Series) -> pl.Series:
    odd = texts.str.contains(_UNSEEN_IN_FRAME) | texts.str.contains(_SIGN_IN_FRAME)
    if not odd.any():
        return texts
    distinct = texts.filter(odd.fill_null(value=False)).unique()
    return texts.replace(distinct, pl.Series([_cell(text) for text in distinct], dtype=pl.String))


def _cell(text: str) -> str:
    return _FORMULA.sub(lambda match: f"{match[0][:-1]}'{match[0][-1]}", plain(text))
