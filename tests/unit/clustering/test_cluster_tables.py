"""Clusters as tables, against what NumPy says of the same distances."""

import numpy as np
import polars as pl
import pytest

from tagsight.clustering import (
    algorithms,
    annotation,
    cluster_tables,
    k_medoids,
    medoids,
    silhouettes,
)
from tagsight.clustering.choice import choose
from tagsight.errors import DataError
from tagsight.gower import metric
from tagsight.gower.distinct_rows import all_rows
from tagsight.tags.encoding import Column, Encoding, to_features

ENCODING = Encoding(
    "linear",
    (
        Column("KVP", "KVP", "numeric", "number", minimum=0.0, maximum=10.0, weight=1.0),
        Column("Modality", "Modality", "categorical", "text", categories=("CT", "MR"), weight=1.0),
    ),
)


def sample(n, seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "image": [f"i{seed}-{i}" for i in range(n)],
            "KVP": pl.Series(rng.uniform(0, 10, n), dtype=pl.Float32),
            "Modality": pl.Series(rng.integers(0, 2, n), dtype=pl.Int32),
        }
    )


@pytest.fixture
def made():
    frame = sample(60)
    distances = metric.matrix(to_features(frame, ENCODING), "linear")
    grid = k_medoids.grid(distances, [3, 5])
    widths = silhouettes.widths(distances, [found.labels for found in grid])
    return (
        frame,
        distances,
        cluster_tables.table(
            frame["image"], distances, grid, widths, all_rows(to_features(frame, ENCODING))
        ),
    )


def test_each_image_is_in_the_cluster_of_its_nearest_medoid(made):
    frame, distances, table = made
    for k in (3, 5):
        part = table.filter(k=k)
        assert part["image"].equals(frame["image"])
        rows = cluster_tables.medoid_rows(part, frame["image"])
        assert len(rows) == k
        nearest = np.sort(distances[:, rows], axis=1)
        np.testing.assert_array_equal(part["distance"], nearest[:, 0])
        np.testing.assert_array_equal(part["second_distance"], nearest[:, 1])
        np.testing.assert_array_equal(part["cluster"], distances[:, rows].argmin(axis=1) + 1)
        sizes = part["cluster"].value_counts(sort=True)["count"].to_list()
        assert sizes == part["cluster"].value_counts().sort("cluster")["count"].to_list()


def medoids_of(part, frame):
    """The medoids of clusters at one K, as medoids.parquet has them."""
    rows = cluster_tables.medoid_rows(part, frame["image"])
    number = pl.Series("cluster", np.arange(1, len(rows) + 1), pl.Int32)
    return frame[rows].with_columns(number)


def test_the_samples_own_images_are_annotated_as_they_were_clustered(made):
    frame, _, table = made
    part = table.filter(k=5)
    annotated = annotation.annotate(frame, medoids_of(part, frame), ENCODING)
    assert annotated["cluster"].equals(part["cluster"])
    np.testing.assert_allclose(annotated["distance"], part["distance"], atol=1e-6)
    margin = part["second_distance"] - part["distance"]
    np.testing.assert_allclose(annotated["margin"], margin, atol=1e-6)


def test_annotations_name_the_second_cluster_and_why_it_was_not_that(made):
    frame, distances, table = made
    found = medoids_of(table.filter(k=5), frame)
    rows = cluster_tables.medoid_rows(table.filter(k=5), frame["image"])
    annotated = annotation.annotate(frame, found, ENCODING)
    second = distances[:, rows].argsort(axis=1, kind="stable")[:, 1] + 1
    apart = (annotated["margin"] > 1e-6).to_numpy()
    np.testing.assert_array_equal(annotated["second"].to_numpy()[apart], second[apart])
    tags = {column.keyword for column in ENCODING.columns}
    said = annotated.filter(pl.col("margin") > 1e-6)["because"]
    assert said.null_count() == 0
    assert {tag for text in said for tag in text.split("; ")} <= tags
    alone = annotation.annotate(frame, found[:1], ENCODING)
    assert alone["second"].null_count() == alone["because"].null_count() == len(frame)


