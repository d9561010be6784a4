"""Agreement of facets with descriptions: counts by series, words that say more agree."""

import polars as pl

from tagsight.content.facet_check import FEW, check, facet_words, poor
from tagsight.content.tables import content_tables
from tagsight.terms.spelling_table import spelling_table

TABLES = content_tables(None)
SPELLINGS = spelling_table(None)
AXIAL, SAGITTAL, OBLIQUE = "1\\0\\0\\0\\1\\0", "0\\1\\0\\0\\0\\-1", "1\\0\\0\\0\\0.7\\-0.7"


def tags(rows):
    columns = ["image", "series", "Modality", "ImageOrientationPatient", "SeriesDescriptionWords"]
    return pl.LazyFrame(rows, dict.fromkeys(columns, pl.String), orient="row")


def checked(*shards):
    words = pl.concat(facet_words(tags(rows), SPELLINGS, TABLES) for rows in shards)
    return check(words, TABLES.facets)


def test_series_are_counted_once_and_images_each():
    first = [
        ("a", "1", "MR", AXIAL, "plane=AX"),
        ("b", "1", "MR", AXIAL, "plane=AX"),
        ("c", "2", "MR", SAGITTAL, "plane=AX"),
        ("d", "3", "MR", OBLIQUE, "plane=SHORT"),
        ("e", "4", "MR", None, "plane=COR"),
        ("f", "5", "MR", AXIAL, None),
        ("g", "6", "SEG", AXIAL, "plane=COR"),  # no picture
        ("h", None, "MR", AXIAL, "plane=SAG"),
    ]
    second = [("i", "1", "MR", AXIAL, "plane=AX"), ("j", "7", "MR", SAGITTAL, "plane=AX")]
    assert checked(first, second)["plane"] == {
        "filled": 8,
        "filled_with_descriptions": 9,
        "compared": 5,
        "agree": 2,
        "disagreements": [
            {"tags": "SAG", "descriptions": "AX", "series": 2},
            {"tags": "AX", "descriptions": "SAG", "series": 1},
        ],
    }


def test_every_facet_is_listed_even_where_nothing_can_be_compared():
    found = checked([("a", "1", "MR", AXIAL, None)])
    assert list(found) == [facet.name for facet in TABLES.facets]
    assert all(facet["compared"] == 0 for facet in found.values())


def test_a_facet_is_doubted_where_many_series_disagree():
    def of(wrong, n):
        rows = [(f"{i}", f"{i}", "MR", AXIAL, "plane=AX") for i in range(n - wrong)]
        more = [(f"{i}", f"{i}", "MR", AXIAL, "plane=COR") for i in range(n - wrong, n)]
        return poor(checked([*rows, *more]))

    assert of(FEW // 2, FEW) == ["plane"]
    assert of(1, FEW) == []
    assert of(FEW - 1, FEW - 1) == []  # too few to say
