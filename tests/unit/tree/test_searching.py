import numpy as np
import polars as pl
import pytest
from forest import images, tree

from tagsight.tree import leaves, searching
from tagsight.tree.clusters import tree_clusters
from tagsight.tree.placing import place

NUMBERS = {"CT": 3, "DX": 3}
ALGORITHM = {"algorithm": "fasterpam", "weight": "images"}


@pytest.fixture
def searched(tmp_path):
    """The leaves of 200 images, begun from a sample of them."""
    everything = images(1, ct=120, dx=80, sr=3)
    sample = everything.filter(pl.Series(np.random.default_rng(0).random(len(everything)) < 0.6))
    clusters = leaves.chosen(tree_clusters(sample, tree(), count=10, **ALGORITHM), NUMBERS)
    medoids, summary = searching.of_all(
        everything.lazy(),
        clusters,
        tree(),
        NUMBERS,
        weight="images",
        candidates=500,
        seed=1,
        folder=tmp_path,
    )
    return everything, sample, medoids, summary


def test_a_search_among_all_images_has_as_many_leaves_as_the_sample_in_each_kind(searched):
    _, _, medoids, summary = searched
    assert medoids["cluster"].to_list() == list(range(1, 10))
    assert medoids["kind"].to_list() == ["CT"] * 3 + ["DX"] * 3 + ["SR", "CT", "DX"]
    assert summary.select("kind", "k").rows() == [("CT", 3), ("DX", 3)]


def test_leaves_count_all_images_of_the_archive(searched):
    everything, _, medoids, _ = searched
    placed = place(everything, medoids, tree())
    counted = placed.filter(everything["kind"] != "SR").group_by("cluster").len()
    joined = medoids.drop_nulls("image").join(counted, on="cluster")
    assert joined["images"].to_list() == joined["len"].to_list()


def test_a_medoid_is_of_the_region_of_its_leaf(searched):
    _, _, medoids, _ = searched
    names = ("CHEST", "HEAD")
    for region, code in medoids.drop_nulls("region").select("region", "word.region").rows():
        assert names[code] == region


def test_distances_are_no_larger_than_those_of_the_sample(searched):
    everything, sample, medoids, _ = searched
    before, _ = leaves.of_sample(
        leaves.chosen(tree_clusters(sample, tree(), count=10, **ALGORITHM), NUMBERS),
        sample,
        tree(),
        NUMBERS,
    )
    totals = [place(everything, each, tree())["distance"].sum() for each in (medoids, before)]
    assert totals[0] <= totals[1] + 1e-4


def test_members_are_the_sample_in_the_leaves_of_its_nearest_medoids(searched):
    _, sample, medoids, _ = searched
    members = searching.members(sample, medoids, tree(), "images")
    placed = place(sample, medoids, tree()).filter(sample["kind"] != "SR")
    both = members.join(placed, on="image", suffix="_placed")
    assert len(both) == len(placed)
    assert (both["cluster"] == both["cluster_placed"]).all()
    assert members.filter("medoid")["distance"].to_list() == pytest.approx(
        [0.0] * members["medoid"].sum(), abs=1e-6
    )
