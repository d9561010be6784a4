"""Labels by site, against counts made one by one."""

import math
from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score

from tagsight.handover.sites import by_roles, by_site, compared, labelled_images
from tagsight.terms.spelling_table import spelling_table

names = st.sampled_from(["a", "b", None])
rows = st.lists(
    st.tuples(
        st.sampled_from(["north", "south", "west", None]),
        st.integers(1, 5),
        st.integers(0, 9),
        st.tuples(names, names, names),
    ),
    max_size=60,
)


def images(found):
    outside = ("modality", "region", "manufacturer")
    columns = {
        "site": pl.Series([row[0] for row in found], dtype=pl.String),
        "label": pl.Series([row[1] for row in found], dtype=pl.Int32),
        "name": pl.Series([f"name {row[1]}" for row in found], dtype=pl.String),
        "person": pl.Series([f"p{row[2]}" for row in found], dtype=pl.String),
    }
    for i, name in enumerate(outside):
        columns[name] = pl.Series([row[3][i] for row in found], dtype=pl.String)
    return pl.DataFrame(columns)


@given(rows, st.integers(1, 3))
def test_counts_are_those_of_the_rows(found, least):
    told = by_site(images(found), least)
    known = [row for row in found if row[0]]
    people = Counter((site, label) for site, label, _ in {row[:3] for row in known})
    places = {row[1]: {r[0] for r in known if r[1] == row[1]} for row in known}
    assert told["min_patients"] == least
    assert [site["site"] for site in told["sites"]] == sorted({row[0] for row in known})
    for site in told["sites"]:
        own = [row for row in known if row[0] == site["site"]]
        here = {row[1] for row in own}
        enough = {label for label in here if people[site["site"], label] >= least}
        assert site["images"] == len(own)
        assert site["patients"] == len({row[2] for row in own})
        assert site["labels"] == len(here)
        assert site["rare"] == len(here - enough)
        assert site["alone"] == sorted(n for n in enough if places[n] == {site["site"]})
    assert [label["label"] for label in told["labels"]] == sorted(places)
    for label in told["labels"]:
        number = label["label"]
        assert label["name"] == f"name {number}"
        assert set(label["sites"]) == {s for s in places[number] if people[s, number] >= least}
        assert label["images"] == sum(row[1] == number for row in known)
        for name, at in label["sites"].items():
            of_site = [row for row in known if row[0] == name]
            count = sum(row[1] == number for row in of_site)
            assert at == {"images": count, "share": pytest.approx(count / len(of_site))}


def ami(known, value):
    """AMI of the site with a value of rows over all, and its mean inside modalities."""
    sites = [row[0] for row in known]
    if len(set(sites)) < 2:
        return None, None
    whole = adjusted_mutual_info_score(sites, [value(row) for row in known])
    parts = []
    for modality in sorted({row[3][0] for row in known} - {None}):
        part = [row for row in known if row[3][0] == modality]
        if len({row[0] for row in part}) > 1:
            one = adjusted_mutual_info_score([row[0] for row in part], [value(row) for row in part])
            parts.append((len(part), one))
    total = sum(n for n, _ in parts)
    return whole, sum(n * one for n, one in parts) / total if total else None


def close(found, expected):
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, abs_tol=1e-8)


VALUES = {
    "label": lambda row: row[1],
    "modality": lambda row: row[3][0],
    "region": lambda row: row[3][1],
    "manufacturer": lambda row: row[3][2],
}


@given(rows)
def test_the_confounding_is_scikit_learns_on_the_images_that_have_both(found):
    told = by_site(images(found), 1)["confounding"]
    assert [row["with"] for row in told] == list(VALUES)
    for row in told:
        value = VALUES[row["with"]]
        known = [each for each in found if each[0] and value(each) is not None]
        whole, inside = ami(known, value)
        assert row["rows"] == len(known)
        assert row["levels"] == len({value(each) for each in known})
        assert close(row["ami"], whole)
        assert close(row["inside_modality"], None if row["with"] == "modality" else inside)
        of_label = ami(known, VALUES["label"])
        assert close(row["label_ami"], of_label[0])
        assert close(row["label_inside_modality"], of_label[1])


