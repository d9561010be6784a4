from pathlib import Path

import polars as pl

from tagsight.tags.unmapped import unmapped
from tagsight.terms.body_parts import read_spellings

TABLE = read_spellings(Path(__file__).parents[3] / "tagsight/data/body_parts.csv")


def tags(**columns):
    n = len(next(iter(columns.values())))
    ids = {level: [f"{level}{i}" for i in range(n)] for level in ("image", "series", "patient")}
    frame = pl.DataFrame({**ids, **columns}, schema=dict.fromkeys([*ids, *columns], pl.String))
    return frame.with_columns(study="series").lazy()


def test_what_no_table_has_is_counted_and_rare_values_are_not_shown():
    several = tags(
        BodyPartExamined=["ROOM 5", "ROOM 5", "SMITH", "JONES", "HEAD", "UNKNOWN", None],
        Manufacturer=["Acme", "Acme", "Acme", "GE", "SIEMENS", "", None],
    )
    assert unmapped(several, TABLE, 2).rows() == [
        ("BodyPartExamined", "(rare)", 2),
        ("BodyPartExamined", "ROOM 5", 2),
        ("Manufacturer", "Acme", 3),
    ]
    assert unmapped(tags(KVP=["1"]), TABLE, 2).is_empty()


def test_numbers_that_cannot_be_read_or_meant_are_counted_for_the_tags_asked_for():
    several = tags(KVP=["120", "x", "x", "-1", "0"], Modality=["CT", "MR", "MÃ¤", "MÃ¤", ""])
    assert unmapped(several, TABLE, 1, ["KVP", "Modality", "EchoTime"]).rows() == [
        ("KVP", "x", 2),
        ("KVP", "-1", 1),
        ("Modality", "MÃ¤", 2),
    ]
