from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.dicom.dictionary import attribute
from tagsight.run.tables import BOOKKEEPING
from tagsight.tags.frequencies import frequencies, keywords_of
from tagsight.tags.selection import selection

TEXT = st.sampled_from(["A", "B", "C", "1", "2.5", "", None])


def table(n=8, **columns):
    """Images in series of 2, studies of 4, all of one patient each study, but for what is given."""
    ids = {
        "image": [f"{i:032x}" for i in range(n)],
        "series": [f"s{i // 2}" for i in range(n)],
        "study": [f"t{i // 4}" for i in range(n)],
        "patient": [f"p{i // 4}" for i in range(n)],
        "path": [f"/a/{i}" for i in range(n)],
    }
    schema = dict.fromkeys([*ids, *columns], pl.String)
    return pl.DataFrame({**ids, **columns}, schema=schema)


def row(keyword, values, min_patients=1, **ids):
    tags = table(len(values), **{keyword: values}, **ids)
    return frequencies(tags.lazy(), min_patients).filter(keyword=keyword).row(0, named=True)


def test_counts_and_what_the_standard_says():
    found = row("Modality", ["CT", "MR", "MR", None, "", "MR", "CT", "MR"])
    assert (found["tag"], found["vr"], found["present"]) == ("0008,0060", "CS", 6)
    assert found["missing_share"] == pytest.approx(2 / 8)
    assert (found["distinct"], found["categories"]) == (2, 2)
    assert found["top_values"] == "MR (4) · CT (2)"


def test_values_of_few_patients_are_not_shown():
    values = ["CT"] * 8 + ["MR"] * 4
    assert row("Modality", values, min_patients=2)["top_values"] == "CT (8)"
    assert row("Modality", values, min_patients=3)["top_values"] is None


@pytest.mark.parametrize(
    ("patients", "shown"), [([None] * 8, None), (["p", *[None] * 7], "CT (8)")]
)
def test_images_without_a_patient_are_of_one_person_at_most(patients, shown):
    found = row("Modality", ["CT"] * 8, min_patients=2, patient=patients)
    assert found["top_values"] == shown


@pytest.mark.parametrize(
    ("values", "level"),
    [
        ("AAAAAAAA", "patient"),
        ("AAAABBBB", "patient"),
        ("AABBCCDD", "series"),
        ("ABCDEFGH", "image"),
        ("A-B-C-D-", "image"),
    ],
)
def test_the_level_is_the_coarsest_at_which_a_value_holds(values, level):
    # In the last one, four of a patient's images have a value, one a series: no series repeats.
    found = row("ScanOptions", [None if v == "-" else v for v in values])
    assert found["level"] == level


def test_of_a_table_of_series_nothing_is_known_of_images():
    series = {"series": [f"s{i}" for i in range(8)]}
    assert row("ScanOptions", [*"ABCDEFGH"], **series)["level"] == "unknown"
    assert row("ScanOptions", [*"AAAABBBB"], **series)["level"] == "patient"


def test_study_level():
    patients = ["p"] * 8
    assert row("ScanOptions", [*"AAAABBBB"], patient=patients)["level"] == "study"


def test_one_image_in_twenty_series_may_differ():
    values = ["A", "A"] * 20
    values[1] = "B"
    one_patient = {"patient": ["p"] * 40, "study": ["t"] * 40}
    assert row("ScanOptions", values, **one_patient)["level"] == "series"
    values[3] = "B"
    assert row("ScanOptions", values, **one_patient)["level"] == "image"


def test_the_level_is_unknown_where_nothing_repeats():
    alone = {k: [*"abcd"] for k in ("series", "study", "patient")}
    assert row("ScanOptions", [*"ABAB"], **alone)["level"] == "unknown"
    nobody = {k: [None] * 4 for k in ("series", "study", "patient")}
    assert row("ScanOptions", [*"ABAB"], **nobody)["level"] == "unknown"


@pytest.mark.parametrize(
    ("keyword", "values", "inferred"),
    [
        ("KVP", ["120", "80"], "numeric"),
        ("KVP", ["x", "y"], "text"),
        ("KVP", ["0", "0", "0", "120"], "numeric"),
        ("PatientAge", ["045Y", "000Y"], "numeric"),
        ("DateOfGainCalibration", ["20200101", ""], "date"),
        ("Modality", ["CT", "MR"], "categorical"),
        ("LongCodeValue", ["good", "bad"], "text"),
        ("PatientID", ["1", "2"], "identifying"),
        ("OperatorsName", ["A^B", "C^D"], "identifying"),
    ],
)
def test_inferred_types(keyword, values, inferred):
    found = row(keyword, values)
    assert found["inferred"] == inferred
    assert inferred != "identifying" or found["top_values"] is None


