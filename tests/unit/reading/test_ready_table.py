"""A ready table: what is read of it, what it is refused for, and how it is dealt."""

import csv
import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.archive.sharding import sample_mask
from tagsight.errors import ArchiveError, DataError
from tagsight.reading.column_splits import Split, parts
from tagsight.reading.ready_table import (
    ROW,
    Layout,
    ReadyTable,
    open_table,
    sample_rows,
    shard_rows,
    stored_column,
    summary,
)

MIXED = pl.DataFrame(
    {
        "id": ["a", " b ", "c"],
        "count": [3, None, 12],
        "thick": [2.5, float("nan"), 2.0],
        "many": [["ORIGINAL", "PRIMARY"], [], None],
        "day": [datetime.date(2024, 6, 30), None, None],
        "text": ["x,1", "", "y"],
    }
)
SPLIT = Split("text", {}, ",", ("KVP", None), frozenset())


def layout(**columns):
    return Layout({"image": "id", **columns}, ())


def written(folder, frame=MIXED, name="table.parquet"):
    place = folder / name
    write = frame.write_csv if place.suffix == ".csv" else frame.write_parquet
    write(place)
    return place


def opened(folder, frame, **columns):
    return open_table(written(folder, frame), layout(**columns))


def numbered(n):
    return pl.DataFrame({"id": [f"i{i}" for i in range(n)]})


def test_everything_is_text_and_what_says_nothing_is_null(tmp_path):
    columns = {name: name for name in ("count", "thick", "many", "day", "text")}
    rows = opened(tmp_path, MIXED, **columns).rows.collect()
    assert rows.to_dict(as_series=False) == {
        ROW: [0, 1, 2],
        "id": ["a", "b", "c"],
        "count": ["3", None, "12"],
        "thick": ["2.5", None, "2.0"],
        "many": ["ORIGINAL\\PRIMARY", None, None],
        "day": ["2024-06-30", None, None],
        "text": ["x,1", None, "y"],
    }


def test_a_csv_is_read_as_the_same_table(tmp_path):
    flat = MIXED.drop("many").with_columns(pl.col("thick").fill_nan(None), age=pl.lit("045Y"))
    asked = layout(**{name: name for name in ("count", "thick", "day", "text", "age")})
    one = open_table(written(tmp_path, flat), asked).rows.collect()
    other = open_table(written(tmp_path, flat, "table.csv"), asked).rows.collect()
    assert one.equals(other)


def test_only_columns_that_are_named_are_read(tmp_path):
    asked = Layout({"image": "id", "series": "id"}, (SPLIT._replace(where={"day": frozenset()}),))
    assert asked.read == ["id", "text", "day"]
    assert open_table(written(tmp_path), asked).rows.collect().columns == [ROW, *asked.read]


def test_a_column_that_is_not_there_is_named_with_what_is_near(tmp_path):
    with pytest.raises(ArchiveError, match="has no column thik; did you mean thick"):
        opened(tmp_path, MIXED, SliceThickness="thik")
    with pytest.raises(ArchiveError, match="has no column zzz; it has id, count"):
        opened(tmp_path, MIXED, SliceThickness="zzz")


@pytest.mark.parametrize("name", ["table.parquet", "table.csv"])
def test_names_of_columns_are_no_patterns(tmp_path, name):
    frame = pl.DataFrame({"^x.*$": ["a", "b"], "*": ["80", "90"], "^i.*$": ["1,2", "3"], "i": "no"})
    split = Split("^i.*$", {"*": frozenset({"80"})}, ",", ("EchoTime", None), frozenset())
    asked = Layout({"image": "^x.*$", "KVP": "*"}, (split,))
    table = open_table(written(tmp_path, frame, name), asked)
    kept = frame.drop("i").to_dict(as_series=False)
    assert table.rows.drop(ROW).collect().to_dict(as_series=False) == kept
    assert summary(table) == {"rows": 2, "split": [{"column": "^i.*$", "rows": 1, "whole": 0}]}
    assert len(sample_rows(table, 1, seed=0).rows.collect()) == 1
    assert stored_column(table, "*").to_list() == ["80", "90"]
    assert parts(table.rows.collect(), split)["EchoTime"].to_list() == ["1", None]


