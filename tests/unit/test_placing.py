"""The table of medoids, against the clusters that it is made of and a plain count."""

import numpy as np
import polars as pl
import pytest
from test_clusters import ENCODING, sample

from tagsight import clusters, gower, medoids, placing, silhouettes
from tagsight.collapse import collapse, each
from tagsight.encoding import to_features
from tagsight.search import search


@pytest.fixture(scope="module")
def clustered():
    frame = sample(80)
    distances = gower.matrix(to_features(frame, ENCODING), "linear")
    grid = medoids.grid(distances, [3, 5])
    widths = silhouettes.samples(distances, [found.labels for found in grid])
    return frame, clusters.table(
        frame["image"], distances, grid, widths, each(to_features(frame, ENCODING))
    )


def test_the_medoids_of_a_sample_say_what_its_clusters_do(clustered):
    frame, table = clustered
    told, grid = placing.of_sample(table, frame, ENCODING)
    assert told["k"].to_list() == [3] * 3 + [5] * 5
    for k in (3, 5):
        part, own = table.filter(k=k), told.filter(k=k)
        assert own["cluster"].to_list() == list(range(1, k + 1))
        for row in own.iter_rows(named=True):
            members = part.filter(cluster=row["cluster"])
            assert row["image"] == members.filter("medoid")["image"].item()
            assert row["images"] == len(members)
            assert row["loss"] == pytest.approx(members["distance"].sum(), rel=1e-6)
            width = 1 - members["distance"] / members["second_distance"]
            assert row["medoid_silhouette"] == pytest.approx(width.mean(), abs=1e-6)
        assert own.select("image", "KVP", "Modality").equals(
            own.select("image").join(frame, on="image", how="left", maintain_order="left")
        )
    assert grid["k"].to_list() == [3, 5]
    losses = told.group_by("k").agg(pl.sum("loss")).sort("k")["loss"]
    np.testing.assert_allclose(grid["loss"], losses, rtol=1e-12)
    wanted = table.group_by("k").agg(pl.mean("silhouette"), pl.mean("distance")).sort("k")
    np.testing.assert_allclose(grid["silhouette"], wanted["silhouette"], atol=1e-6)
    np.testing.assert_allclose(grid["distance"], wanted["distance"], atol=1e-6)
    assert grid.select("candidates", "share", "swaps").sum().row(0) == (0, 0, 0)


def test_images_in_no_cluster_count_nowhere(clustered):
    frame, table = clustered
    noisy = table.with_columns(
        cluster=pl.when("medoid")
        .then("cluster")
        .otherwise(pl.col("cluster") * (pl.col("distance") < 0.1))
    )
    told, _ = placing.of_sample(noisy, frame, ENCODING)
    assert told["images"].sum() == (noisy["cluster"] > 0).sum()
    assert told["cluster"].min() == 1


def test_members_of_the_samples_own_medoids_are_its_clusters(clustered):
    frame, table = clustered
    told, _ = placing.of_sample(table, frame, ENCODING)
    placed = placing.members(frame, told, ENCODING)
    exact = ["image", "k", "cluster", "medoid"]
    assert placed.select(exact).equals(table.select(exact))
    for name in ("distance", "second_distance", "silhouette"):
        np.testing.assert_allclose(placed[name], table[name], atol=1e-6)


def test_members_of_medoids_from_elsewhere_are_nearest_to_them(clustered):
    frame, _ = clustered
    others = sample(4, seed=9).with_columns(k=pl.lit(4, pl.Int32), cluster=pl.Series([1, 2, 3, 4]))
    placed = placing.members(frame, others, ENCODING)
    assert not placed["medoid"].any()
    assert placed["cluster"].equals(
        clusters.annotate(frame, others, ENCODING)["cluster"].rename("cluster")
    )


def test_a_medoid_stays_with_itself_beside_its_like(clustered):
    frame, _ = clustered
    twice = frame[[7, 7]].with_columns(image=pl.Series(["like", frame["image"][7]]))
    twice = twice.with_columns(k=pl.lit(2, pl.Int32), cluster=pl.Series([1, 2]))
    placed = placing.members(frame, twice, ENCODING)
    row = placed.filter(image=frame["image"][7]).row(0, named=True)
    assert (row["cluster"], row["medoid"], row["distance"], row["second_distance"]) == (
        2,
        True,
        0,
        0,
    )
    assert set(placed["cluster"]) == {1, 2}


@pytest.mark.parametrize("kind", ["images", "rows"])
def test_the_medoids_of_all_images_count_every_image(clustered, tmp_path, kind):
    _, table = clustered
    some = sample(150).with_columns(pl.col("KVP").round(0).cast(pl.Float32))
    frame = pl.concat([some, some.with_columns(image="again " + pl.col("image"))])
    distinct = collapse(to_features(frame, ENCODING), kind)
    assert len(distinct.features) < 150
    starts = placing.starts(table, frame["image"], distinct.row)
    options = {"distance": "linear", "seed": 1, "candidates": 500, "starts": starts}
    outcome = search(
        distinct.features, distinct.weight, [3, 5], resume=tmp_path / "state", **options
    )
    told, grid = placing.of_all(outcome, frame, distinct, ENCODING)
    assert told.group_by("k").agg("images").sort("k")["images"].list.sum().to_list() == [300, 300]
    near = clusters.annotate(frame, told.filter(k=5), ENCODING)
    sums = near.group_by("cluster").agg(pl.len().cast(pl.Int64), pl.sum("distance")).sort("cluster")
    assert told.filter(k=5)["loss"].sum() == pytest.approx(sums["distance"].sum(), rel=1e-5)
    if kind == "images":
        assert told.filter(k=5)["images"].is_sorted(descending=True)
    assert set(told["image"]) <= set(some["image"])  # the first of those alike
    assert (grid["candidates"] == outcome.tried).all()
    assert grid.filter(k=5)["loss"].item() == pytest.approx(near["distance"].sum(), rel=1e-5)


def test_starts_are_the_rows_of_the_samples_medoids(clustered):
    frame, table = clustered
    row = np.arange(80)[::-1].copy()
    found = placing.starts(table, frame["image"], row)
    for k in (3, 5):
        own = clusters.medoid_rows(table.filter(k=k), frame["image"])
        assert found[k].tolist() == sorted(79 - own)
    row[:] = 0
    assert placing.starts(table, frame["image"], row) == {}
