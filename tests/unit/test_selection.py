import logging

import polars as pl
import pytest

from tagsight.errors import ConfigError, DataError
from tagsight.selection import REASONS, selection

DEFAULTS = {
    "vr": "CS",
    "present": 90,
    "missing_share": 0.1,
    "distinct": 5,
    "categories": 5,
    "level": "series",
    "inferred": "categorical",
}


def tag(keyword, **facts):
    facts = {"fingerprint": keyword, "tag": f"0008,{len(keyword):04X}", **facts}
    return {"keyword": keyword, **DEFAULTS, **facts}


def fates(*tags, **asked):
    asked = {"count": 70, "max_missing": 0.95, "max_categories": 300, "drop": [], **asked}
    asked = {"image_level": False, **asked}
    return selection(pl.DataFrame(tags, infer_schema_length=None), **asked)


def reasons(*tags, **asked):
    return dict(fates(*tags, **asked).select("keyword", "reason").iter_rows())


KEPT = tag("Modality", missing_share=0.0)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"inferred": "identifying"}, "identifying"),
        ({"inferred": "text", "vr": "LT"}, "free text"),
        ({"categories": 301}, "free text"),
        ({"categories": 300}, "kept"),
        ({"inferred": "text", "vr": "DS"}, "unparsable"),
        ({"vr": "UN"}, "unparsable"),
        ({"distinct": 1}, "constant"),
        ({"distinct": 0, "present": 0}, "constant"),
        ({"distinct": 90}, "unique"),
        ({"distinct": 90, "inferred": "numeric", "vr": "DS", "categories": None}, "kept"),
        ({"level": "image"}, "image-level"),
        ({"level": "unknown"}, "kept"),
        ({"missing_share": 0.96}, "too often missing"),
        ({"missing_share": 0.95}, "kept"),
        ({"fingerprint": "Modality"}, "redundant"),
    ],
)
def test_each_reason(facts, reason):
    assert reasons(KEPT, tag("ScanOptions", **facts))["ScanOptions"] == reason


def test_reasons_are_a_closed_list_and_fates_follow():
    found = fates(KEPT, tag("ScanOptions", distinct=1), tag("PatientSex", level="image"))
    assert set(found["reason"]) <= set(REASONS)
    assert found.filter((pl.col("fate") == "kept") != (pl.col("reason") == "kept")).is_empty()


def test_descriptions_are_called_free_text_though_they_are_withheld():
    assert reasons(KEPT, tag("ProtocolName", inferred="identifying"))["ProtocolName"] == "free text"


def test_sorted_by_missing_share_then_tag_and_cut_at_the_count():
    tags = [
        tag("KVP", missing_share=0.2, tag="0018,0060"),
        tag("PatientSex", missing_share=0.1, tag="0010,0040"),
        tag("Modality", missing_share=0.2, tag="0008,0060"),
    ]
    found = fates(*tags, count=2)
    assert found["keyword"].to_list() == ["PatientSex", "Modality", "KVP"]
    assert found["reason"].to_list() == ["kept", "kept", "beyond the count"]


def test_a_redundant_tag_names_the_one_kept_and_takes_no_place():
    found = fates(
        KEPT,
        tag("SOPClassUID", fingerprint="Modality"),
        tag("PatientSex", missing_share=0.5),
        count=2,
    )
    assert found.filter(fate="kept")["keyword"].to_list() == ["Modality", "PatientSex"]
    assert found.filter(keyword="SOPClassUID")["same_as"].item() == "Modality"
    assert found.filter(fate="kept")["same_as"].null_count() == 2


def test_nothing_is_redundant_beside_a_dropped_tag():
    first = tag("Modality", missing_share=0.0, level="image")
    assert reasons(first, tag("ScanOptions", fingerprint="Modality"))["ScanOptions"] == "kept"


def test_many_spellings_of_body_parts_and_makers_are_no_free_text():
    found = reasons(
        KEPT, tag("BodyPartExamined", categories=999), tag("Manufacturer", categories=999)
    )
    assert found["BodyPartExamined"] == found["Manufacturer"] == "kept"


def test_image_level_tags_on_demand():
    assert reasons(tag("SliceLocation", level="image"), image_level=True) == {
        "SliceLocation": "kept"
    }


def test_dropped_by_config():
    assert reasons(KEPT, tag("KVP"), drop=["KVP"])["KVP"] == "left out by config"


def test_a_misspelt_keyword_is_refused_with_a_hint():
    with pytest.raises(ConfigError, match=r"select\.drop: Modalty.*did you mean Modality\?"):
        fates(KEPT, drop=["Modalty"])


def test_a_keyword_that_the_archive_lacks_is_warned_of(caplog):
    with caplog.at_level(logging.WARNING):
        fates(KEPT, drop=["KVP"])
    assert "KVP" in caplog.text


def test_nothing_left_is_an_error_that_says_where_to_look():
    with pytest.raises(DataError, match="select"):
        fates(tag("Modality", distinct=1))