@pytest.mark.parametrize("value", [{"a": 1}, b"bytes", [[1], [2]]])
def test_what_is_neither_text_nor_number_is_refused(tmp_path, value):
    frame = pl.DataFrame({"id": ["a"], "odd": [value]})
    with pytest.raises(ArchiveError, match=r"odd of .* holds"):
        opened(tmp_path, frame, KVP="odd")


def test_a_file_that_is_no_table_is_refused_in_a_line(tmp_path):
    place = tmp_path / "table.parquet"
    place.write_text("SECRET, not parquet", encoding="utf-8")
    with pytest.raises(ArchiveError) as error:
        open_table(place, layout())
    assert "cannot be read as .parquet" in str(error.value)
    assert "SECRET" not in str(error.value)


ROWS = [f"i{n},{n % 9}" for n in range(1000)]
STRAY = [*ROWS[:500], 'i500,film 24" wide', *ROWS[501:700], 'i700,film 24" wide', *ROWS[701:]]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_csv_has_the_rows_that_pythons_csv_reads(tmp_path, separator, mark):
    text = "\n".join(["id,x", *STRAY]).replace(",", separator)
    (tmp_path / "t.csv").write_bytes(mark + text.encode())
    table = open_table(tmp_path / "t.csv", layout(KVP="x"))
    expected = list(csv.DictReader(text.splitlines(), delimiter=separator))
    assert summary(table)["rows"] == len(expected) == 1000
    dealt = pl.concat(shard_rows(table, 3))
    assert dealt.select("id", "x").to_dicts() == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", " is empty; its first line has to name the columns"),
        (b"id,x\na,1\nb,2,3\n", ", line 3: 3 values, and the first line names 2 columns"),
        (b'id,x\na,"1" b\n', ", line 2: quotation marks do not match"),
        (b"id,x\na,1\nSECRET\xe9,2\n", ", line 3: byte 0xE9 is not UTF-8 (is it Latin-1?)"),
        ("id,x\na,1\n".encode("utf-16"), " is in UTF-16; save it as UTF-8"),
        (b"id,x,x\na,1,2\n", " has 2 columns x; rename all but one"),
    ],
)
def test_a_csv_that_is_written_otherwise_is_refused_with_its_line(tmp_path, content, said):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ArchiveError) as error:
        summary(open_table(tmp_path / "t.csv", layout(KVP="x")))
    assert f"{tmp_path / 't.csv'}{said}" in str(error.value)
    assert "SECRET" not in str(error.value)


def test_a_path_with_the_signs_of_a_pattern_is_a_path(tmp_path):
    folder = tmp_path / "a{b}[c]*"
    folder.mkdir()
    for name in ("t{x}.csv", "t[y].parquet"):
        assert summary(open_table(written(folder, numbered(3), name), layout()))["rows"] == 3


def test_a_column_may_be_called_as_the_number_of_a_row(tmp_path):
    frame = pl.DataFrame({"id": ["a", "b"], "row of the table": ["1", "2"]})
    rows = opened(tmp_path, frame, KVP="row of the table").rows.collect()
    assert rows["row of the table"].to_list() == ["1", "2"]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pl.Series(["CT", "MR"], dtype=pl.Categorical), ["CT", "MR"]),
        (pl.Series(["CT", "MR"], dtype=pl.Enum(["CT", "MR"])), ["CT", "MR"]),
        (pl.Series([10**18, 7]), ["1000000000000000000", "7"]),
        (pl.Series([1.5, float("nan")]), ["1.5", None]),
        (pl.Series([True, False]), ["true", "false"]),
        (pl.Series(["1.50", None]).cast(pl.Decimal(10, 2)), ["1.50", None]),
        (pl.Series([["a", None], []], dtype=pl.List(pl.String)), ["a\\", None]),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, pl.Series) else "",
)
def test_values_of_any_plain_type_become_text(tmp_path, values, texts):
    frame = pl.DataFrame({"id": ["a", "b"], "x": values})
    assert opened(tmp_path, frame, KVP="x").rows.collect()["x"].to_list() == texts


