"""Values that a run has not."""

import math

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tagsight.assigning.novelty import (
    beyond,
    in_kinds,
    new_tags,
    of_new_kind,
    stated,
    unseen,
    values_of,
)
from tagsight.tags.encoding import Column, Encoding
from tagsight.tree.encodings import FLAT, Branch, Tree

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
    assert found.to_list() == [None, "Modality; ImageType", "ImageType", None]
    assert new_tags(FEATURES, {}).to_list() == [None] * 4


def flat(encoding):
    return Tree({FLAT: Branch(0, True, encoding)})


def statements(kinds, **texts):
    tags = pl.LazyFrame(texts)
    return tags.select(*stated(tags)).collect().with_columns(kind=pl.Series(kinds))


def test_of_a_new_kind_is_what_has_a_modality_that_the_run_has_nowhere():
    new = of_new_kind(statements([FLAT] * 3, Modality=["CT", "MR ", None]))
    assert list(new) == ["kind", "Modality"]  # of SOP classes the run's tags say nothing
    tags = statements([FLAT] * 4, Modality=["mr", "PT", None, ""], SOPClassUID="1.2")
    found = tags.select(**new)
    assert found["Modality"].to_list() == [False, True, False, False]
    assert not found["kind"].any()


def test_what_an_image_states_is_compared_within_its_kind():
    """A kind whose images state nothing is no reason to call what states something new."""
    run = statements(["CT", "MR", "SC"], Modality=["CT", "MR", None], SOPClassUID=["1", None, "7"])
    new = of_new_kind(run)
    tags = statements(
        ["CT", "CT", "MR", "SC", "SC", "US"],
        Modality=["CT", "MR", "MR", "MR", None, "US"],
        SOPClassUID=["1", "1", "1", "7", "1", "7"],
    )
    assert tags.select(**new).to_dict(as_series=False) == {
        "kind": [False] * 5 + [True],
        "Modality": [False, True, False, False, False, False],
        "SOPClassUID": [False, False, False, False, True, False],
    }


def test_a_value_is_new_among_those_of_its_kind_by_the_columns_of_the_kind():
    ct, mr = Encoding("linear", ENCODING.columns[:3]), Encoding("linear", ENCODING.columns[3:])
    rows = FEATURES.with_columns(kind=pl.Series(["CT", "MR", "CT", "US"]))
    found = rows.select(**in_kinds({"CT": unseen(ct, {}), "MR": unseen(mr, {})}))
    assert found.to_dict(as_series=False) == {
        "Modality": [False] * 4,  # the second has a new one, and MR no such column
        "ImageType": [False, False, True, False],
    }
    ends = {"CT": beyond(ENCODING, {"KVP": (5.0, 9.0)}), "MR": beyond(mr, {"KVP": (0.0, 1000.0)})}
    assert rows.select(**in_kinds(ends))["KVP"].to_list() == [True, False, False, False]


def test_each_kind_has_its_own_values():
    part = pl.DataFrame(
        {
            "person": ["a", "b", "a"],
            "kind": ["CT", "CT", "MR"],
            "Modality": [0, 0, 1],
            "KVP": [1.0, 2.0, 9.0],
        }
    )
    encoding = Encoding("linear", (ENCODING.columns[0], ENCODING.columns[3]))
    tree = Tree({"CT": Branch(2, True, encoding), "MR": Branch(1, True, encoding)})
    found = values_of([part], tree)
    assert found["CT"].ends == {"KVP": (1.0, 2.0)}
    assert found["MR"].ends == {"KVP": (9.0, 9.0)}
    assert found["CT"].one_person_codes == {"Modality": []}
    assert found["MR"].one_person_codes == {"Modality": [1]}


def test_what_one_person_alone_has_is_found_over_all_parts():
    parts = [
        pl.DataFrame({"person": ["a", "a", "b"], "Modality": [0, 1, 2], "KVP": [9.0, 1.0, 2.0]}),
        pl.DataFrame({"person": ["c", "b", "c"], "Modality": [0, 2, None], "KVP": [3, 4, None]}),
    ]
    encoding = Encoding("linear", (ENCODING.columns[0], ENCODING.columns[3]))
    found = values_of([part.cast({"KVP": pl.Float32}) for part in parts], flat(encoding))[FLAT]
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
    found = values_of(frames, flat(encoding))[FLAT]
    every = pl.concat(frames)
    told = every.select("person", "KVP", outside=beyond(encoding, found.inner_ends)["KVP"])
    for person, number, outside in told.iter_rows():
        others = every.filter(pl.col("person") != person)["KVP"].drop_nulls().to_list()
        ends = min(others, default=math.inf), max(others, default=-math.inf)
        assert outside == (number is not None and not ends[0] <= number <= ends[1])
    assert not every.select(beyond(encoding, found.ends)["KVP"]).to_series().any()