def test_withheld_keywords_are_counted_and_never_shown():
    tags = table(
        4, withheld=["PatientName\\StudyDate", "PatientName", "", None], Modality=["CT"] * 4
    )
    found = frequencies(tags.lazy(), 1)
    name = found.filter(keyword="PatientName").row(0, named=True)
    assert (name["present"], name["missing_share"], name["inferred"]) == (2, 0.5, "identifying")
    assert name["distinct"] is name["top_values"] is name["level"] is None
    assert found.filter(keyword="StudyDate")["present"].item() == 1
    assert found["keyword"].n_unique() == len(found) == 3


def test_tags_that_divide_the_images_alike_share_a_fingerprint():
    tags = table(
        8,
        Modality=[*"AABBCCAA"],
        SOPClassUID=[*"XXYYZZXX"],
        ScanOptions=[*"AABBBBAA"],
        BodyPartExamined=["A", "A", "B", "B", "C", "C", "A", None],
    )
    found = frequencies(tags.lazy(), 1)
    prints = dict(found.select("keyword", "fingerprint").iter_rows())
    assert prints["Modality"] == prints["SOPClassUID"]
    assert len(set(prints.values())) == 3
    presence = dict(found.select("keyword", "presence").iter_rows())
    assert presence["Modality"] == presence["ScanOptions"] != presence["BodyPartExamined"]


@pytest.mark.parametrize("keyword", ["SeriesDescription", "InstitutionName", "PatientComments"])
def test_text_that_is_kept_is_kept_for_reading_alone(keyword):
    tags = table(8, **{keyword: [*"AAAABBBB"], "Modality": [*"AAAABBBB"]})
    found = frequencies(tags.lazy(), 1, keep=[keyword])
    kept = found.filter(keyword=keyword).row(0, named=True)
    assert (kept["inferred"], kept["top_values"], kept["categories"]) == ("text", None, None)
    asked = {"count": 9, "max_missing": 1.0, "max_categories": 9, "image_level": True, "drop": []}
    asked |= {"method": "missing", "per_module": None}
    fates = selection(found, tags.lazy(), pl.DataFrame(), **asked)
    reasons = dict(fates.select("keyword", "reason").iter_rows())
    assert reasons == {keyword: "free text", "Modality": "kept"}


def test_bookkeeping_is_no_keyword_but_dbdt_is_one():
    marks = {name: ["yes", None] for name in BOOKKEEPING}
    tags = table(2, dBdt=["1", "2"], ProtocolNameRegion=["HEAD", None], **marks)
    assert keywords_of(tags.lazy()) == ["dBdt", "ProtocolNameRegion"]
    assert not {name for name in BOOKKEEPING if attribute(name).tag}


def test_a_region_derived_of_a_text_is_a_tag_of_its_own():
    found = row("ProtocolNameRegion", ["HEAD", "HEAD", "KNEE", None])
    assert (found["tag"], found["inferred"]) == ("0018,1030", "categorical")
    assert (found["categories"], found["top_values"]) == (2, "HEAD (2) · KNEE (1)")


def test_words_of_technique_are_shown_for_what_they_are():
    found = row("ProtocolNameWords", ["plane=AX\\weighting=T2", "plane=AX", "plane=AX", None])
    assert (found["tag"], found["vr"], found["inferred"]) == ("0018,1030", "CS", "categorical")
    assert found["top_values"] == "plane=AX (2) · plane=AX\\weighting=T2 (1)"


@settings(max_examples=40)
@given(st.lists(st.tuples(TEXT, TEXT, st.integers(0, 3)), min_size=1, max_size=12), st.randoms())
def test_counts_recount_and_the_order_of_images_is_nothing(images, random):
    tags = table(
        len(images),
        Modality=[a for a, _, _ in images],
        ScanOptions=[b for _, b, _ in images],
        series=[f"s{s}" for _, _, s in images],
    )
    found = frequencies(tags.lazy(), 1)
    for keyword in ("Modality", "ScanOptions"):
        filled = Counter(v for v in tags[keyword] if v)
        mine = found.filter(keyword=keyword).row(0, named=True)
        assert (mine["present"], mine["distinct"]) == (filled.total(), len(filled))
        assert mine["missing_share"] == 1 - filled.total() / len(images)
    order = random.sample(range(len(images)), len(images))
    shards = [tags[[i]] for i in order]
    assert frequencies(pl.concat(shards).lazy(), 1).equals(found)


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8))
def test_equal_fingerprints_mean_equal_partitions(images):
    first, second = ([v or None for v in column] for column in zip(*images, strict=True))
    tags = table(len(images), Modality=first, ScanOptions=second)
    prints = frequencies(tags.lazy(), 1)["fingerprint"]
    pairs = {(a, b) for a, b in zip(first, second, strict=True) if a or b}
    bijective = len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    same = bijective and all(a and b for a, b in pairs)
    assert (prints[0] == prints[1]) == same