def test_a_time_with_its_zone_becomes_text(tmp_path):
    stamp = pl.Series([datetime.datetime(2024, 6, 30, 12)]).dt.replace_time_zone("Europe/Zagreb")
    frame = pl.DataFrame({"id": ["a"], "x": stamp})
    (text,) = opened(tmp_path, frame, KVP="x").rows.collect()["x"]
    assert text.startswith("2024-06-30 12:00:00")


def test_durations_are_refused_in_a_line(tmp_path):
    frame = pl.DataFrame({"id": ["a"], "x": [datetime.timedelta(seconds=3)]})
    with pytest.raises(ArchiveError, match=r"x of .* holds Duration"):
        opened(tmp_path, frame, KVP="x")


def test_what_polars_panics_at_is_told_in_a_line(tmp_path, monkeypatch):
    """Of 256 bits a decimal number ends in one."""
    panic = type("PanicException", (BaseException,), {})

    def read(*_, **__):
        raise panic("SECRET")

    place = written(tmp_path, numbered(2))
    monkeypatch.setattr(pl, "scan_parquet", read)
    with pytest.raises(ArchiveError) as error:
        open_table(place, layout())
    assert "cannot be read as .parquet (PanicException)" in str(error.value)


def test_rows_and_what_splits_leave_whole_are_counted(tmp_path):
    table = open_table(written(tmp_path), Layout({"image": "id"}, (SPLIT,)))
    assert summary(table) == {"rows": 3, "split": [{"column": "text", "rows": 2, "whole": 1}]}


def test_every_row_needs_an_image_of_its_own(tmp_path):
    frame = pl.DataFrame({"id": ["SECRET", None, "SECRET", " ", "a"]})
    with pytest.raises(DataError) as error:
        summary(opened(tmp_path, frame))
    assert "of 5 rows" in str(error.value)
    assert "column id of" in str(error.value)
    assert "2 of 5 rows are empty and 1 duplicate another row's value" in str(error.value)
    assert "SECRET" not in str(error.value)


def test_a_table_without_rows_is_refused(tmp_path):
    with pytest.raises(DataError, match="has no rows"):
        summary(opened(tmp_path, numbered(0).cast(pl.String)))


@given(st.integers(0, 30), st.integers(1, 9))
def test_parts_are_of_equal_size_and_in_the_tables_order(rows, shards):
    table = ReadyTable("table.csv", numbered(rows).with_row_index(ROW).lazy(), layout())
    dealt = list(shard_rows(table, shards))
    assert [len(part) for part in dealt] == [
        rows * (i + 1) // shards - rows * i // shards for i in range(shards)
    ]
    assert pl.concat(dealt)[ROW].to_list() == list(range(rows))


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_a_table_of_many_batches_is_dealt_whole(tmp_path, name):
    table = open_table(written(tmp_path, numbered(200_000), name), layout())
    dealt = list(shard_rows(table, 3))
    assert [len(part) for part in dealt] == [66_666, 66_667, 66_667]
    assert pl.concat(dealt)["id"].to_list() == [f"i{i}" for i in range(200_000)]


@pytest.mark.parametrize("share", [7, 0.3])
def test_rows_are_drawn_as_files_are(tmp_path, share):
    table = opened(tmp_path, numbered(50))
    wins = sample_mask([f"i{i}" for i in range(50)], share, 5)
    assert sample_rows(table, share, 5).rows.collect()[ROW].to_list() == [
        i for i in range(50) if wins[i]
    ]
    assert sample_rows(table, None, 5) is table
