from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from forest import REGION, THICKNESS, images, tree

from tagsight.clustering import k_medoids
from tagsight.gower import metric
from tagsight.tags.encoding import Encoding, to_features
from tagsight.tree import leaves, placing
from tagsight.tree.clusters import most_clusters, tree_clusters
from tagsight.tree.encodings import Branch, Tree
from tagsight.tree.fits import assess, limits

HEAD = REGION.categories.index("HEAD")
HOW = {"count": 10, "algorithm": "fasterpam", "weight": "images"}


@pytest.mark.parametrize(
    ("size", "count", "most"), [(9, 50, 1), (10, 50, 2), (100, 50, 20), (100, 3, 3), (0, 50, 1)]
)
def test_a_kind_has_as_many_clusters_as_it_can_bear(size, count, most):
    assert most_clusters(size, count) == most


def test_each_kind_is_clustered_by_its_own_distances():
    sample = images(1)
    clusters = tree_clusters(sample, tree(), **HOW)
    for kind, k in (("CT", 3), ("DX", 2)):
        rows = sample.filter(kind=kind)
        distances = metric.matrix(to_features(rows, tree().of(kind)), "linear")
        (expected,) = k_medoids.grid(distances, [k])
        of_kind = clusters.filter(kind=kind, k=k)
        assert of_kind["distance"].sum() == pytest.approx(expected.loss, abs=1e-4)
        assert of_kind["image"].to_list() == rows["image"].to_list()


def test_as_many_clusters_as_there_are_different_rows_leave_no_distance():
    clusters = tree_clusters(images(1), tree(), **HOW).filter(kind="DX")
    assert clusters["k"].unique().to_list() == [1, 2, 3]
    assert clusters.filter(k=3)["distance"].to_list() == [0.0] * 40


def test_objects_that_are_no_pictures_are_in_no_cluster():
    clusters = tree_clusters(images(1, sr=30), tree(), **HOW)
    assert set(clusters["kind"]) == {"CT", "DX"}


def test_a_kind_of_one_image_or_of_equal_ones_is_one_cluster():
    for sample in (images(1, ct=1, dx=0), images(1, ct=0, dx=30).with_columns(ViewPosition=0)):
        clusters = tree_clusters(sample, tree(), **HOW)
        assert clusters["k"].to_list() == [1] * len(sample)
        assert clusters["medoid"].sum() == 1


@pytest.fixture
def placed():
    sample, numbers = images(1, sr=5), {"CT": 2, "DX": 3}
    chosen = leaves.chosen(tree_clusters(sample, tree(), **HOW), numbers)
    table, summary = leaves.of_sample(chosen, sample, tree(), numbers)
    return sample, chosen, table, summary, numbers


def test_leaves_are_numbered_over_all_kinds_and_those_without_a_medoid_too(placed):
    _, _, table, summary, _ = placed
    assert table.select("kind", "cluster").rows() == [
        ("CT", 1), ("CT", 2), ("DX", 3), ("DX", 4), ("DX", 5), ("SR", 6), ("CT", 7), ("DX", 8),
    ]  # fmt: skip
    assert table["image"].is_null().to_list() == [False] * 5 + [True] * 3
    assert summary.select("kind", "k").rows() == [("CT", 2), ("DX", 3)]


def test_an_archive_without_a_picture_has_leaves_too():
    reports = images(1, ct=0, dx=0, sr=3)
    only = Tree({"SR": tree().branches["SR"]})
    clusters = leaves.chosen(tree_clusters(reports, only, **HOW), {})
    table, summary = leaves.of_sample(clusters, reports, only, {})
    assert table.select("kind", "cluster", "image").rows() == [("SR", 1, None)]
    assert summary.is_empty()
    placed = placing.place(reports, table, only).with_columns(reports["kind"])
    assert placed["cluster"].to_list() == [1] * 3
    assert assess(placed, table, limits(reports, table, only))["fits"].null_count() == 3


def test_images_are_placed_as_they_were_clustered(placed):
    sample, chosen, table, _, numbers = placed
    result = placing.place(sample, table, tree())
    expected = leaves.renumbered(chosen, leaves.first_leaves(tree(), numbers))
    both = expected.select("image", before="cluster").join(result, on="image")
    assert (both["before"] == both["cluster"]).all()
    assert result["image"].to_list() == sample["image"].to_list()


def test_what_is_no_picture_has_its_leaf_and_no_distance(placed):
    sample, _, table, _, _ = placed
    reports = placing.place(sample, table, tree()).filter(sample["kind"] == "SR")
    assert reports["cluster"].to_list() == [6] * 5
    assert reports["distance"].null_count() == 5


def test_where_a_kind_has_nothing_to_compare_by_no_distance_is_told():
    kinds = {**tree().branches, "NM": Branch(4, True, Encoding("linear", ()))}
    rows = images(1, ct=4, dx=0).with_columns(kind=pl.lit("NM"))
    clusters = tree_clusters(rows, Tree(kinds), **HOW)
    table, _ = leaves.of_sample(clusters, rows, Tree(kinds), {"NM": 1})
    placed = placing.place(rows, table, Tree(kinds))
    assert placed["cluster"].to_list() == [4] * 4
    assert placed["distance"].null_count() == placed["margin"].null_count() == 4


