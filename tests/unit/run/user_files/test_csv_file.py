"""Tables of users are read as Python's csv reads them, or refused with the line."""

import csv
import io

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tagsight.errors import TableError
from tagsight.run.user_files.csv_file import csv_head, csv_rows, dict_rows


def read(path, wanted=()):
    head = csv_head(path, wanted)
    return [head.columns, *csv_rows(path, head)]


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5), st.sampled_from(",;\t|"))
def test_what_csv_writes_comes_back(tmp_path_factory, rows, separator):
    texts = [cell.replace("\r", "\n").split("\n")[1:] for row in rows for cell in row]
    assume(not any(line.count(separator) == 1 for lines in texts for line in lines))
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator).writerows([["the id", "x"], *rows])
    path.write_bytes(file.getvalue().encode())
    assert read(path, ["the id", "x"]) == [["the id", "x"], *map(list, rows)]


def test_a_quotation_mark_inside_a_text_is_one_and_loses_no_row(tmp_path):
    lines = [f'i{n},film 24" wide' if n % 7 == 3 else f"i{n},plain" for n in range(1000)]
    (tmp_path / "t.csv").write_text("\n".join(["id,text", *lines]), encoding="utf-8")
    assert read(tmp_path / "t.csv") == list(csv.reader(["id,text", *lines]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", " is empty"),
        (b"\n\n", " is empty"),
        (b'a,b\n"x" y,1\n', ", line 2: quotation marks do not match"),
        (b'a,b\n1,2\n"x,1\n2,3\n', ", line 4: quotation marks do not match"),
        (b"a,b\n1,2\n1,2,3\n", ", line 3: 3 values, and the first line names 2 columns"),
        (b"a,b\n1\n", ", line 2: 1 value,"),
        ("a,b\nSECRET,2\nMüller,2\n".encode("latin-1"), ", line 3: byte 0xFC is not UTF-8"),
        (b'a,b,c\n1,2,"x\nSECRET,3,4\n2,3,5"\n', ", line 2: a quotation mark opens a text"),
        (b'a,b,c\n1,2,"x\n2,3,5"\n', ", line 2: a quotation mark opens a text that ends in line 3"),
        (b"sep=;\na;b\n1;2\n", ", line 1: `sep=` is for spreadsheets"),
        (b"sep=,\na,b\n1,2\n", ", line 1: `sep=` is for spreadsheets"),
        ("a,b\n1,2\n".encode("utf-16"), " is in UTF-16"),
        ("a,b\n1,2\n".encode("utf-32"), " is in UTF-32"),
        (b"PK\x03\x04\x14\0\x06\0", " is a zip archive or a workbook (.xlsx)"),
        (b"\x1f\x8b\x08\0aaaa", " is compressed by gzip"),
    ],
)
def test_what_is_written_otherwise_is_refused_with_the_line(tmp_path, content, said):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(TableError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}{said}")
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_marks_ends_of_lines_and_empty_lines_do_not_matter(tmp_path, end):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbf" + end.join(["a;b", "1;2", "", "3;4,5"]).encode())
    assert dict_rows(path) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4,5"}]


def test_texts_of_several_lines_are_read_where_no_line_looks_like_a_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b,c\n\n1,"x\ny, z\n",3\n"only\none",2,3\n', encoding="utf-8")
    assert read(path)[1:] == [["1", "x\ny, z\n", "3"], ["only\none", "2", "3"]]
    path.write_text('path\n"a\nb"\n', encoding="utf-8")
    assert read(path)[1:] == [["a\nb"]]
