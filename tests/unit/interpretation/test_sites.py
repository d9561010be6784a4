"""Labels by site, against counts made one by one."""

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score

from tagsight.interpretation.sites import by_site

rows = st.lists(
    st.tuples(
        st.sampled_from(["north", "south", "west", None]), st.integers(1, 5), st.integers(0, 9)
    ),
    max_size=60,
)


def images(found):
    columns = {
        "site": pl.Series([site for site, _, _ in found], dtype=pl.String),
        "label": pl.Series([label for _, label, _ in found], dtype=pl.Int64),
        "name": pl.Series([f"name {label}" for _, label, _ in found], dtype=pl.String),
        "person": pl.Series([f"p{person}" for _, _, person in found], dtype=pl.String),
    }
    return pl.DataFrame(columns)


@given(rows)
def test_counts_are_those_of_the_rows(found):
    told = by_site(images(found))
    known = [row for row in found if row[0]]
    assert [site["site"] for site in told["sites"]] == sorted({site for site, _, _ in known})
    places = {label: {s for s, one, _ in known if one == label} for _, label, _ in known}
    for site in told["sites"]:
        own = [row for row in known if row[0] == site["site"]]
        assert site["images"] == len(own)
        assert site["patients"] == len({person for _, _, person in own})
        assert site["labels"] == len({label for _, label, _ in own})
        assert site["alone"] == sorted(n for n, at in places.items() if at == {site["site"]})
    assert [label["label"] for label in told["labels"]] == sorted(places)
    for label in told["labels"]:
        assert label["name"] == f"name {label['label']}"
        assert set(label["sites"]) == places[label["label"]]
        assert label["images"] == sum(at["images"] for at in label["sites"].values())
        for name, at in label["sites"].items():
            of_site = [row for row in known if row[0] == name]
            count = sum(row[1] == label["label"] for row in of_site)
            assert at == {"images": count, "share": pytest.approx(count / len(of_site))}


@given(rows)
def test_the_agreement_is_scikit_learns(found):
    known = [row for row in found if row[0]]
    ami = by_site(images(found))["ami"]
    if len({site for site, _, _ in known}) < 2:
        assert ami is None
    else:
        reference = adjusted_mutual_info_score([s for s, _, _ in known], [n for _, n, _ in known])
        assert math.isclose(ami, reference, abs_tol=1e-9)


def test_labels_that_are_sites_agree_in_full():
    same = images([(site, label, i) for i in range(9) for site, label in (("a", 1), ("b", 2))])
    assert by_site(same)["ami"] == pytest.approx(1)
    assert [site["alone"] for site in by_site(same)["sites"]] == [[1], [2]]