def test_an_image_of_a_region_that_no_leaf_has_is_in_the_rest_of_its_kind(placed):
    _, _, table, _, _ = placed
    unknown = images(2, ct=3, dx=0).with_columns(pl.lit(None, pl.Int32).alias("word.region"))
    result = placing.place(unknown, table, tree())
    assert result["cluster"].to_list() == [7, 7, 7]
    assert result["distance"].null_count() == 3


def test_where_a_medoid_of_another_region_is_nearer_the_region_decided(placed):
    _, _, table, _, _ = placed
    light = Encoding("linear", (THICKNESS, replace(REGION, weight=0.5)))
    uneven = Tree({"CT": Branch(60, True, light)})
    thin_head = pl.when(pl.col("region") == "HEAD").then(1.0).otherwise(9.0)
    leaves = table.filter(kind="CT").with_columns(SliceThickness=thin_head.cast(pl.Float32))
    heads = images(2, ct=2, dx=0).with_columns(pl.lit(HEAD, pl.Int32).alias("word.region"))
    rows = heads.with_columns(SliceThickness=pl.Series([9.0, 1.0], dtype=pl.Float32))
    result = placing.place(rows, leaves, uneven)
    assert result["cluster"].n_unique() == 1
    assert (result["margin"] < 0).to_list() == [True, False]
    assert result["because"].to_list() == ["region", "SliceThickness; region"]


def test_a_region_that_the_sample_lacks_has_a_leaf_of_its_own_also_beside_a_rest():
    region = pl.col("word.region")
    sample = images(1, dx=0).with_columns(  # no head, and some of no region, which are the rest
        pl.when(region == HEAD).then(None).otherwise(region).alias("word.region")
    )
    clusters = leaves.chosen(tree_clusters(sample, tree(), **HOW), {"CT": 4})
    content = pl.DataFrame({"kind": ["CT"] * 60, "region": ["CHEST"] * 50 + ["HEAD"] * 10})
    regions = leaves.regions_of(content.lazy())
    table, _ = leaves.of_sample(clusters, sample, tree(), {"CT": 4}, regions)
    of_rest = table.filter(pl.col("image").is_not_null() & pl.col("region").is_null())
    assert "CT" in of_rest["kind"]
    (own,) = table.filter(kind="CT", region="HEAD")["cluster"]
    heads = images(2, ct=6, dx=0).with_columns(pl.lit(HEAD, pl.Int32).alias("word.region"))
    placed = placing.place(heads, table, tree())
    assert placed["cluster"].to_list() == [own] * 6
    assert placed["distance"].null_count() == 6
    assert own not in placing.place(sample, table, tree())["cluster"]
    few = regions.with_columns(images=pl.when(region="HEAD").then(2).otherwise("images"))
    without, _ = leaves.of_sample(clusters, sample, tree(), {"CT": 4}, few)
    assert without.filter(region="HEAD").is_empty()
    assert placing.place(heads, without, tree())["distance"].null_count() == 0


def test_an_image_of_a_kind_that_the_run_has_not_has_no_leaf(placed):
    _, _, table, _, _ = placed
    new = images(2, ct=1, dx=0).with_columns(kind=pl.lit("US"))
    assert placing.place(new, table, tree())["cluster"].to_list() == [None]


def test_an_image_unlike_all_others_of_its_kind_does_not_fit(placed):
    _, _, table, _, _ = placed
    others = images(3, ct=400, dx=400)
    by_kind = limits(others, table, tree())
    usual = images(4, ct=50, dx=50)
    odd = usual.with_columns(SliceThickness=pl.lit(9.0, pl.Float32))
    for frame, fitting in ((usual, True), (odd, False)):
        rows = placing.place(frame, table, tree()).with_columns(frame["kind"])
        fits = assess(rows, table, by_kind).filter(frame["kind"] == "CT")["fits"]
        assert (fits.mean() > 0.9) == fitting


def test_without_other_patients_of_a_kind_nothing_is_said_of_fit(placed):
    sample, _, table, _, _ = placed
    rows = placing.place(sample, table, tree()).with_columns(sample["kind"])
    assessed = assess(rows, table, limits(images(3, ct=0), table, tree()))
    assert assessed.filter(sample["kind"] == "CT")["fits"].null_count() == 60
    assert assessed.filter(sample["kind"] == "DX")["fits"].null_count() == 0


def test_of_a_number_of_clusters_that_a_sample_has_not_the_nearest_counts():
    clusters = tree_clusters(images(1, ct=25, dx=25), tree(), **HOW)
    assert np.unique(leaves.chosen(clusters, {"CT": 9, "DX": 2})["k"]).tolist() == [2, 5]
