import polars as pl

from tagsight.tags.labels import in_terms, labels
from tagsight.terms.spelling_table import spelling_table


def test_only_terms_of_the_standard_are_handed_around():
    tags = pl.DataFrame(
        {
            "image": ["a", "b", "c"],
            "Modality": ["MR", "SMITH JOHN", "ct"],
            "BodyPartExamined": ["Schädel", "SMITH JOHN", None],
        }
    )
    outside = labels(tags, spelling_table(None))
    assert outside["body_part"].to_list() == ["SKULL", "SMITH JOHN", None]
    closed = in_terms(outside)
    assert closed["modality"].to_list() == ["MR", None, "CT"]
    assert closed["body_part"].to_list() == ["SKULL", None, None]
    assert closed.drop("modality", "body_part").equals(outside.drop("modality", "body_part"))
