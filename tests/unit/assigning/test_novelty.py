"""Values that a run has not."""

import math

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tagsight.assigning.novelty import beyond, kinds, new_kinds, new_tags, unseen, values_of
from tagsight.tags.encoding import Column, Encoding

ENCODING = Encoding(
    "linear",
    (
        Column("Modality", "Modality", "categorical", "text", categories=("CT", "MR", "US")),
        Column("ImageType[0]", "ImageType", "categorical", "text", categories=("A", "B")),
        Column("ImageType[1]", "ImageType", "categorical", "text", categories=("C", "D")),
        Column("KVP", "KVP", "numeric", "number", minimum=0.0, maximum=140.0),
        Column("KVP?", "KVP", "categorical", "presence", categories=("absent", "present")),
    ),
)
FEATURES = pl.DataFrame(
    {
        "Modality": [0, 3, None, 2],
        "ImageType[0]": [0, 1, 2, None],
        "ImageType[1]": [1, 2, 2, 0],
        "KVP": [1.0, 999.0, None, 2.0],
        "KVP?": [1, 1, 0, 1],
    }
)


def test_a_tag_is_unseen_where_any_item_has_a_code_beyond_the_categories():
    found = FEATURES.select(**unseen(ENCODING, {}))
    assert found.to_dict(as_series=False) == {
        "Modality": [False, True, False, False],
        "ImageType": [False, True, True, False],
    }
    also = FEATURES.select(**unseen(ENCODING, {"Modality": [0], "ImageType[1]": [0]}))
    assert also["Modality"].to_list() == [True, True, False, False]
    assert also["ImageType"].to_list() == [False, True, True, True]


def test_a_tag_is_beyond_where_a_number_lies_outside_the_ends():
    found = FEATURES.select(**beyond(ENCODING, {"KVP": (1.0, 140.0)}))
    assert found.to_dict(as_series=False) == {"KVP": [False, True, False, False]}
    found = FEATURES.select(**beyond(ENCODING, {"KVP": (1.5, 999.0)}))
    assert found["KVP"].to_list() == [True, False, False, False]


def test_new_tags_are_named_and_no_value_is():
    found = new_tags(FEATURES, unseen(ENCODING, {}))
    assert found.to_list() == [None, "Modality\\ImageType", "ImageType", None]
    assert new_tags(FEATURES, {}).to_list() == [None] * 4


def test_of_a_new_kind_is_what_has_a_modality_that_the_run_has_nowhere():
    run = pl.LazyFrame({"Modality": ["CT", "MR ", None]})
    known = run.select(kinds(run)).collect()
    tags = pl.LazyFrame({"Modality": ["mr", "PT", None, ""], "SOPClassUID": "1.2"})
    new = new_kinds(known)
    assert list(new) == ["Modality"]  # of SOP classes the run's tags say nothing
    found = tags.select(kinds(tags)).collect().select(**new)
    assert found["Modality"].to_list() == [False, True, False, False]


def test_what_one_person_alone_has_is_found_over_all_parts():
    parts = [
        pl.DataFrame({"person": ["a", "a", "b"], "Modality": [0, 1, 2], "KVP": [9.0, 1.0, 2.0]}),
        pl.DataFrame({"person": ["c", "b", "c"], "Modality": [0, 2, None], "KVP": [3, 4, None]}),
    ]
    encoding = Encoding("linear", (ENCODING.columns[0], ENCODING.columns[3]))
    found = values_of([part.cast({"KVP": pl.Float32}) for part in parts], encoding)
    assert found.one_person_codes == {"Modality": [1, 2]}
    assert found.ends == {"KVP": (1.0, 9.0)}
    assert found.inner_ends == {"KVP": (2.0, 4.0)}  # without a: least 2, largest 4


NUMBERS = st.lists(st.tuples(st.integers(0, 4), st.none() | st.integers(0, 6)), max_size=12)


@given(st.lists(NUMBERS, min_size=1, max_size=4))
def test_inside_the_inner_ends_is_what_lies_inside_without_the_own_person(parts):
    """Against each person left out in turn."""
    schema = {"person": pl.Int64, "KVP": pl.Float32}
    frames = [pl.DataFrame(rows, schema, orient="row") for rows in parts]
    encoding = Encoding("linear", ENCODING.columns[3:4])
    found = values_of(frames, encoding)
    every = pl.concat(frames)
    told = every.select("person", "KVP", outside=beyond(encoding, found.inner_ends)["KVP"])
    for person, number, outside in told.iter_rows():
        others = every.filter(pl.col("person") != person)["KVP"].drop_nulls().to_list()
        ends = min(others, default=math.inf), max(others, default=-math.inf)
        assert outside == (number is not None and not ends[0] <= number <= ends[1])
    assert not every.select(beyond(encoding, found.ends)["KVP"]).to_series().any()
