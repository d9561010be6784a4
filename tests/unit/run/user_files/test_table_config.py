"""What the config may not say of a table of tags: one line each, with the key and a way out."""

import pytest

from tagsight.run.user_files.table_config import table_mistakes


@pytest.fixture
def table(tmp_path):
    place = tmp_path / "table.csv"
    place.write_text("id,kvp,text,m\n", encoding="utf-8")
    return str(place)


def mistakes(table, columns=(("image", "id"), ("KVP", "kvp")), split=()):
    return list(table_mistakes({"table": table, "columns": dict(columns), "split": list(split)}))


def test_a_table_that_is_told_well_has_none(table):
    assert mistakes(table) == []
    into = {"column": "text", "separator": ",", "into": [None, "SliceThickness"]}
    assert mistakes(table, [("image", "id")], [into]) == []


def test_columns_and_splits_need_a_table():
    (line,) = mistakes(None)
    assert line == "tags.columns: says how a table is read, but tags.table is null"
    assert mistakes(None, []) == []


def test_a_table_that_is_not_there_or_of_another_kind_is_named():
    assert mistakes("/nowhere.csv")[0].startswith("tags.table: /nowhere.csv does not exist")
    assert mistakes("/nowhere.xlsx")[0].startswith("tags.table: /nowhere.xlsx is neither")


def test_images_have_to_be_told_apart(table):
    (line,) = mistakes(table, [("KVP", "kvp")])
    assert line.startswith("tags.columns: image is not set; name the column that tells each row")


def test_a_table_without_tags_is_of_no_use(table):
    (line,) = mistakes(table, [("image", "id"), ("site", "kvp")])
    assert line.startswith("tags.columns: no DICOM keyword is set")


def test_keywords_are_looked_up(table):
    into = {"column": "text", "separator": ",", "into": ["SliceThicknes"]}
    lines = mistakes(table, [("image", "id"), ("Modalty", "m")], [into])
    assert lines == [
        "tags.columns: Modalty is no DICOM keyword; did you mean Modality?",
        "tags.split.0.into: SliceThicknes is no DICOM keyword; did you mean SliceThickness?",
    ]


@pytest.mark.parametrize("split", [(), ({"column": "x", "separator": ",", "into": ["EchoTime"]},)])
def test_nothing_of_a_table_without_a_head_line_is_shown(tmp_path, split):
    place = tmp_path / "table.csv"
    place.write_text("1.2.3,MILLER JOHN,19450312,CT\n", encoding="utf-8")
    lines = mistakes(str(place), [("image", "uid"), ("PatientName", "MILLER JOHNN")], split)
    said = "has no column uid, MILLER JOHNN; it has 4 columns: is its first line the names of"
    assert said in lines[0]
    assert len(lines) == 1 + len(split)
    assert not any("MILLER JOHN," in line or "1945" in line for line in lines[1:])
    assert "1945" not in lines[0]


def test_names_of_columns_are_plain_where_they_are_shown(tmp_path):
    place = tmp_path / "table.csv"
    place.write_text("id,\x1b[31mkvp\n", encoding="utf-8")
    (line,) = mistakes(str(place))
    assert line.endswith("did you mean \\x1b[31mkvp?") or line.endswith("it has id, \\x1b[31mkvp")