def test_labels_that_are_sites_are_told_from_sites_that_image_different_things():
    def habits(region_of, label_of):
        return images(
            [
                (site, label_of(site, i), i, ("CT", region_of(site, i), "a"))
                for i in range(40)
                for site in ("north", "south")
            ]
        )

    def label_and_region(table):
        (row,) = [row for row in compared(table) if row["with"] == "region"]
        return row["label_inside_modality"], row["inside_modality"]

    both = "a", "b"
    labels_are_sites = habits(lambda _, i: both[i % 2], lambda site, _: 1 + (site == "south"))
    label, region = label_and_region(labels_are_sites)
    assert label == pytest.approx(1)
    assert region == pytest.approx(0, abs=0.05)
    sites_differ = habits(lambda site, _: both[site == "south"], lambda site, _: 1 + (site > "o"))
    assert label_and_region(sites_differ) == (pytest.approx(1), pytest.approx(1))


def test_a_flat_run_is_compared_by_body_part():
    table = images([("a", 1, 1, ("CT", "x", "m")), ("b", 2, 2, ("CT", "y", "m"))])
    told = compared(table.rename({"region": "body_part"}))
    assert [row["with"] for row in told] == ["label", "modality", "body_part", "manufacturer"]


@given(rows, st.randoms(use_true_random=False))
def test_labels_made_anew_and_as_they_are_are_compared_on_the_same_images(found, random):
    anew = [[random.randint(1, 4) for _ in found] for _ in range(2)]
    made = [
        (of, pl.Series(labels, dtype=pl.Int32))
        for of, labels in zip((["content", "order"], ["content"]), anew, strict=True)
    ]
    told = by_roles(images(found), made, ["content"])
    assert [row["roles"] for row in told] == [["content", "order"], ["content"], ["content"]]
    assert [row["anew"] for row in told] == [True, True, False]
    for row, labels in zip(told, [*anew, [each[1] for each in found]], strict=True):
        every = [(r[0], label, *r[2:]) for r, label in zip(found, labels, strict=True)]
        known = [each for each in every if each[0]]
        whole, inside = ami(known, VALUES["label"])
        assert row["rows"] == len(known)
        assert row["levels"] == len({each[1] for each in known})
        assert close(row["ami"], whole)
        assert close(row["inside_modality"], inside)


@pytest.mark.parametrize("tree", [True, False])
def test_what_is_compared_is_that_of_each_image(tree):
    tags = pl.LazyFrame(
        {
            "image": ["1", "2", "3"],
            "site": ["a", None, "b"],
            "Modality": ["CT", "MR", None],
            "Manufacturer": ["SIEMENS", "GE MEDICAL SYSTEMS", None],
            "BodyPartExamined": ["chest", "HEAD", None],
        }
    )
    column = "label" if tree else "cluster"
    annotations = pl.LazyFrame(
        {
            "image": ["3", "1", "2"],
            **{name: ["p", "q", None] for name in ("patient", "study", "series")},
            column: [7, 8, 9],
            "name": ["x", "y", "z"],
        }
    )
    if tree:
        annotations = annotations.with_columns(region=pl.Series([None, "CHEST", "HEAD"]))
    found = labelled_images(tags, annotations, spelling_table(None)).sort("label")
    anatomy = found["region" if tree else "body_part"]
    assert ("body_part" in found.columns) != tree
    assert anatomy.to_list() == [None, "CHEST", "HEAD"]
    assert found["label"].to_list() == [7, 8, 9]
    assert found["person"].to_list() == ["p", "q", ""]
    assert found["site"].to_list() == ["b", "a", None]
    assert found["modality"].to_list() == [None, "CT", "MR"]
    assert found["manufacturer"].null_count() == 1
