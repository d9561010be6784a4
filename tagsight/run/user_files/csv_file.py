"""Tables of users as CSV, read so that no row is lost: each as Python's csv reads it, or a refusal.

The encoding is UTF-8, with or without a mark at its start; the separator a comma, a semicolon, a
tab or a bar: that by which the first line has most of the columns that are
asked for, or where nobody asks for any most columns. A file that is
written otherwise is refused with the line, and never with what stands there.
"""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from tagsight.errors import TableError
from tagsight.run.plain_text import counted

SEPARATORS = ",;\t|"
LONGEST_CELL = 2**24  # letters
# How files begin that are no text in UTF-8; the longer beginnings first.
_NOT_UTF_8 = {
    b"\xff\xfe\0\0": "in UTF-32; save it as UTF-8",
    b"\0\0\xfe\xff": "in UTF-32; save it as UTF-8",
    b"\xff\xfe": "in UTF-16; save it as UTF-8",
    b"\xfe\xff": "in UTF-16; save it as UTF-8",
    b"PK\x03\x04": "a zip archive or a workbook (.xlsx); save the sheet as CSV in UTF-8",
    b"\x1f\x8b": "compressed by gzip; unpack it",
}
_UTF_8_MARK = b"\xef\xbb\xbf"

Undecodable = Literal["strict", "surrogateescape"]


class CsvHead(NamedTuple):
    """The columns of a table, and what separates them."""

    columns: list[str]
    separator: str


def csv_head(path: Path, wanted: Collection[str] = (), errors: Undecodable = "strict") -> CsvHead:
    """Return the head of a table.

    wanted: columns that are asked for, by which the separator is found; errors: of what is not
    UTF-8.
    Raises TableError where it is empty, or no text in UTF-8.
    """
    heads = [
        CsvHead(first, separator)
        for separator in SEPARATORS
        if (first := next(_lines(path, separator, errors), (0, []))[1])
    ]
    if not heads:
        raise TableError(f"{path} is empty; its first line has to name the columns")
    if re.fullmatch("sep=.?", "".join(heads[0].columns[:1])):
        raise TableError(
            f"{path}, line 1: `sep=` is for spreadsheets; delete it, so that the first line names "
            "the columns"
        )
    if wanted:
        return max(heads, key=lambda head: len({*wanted} & {*head.columns}))
    return max(heads, key=lambda head: len(head.columns))


def csv_rows(path: Path, head: CsvHead, errors: Undecodable = "strict") -> Iterator[Sequence[str]]:
    """Yield the rows after the first line, each with as many values as there are columns.

    Lines without any text are passed over.
    Raises TableError with the line where quotation marks do not match, a row has more or fewer
    values than there are columns, or a text of several lines has one that looks like a row.
    """
    lines = _lines(path, head.separator, errors)
    before, _ = next(lines, (0, []))
    for number, row in lines:
        if len(row) != len(head.columns):
            raise TableError(
                f"{path}, line {number}: {counted(len(row), 'value')}, and the first line names "
                f"{counted(len(head.columns), 'column')}; put texts that hold a separator in "
                "quotation marks"
            )
        if number > before + 1 and _swallows(row, head.separator):
            begin = number - sum(len(_text_lines(cell)) - 1 for cell in row)
            raise TableError(
                f"{path}, line {begin}: a quotation mark opens a text that ends in line {number}, "
                "and what is between looks like rows of the table; double quotation marks that "
                "are part of a text"
            )
        before = number
        yield row


def _swallows(row: Sequence[str], separator: str) -> bool:
    """Whether a text of several lines has one with as many values as the row: a row, perhaps."""
    lines = (line for cell in row for line in _text_lines(cell)[1:])
    return len(row) > 1 and any(line.count(separator) + 1 == len(row) for line in lines)


def _text_lines(cell: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", cell)


def dict_rows(path: Path, wanted: Collection[str] = ()) -> list[dict[str, str]]:
    """Return all rows of a table, by column.

    Raises TableError as `csv_head` and `csv_rows`.
    """
    head = csv_head(path, wanted)
    return [dict(zip(head.columns, row, strict=True)) for row in csv_rows(path, head)]


def _lines(path: Path, separator: str, errors: Undecodable) -> Iterator[tuple[int, list[str]]]:
    """The number of the last line and the values of each row that has any."""
    with path.open("rb") as file:
        start = file.read(4)
    if kind := next((kind for mark, kind in _NOT_UTF_8.items() if start.startswith(mark)), None):
        raise TableError(f"{path} is {kind}")
    previous = csv.field_size_limit(LONGEST_CELL)
    with path.open(encoding="utf-8-sig", errors=errors, newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        try:
            yield from ((reader.line_num, row) for row in reader if row)
        except csv.Error as error:
            raise TableError(f"{path}, line {reader.line_num}: {_in_words(error)}") from None
        except UnicodeDecodeError:
            raise TableError(_undecodable(path)) from None
        finally:
            csv.field_size_limit(previous)


def _in_words(error: csv.Error) -> str:
    """What is wrong, without a value of the table."""
    if "field larger" in str(error):
        return f"a value is longer than {LONGEST_CELL:,} letters; a quotation mark may be missing"
    return "quotation marks do not match; a quotation mark inside quoted text has to be doubled"


def _undecodable(path: Path) -> str:
    """Where a file stops being UTF-8, and which byte it is."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return (
                    f"{path}, line {number}: byte 0x{line[error.start]:02X} is not UTF-8 "
                    "(is it Latin-1?); save the table as UTF-8"
                )
    return f"{path} is not UTF-8; save it as UTF-8"
