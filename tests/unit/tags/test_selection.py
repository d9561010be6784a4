import logging
import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tagsight.errors import ConfigError, DataError
from tagsight.tags import parsers
from tagsight.tags.frequencies import frequencies
from tagsight.tags.selection import REASONS, selection

DEFAULTS = {
    "vr": "CS",
    "present": 90,
    "missing_share": 0.1,
    "distinct": 5,
    "categories": 5,
    "level": "series",
    "inferred": "categorical",
    "module": "General Series",
}


def tag(keyword, **facts):
    facts = {"fingerprint": keyword, "tag": f"0008,{len(keyword):04X}", **facts}
    return {"keyword": keyword, **DEFAULTS, **facts}


def fates(*tags, **asked):
    asked = {"count": 70, "max_missing": 0.95, "max_categories": 300, "drop": [], **asked}
    asked = {"method": "missing", "per_module": None, "image_level": False, **asked}
    table = pl.DataFrame(tags, infer_schema_length=None)
    return selection(table, pl.LazyFrame(), pl.DataFrame(), **asked)


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


def test_words_of_technique_are_no_features_whatever_their_values():
    found = reasons(KEPT, *(tag(f"{k}Words") for k in ("ProtocolName", "SeriesDescription")))
    assert found["ProtocolNameWords"] == found["SeriesDescriptionWords"] == "closed words"
    assert reasons(KEPT, tag("ProtocolNameRegion"))["ProtocolNameRegion"] == "kept"


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


def test_at_most_so_many_of_a_module_take_a_place():
    tags = [
        tag("Modality", missing_share=0.0),
        tag("Laterality", missing_share=0.1),
        tag("BodyPartExamined", missing_share=0.2),
        tag("PatientSex", missing_share=0.3, module="Patient Study"),
        tag("PatientAge", missing_share=0.4, module="Patient Study"),
    ]
    found = dict(fates(*tags, per_module=1, count=2).select("keyword", "reason").iter_rows())
    beyond = "beyond the module's count"
    assert list(found.values()) == ["kept", beyond, beyond, "kept", beyond]
    found = fates(*tags, per_module=2, count=3)
    assert found.filter(fate="kept")["keyword"].to_list() == [
        "Modality",
        "Laterality",
        "PatientSex",
    ]
    assert found["reason"].to_list()[-1] == "beyond the count"
    assert set(fates(*tags, per_module=None)["reason"]) == {"kept"}


def archive(n=300):
    """Modality, its double with a few errors, a number, a constant with gaps, an image's own."""
    rng = np.random.default_rng(5)
    kind = rng.integers(0, 4, n)
    noisy = np.where(rng.random(n) < 0.005, rng.integers(0, 4, n), kind)
    columns = {
        "Modality": np.array(["CT", "MR", "US", "CR"])[kind],
        "ScanOptions": np.array(["A", "B", "C", "D"])[noisy],
        "PatientAge": [f"{a:03d}Y" for a in rng.integers(20, 90, n)],
        "PatientSex": [x if x in "FM" else None for x in rng.choice(["F", "M", "-"], n)],
    }
    levels = {name: [f"{name}{i}" for i in range(n)] for name in ("image", "series", "study")}
    return pl.DataFrame({**levels, "patient": levels["study"], **columns})


def chosen(method, **asked):
    tags = archive()
    rules = {"max_missing": 0.95, "max_categories": 300, "image_level": False, "drop": []}
    asked = {"method": method, "count": 70, "per_module": None, **asked}
    table = pl.DataFrame({"spelling": ["HEAD"], "term": ["HEAD"]})
    return selection(frequencies(tags.lazy()), tags.lazy(), table, **rules, **asked, seed=1)


@pytest.mark.parametrize("method", ["entropy", "laplacian"])
def test_what_a_better_tag_nearly_tells_is_left_out(method):
    found = chosen(method)
    assert found["keyword"].to_list() == chosen("missing")["keyword"].to_list()
    both = found.filter(pl.col("keyword").is_in(["Modality", "ScanOptions"])).sort("score")
    worse, better = both.iter_rows(named=True)
    assert (better["reason"], worse["reason"]) == ("kept", "nearly redundant")
    assert (better["same_as"], worse["same_as"]) == (None, better["keyword"])
    assert set(found.filter(fate="dropped")["reason"]) <= set(REASONS)
    assert found.filter(fate="kept")["score"].null_count() == 0
    assert found.filter(fate="kept")["keyword"].sort().to_list() == sorted(
        [better["keyword"], "PatientAge", "PatientSex"]
    )


def test_a_method_that_draws_a_sample_wants_a_seed():
    with pytest.raises(ValueError, match="needs a seed"):
        selection(
            frequencies(archive().lazy()),
            archive().lazy(),
            pl.DataFrame({"spelling": ["HEAD"], "term": ["HEAD"]}),
            method="entropy",
            count=70,
            max_missing=0.95,
            max_categories=300,
            image_level=False,
            per_module=None,
            drop=[],
        )


def test_methods_differ_in_what_comes_first():
    first = {
        method: chosen(method, count=1).filter(fate="kept")["keyword"].item()
        for method in ("entropy", "laplacian")
    }
    assert first["entropy"] == "PatientAge"
    assert first["laplacian"] in ("Modality", "ScanOptions")
    assert chosen("missing")["score"].null_count() == 4


def test_a_parser_says_whether_its_tags_may_have_many_categories(monkeypatch):
    """To have a parser is no reason: only a long tail of spellings is."""
    for long_tail, reason in ((False, "free text"), (True, "kept")):
        parser = replace(
            parsers.CATEGORY, name="own", keywords=("ScanOptions",), long_tail=long_tail
        )
        monkeypatch.setattr(parsers, "PARSERS", [*parsers.PARSERS[:9], parser])
        assert reasons(KEPT, tag("ScanOptions", categories=999))["ScanOptions"] == reason


def test_by_missing_share_alone_no_machine_code_is_loaded():
    """A job's start takes a third less: most archives are selected from so."""
    code = "import sys, tagsight.tags.selection; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