def test_the_held_out_ratio_is_one_for_the_sample_itself_and_more_for_others(made):
    frame, _, table = made
    itself = annotation.held_out(table, frame, frame, ENCODING)
    assert itself["k"].to_list() == [3, 5]
    assert itself["heldout_ratio"].to_list() == [1.0, 1.0]
    others = annotation.held_out(table, frame, sample(500, seed=1), ENCODING)
    assert all(ratio > 1 for ratio in others["heldout_ratio"])


def test_the_k_nearest_to_that_asked_for(made):
    table = made[2]
    assert cluster_tables.nearest_number(table, 2) == 3
    assert cluster_tables.nearest_number(table, 4) == 3
    assert cluster_tables.nearest_number(table, 5) == 5
    assert cluster_tables.nearest_number(table, 50) == 5
    with pytest.raises(DataError, match=r"cluster\.k"):
        cluster_tables.nearest_number(table.clear(), 2)


def test_images_in_no_cluster_are_in_cluster_0_without_a_distance():
    frame = sample(6)
    d = metric.matrix(to_features(frame, ENCODING), "root")
    labels = np.array([0, -1, 0, 1, 0, 1])
    found = medoids.central(d, labels)
    (widths,) = silhouettes.widths(d, [labels])
    table = cluster_tables.table(
        frame["image"], d, [found], [widths], all_rows(to_features(frame, ENCODING))
    )
    assert table["cluster"].to_list() == [1, 0, 1, 2, 1, 2]
    none = table.row(1, named=True)
    assert none["distance"] is None
    assert none["second_distance"] is None
    assert none["silhouette"] == 0
    assert not none["medoid"]
    assert table["distance"].null_count() == 1
    assert cluster_tables.medoid_rows(table, frame["image"]).tolist() == found.medoids.tolist()
    (row,) = cluster_tables.summary(table).to_dicts()
    assert row["loss"] == pytest.approx(found.loss)
    assert row["distance"] == pytest.approx(found.loss / 5)
    assert row["silhouette"] == pytest.approx(widths.sum() / 6, rel=1e-6)


def test_a_grid_without_a_clustering_is_an_empty_table_that_choice_refuses():
    frame = sample(3)
    table = cluster_tables.table(
        frame["image"], np.zeros((3, 3), np.float32), [], [], all_rows(to_features(frame, ENCODING))
    )
    assert table.is_empty()
    grid = annotation.held_out(table, frame, frame, ENCODING)
    with pytest.raises(DataError, match=r"cluster\.k"):
        choose(grid, "heldout", 1.05)


@pytest.mark.parametrize("weight", ["images", "rows"])
def test_equal_images_share_a_cluster_and_count_each_or_once(weight):
    frame = sample(30)
    again = frame[[0] * 7 + list(range(30))].with_columns(image=pl.int_range(37).cast(pl.String))
    features = to_features(again, ENCODING)
    few = algorithms.rows_to_cluster(features, weight, "fasterpam")
    d = metric.matrix(few.features)
    grid = k_medoids.grid(d, [4], weights=few.weight)
    widths = silhouettes.widths(d, [found.labels for found in grid], few.weight)
    table = cluster_tables.table(again["image"], d, grid, widths, few)
    assert len(few.first) == 30
    assert table["cluster"][:8].n_unique() == 1
    assert table.filter("medoid")["cluster"].sort().to_list() == [1, 2, 3, 4]
    assert table["weight"].sum() == pytest.approx(37 if weight == "images" else 30)
    (row,) = cluster_tables.summary(table).to_dicts()
    assert row["loss"] == pytest.approx(grid[0].loss, rel=1e-6)
    if weight == "rows":  # the same as of the 30 alone
        (alone,) = k_medoids.grid(metric.matrix(to_features(frame, ENCODING)), [4])
        assert row["loss"] == pytest.approx(alone.loss, rel=1e-6)
    held = annotation.held_out(table, again, again, ENCODING, weight)
    assert held["heldout_ratio"].to_list() == pytest.approx([1.0])
