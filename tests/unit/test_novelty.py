"""Categories that a run has not."""

import polars as pl

from tagsight.encoding import Column, Encoding
from tagsight.novelty import named, of_new_kind, sole_codes, unseen

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


def test_unseen_tags_are_named_and_no_value_is():
    found = named(FEATURES, ENCODING)
    assert found.to_list() == [None, "Modality\\ImageType", "ImageType", None]
    only_numbers = Encoding("linear", ENCODING.columns[3:])
    assert named(FEATURES, only_numbers).to_list() == [None] * 4


def test_of_a_new_kind_is_what_has_an_unseen_modality_and_nothing_else():
    assert of_new_kind(FEATURES, ENCODING).to_list() == [False, True, False, False]
    assert of_new_kind(FEATURES, ENCODING.without(["Modality"])).to_list() == [False] * 4


def test_codes_of_one_person_alone_are_found_over_all_parts():
    parts = [
        pl.DataFrame({"person": ["a", "a", "b"], "Modality": [0, 1, 2]}),
        pl.DataFrame({"person": ["c", "b", "c"], "Modality": [0, 2, None]}),
    ]
    encoding = Encoding("linear", ENCODING.columns[:1])
    assert sole_codes(parts, encoding) == {"Modality": [1, 2]}
