"""The table of medoids, against the clusters that it is made of and plain loops over images."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cluster_tables import ENCODING, sample

from tagsight.clustering import annotation, cluster_tables, k_medoids, medoid_tables, silhouettes
from tagsight.clustering.search.search import search
from tagsight.gower import metric
from tagsight.gower.distinct_rows import all_rows, collapse
from tagsight.tags.encoding import to_features


@pytest.fixture(scope="module")
def clustered():
    frame = sample(80)
    distances = metric.matrix(to_features(frame, ENCODING), "linear")
    grid = k_medoids.grid(distances, [3, 5])
    widths = silhouettes.widths(distances, [found.labels for found in grid])
    return frame, cluster_tables.table(
        frame["image"], distances, grid, widths, all_rows(to_features(frame, ENCODING))
    )


def few_values(seed, n):
    """Images of which many are alike, in order of their names, as a sample has them."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "image": [f"{seed}-{i:03}" for i in range(n)],
            "KVP": pl.Series(rng.integers(0, 8, n), dtype=pl.Float32),
            "Modality": pl.Series(rng.integers(0, 2, n), dtype=pl.Int32),
        }
    )


def apart(one, other):
    """Gower's distance of two images, after the formula."""
    return (abs(one["KVP"] - other["KVP"]) / 10 + (one["Modality"] != other["Modality"])) / 2


def by_loops(frame, cluster, medoids, kind):
    """What there is to say of clusters, a loop over the images that count.

    cluster: image -> cluster; medoids: the images (dicts) of cluster 1, 2, …. Returns for each
    cluster its images, loss and mean medoid silhouette; of all loss, mean distance, mean medoid
    silhouette and mean silhouette; and the silhouette of each image that counts.
    """
    counted = frame if kind == "images" else frame.unique(["KVP", "Modality"], keep="first")
    counted = counted.sort("image").to_dicts()
    loss, width = ({c: [] for c in range(1, len(medoids) + 1)} for _ in range(2))
    silhouette = {}
    for row in counted:
        own = cluster[row["image"]]
        to = [apart(row, medoid) for medoid in medoids]
        near, second = to[own - 1], min(to[: own - 1] + to[own:])
        loss[own].append(near)
        width[own].append((second - near) / max(second, near) if max(second, near) else 0.0)
        groups = {}
        for other in counted:
            if other["image"] != row["image"]:
                groups.setdefault(cluster[other["image"]], []).append(apart(row, other))
        silhouette[row["image"]] = 0.0
        if own in groups and len(groups) > 1:
            a = np.mean(groups.pop(own))
            b = min(np.mean(each) for each in groups.values())
            silhouette[row["image"]] = (b - a) / max(a, b) if max(a, b) else 0.0
    members = list(cluster.values())
    each = [(members.count(c), sum(loss[c]), np.mean(width[c])) for c in loss]
    losses, widths = (np.concatenate(list(parts.values())) for parts in (loss, width))
    means = losses.sum(), losses.mean(), widths.mean(), np.mean(list(silhouette.values()))
    return each, means, silhouette


def agrees(told, grid, placed, frame, kind):
    """Tables of medoids, of the grid and of clusters say what loops over the images do."""
    for k in told["k"].unique():
        own, part = told.filter(k=k), placed.filter(k=k)
        cluster = dict(part.select("image", "cluster").iter_rows())
        each, means, silhouette = by_loops(frame, cluster, own.to_dicts(), kind)
        measured = own.select("images", "loss", "medoid_silhouette").rows()
        np.testing.assert_allclose(measured, each, atol=1e-5)
        row = grid.filter(k=k).select("loss", "distance", "medoid_silhouette", "silhouette").row(0)
        np.testing.assert_allclose(row, means, atol=1e-5)
        widths = dict(part.select("image", "silhouette").iter_rows())
        for image, width in silhouette.items():
            assert widths[image] == pytest.approx(width, abs=1e-5)
        assert part["weight"].sum() == pytest.approx(len(silhouette), rel=1e-5)


KINDS = {"seed": st.integers(0, 2**32 - 1), "kind": st.sampled_from(["images", "rows"])}


@settings(max_examples=20)
@given(**KINDS)
def test_the_medoids_of_a_sample_say_what_its_clusters_do(seed, kind):
    frame = few_values(seed, 40)
    few = collapse(to_features(frame, ENCODING), kind)
    distances = metric.matrix(few.features, "linear")
    grid = k_medoids.grid(distances, [2, 4], weights=few.weight)
    widths = silhouettes.widths(distances, [found.labels for found in grid], few.weight)
    table = cluster_tables.table(frame["image"], distances, grid, widths, few)
    told, said = medoid_tables.of_sample(table, frame, ENCODING)
    assert told["k"].to_list() == [2] * 2 + [4] * 4
    assert told["cluster"].to_list() == [1, 2, 1, 2, 3, 4]
    medoid = table.filter("medoid").sort("k", "cluster")["image"]
    assert told["image"].equals(medoid)
    assert told.select("image", "KVP", "Modality").equals(
        told.select("image").join(frame, on="image", how="left", maintain_order="left")
    )
    agrees(told, said, table, frame, kind)
    summary = cluster_tables.summary(table)
    for name in ("silhouette", "loss", "distance"):
        np.testing.assert_allclose(said[name], summary[name], rtol=1e-12)
    assert said.select("candidates", "share", "swaps").sum().row(0) == (0, 0, 0)


@settings(max_examples=80)
@given(**KINDS, distance=st.sampled_from(["linear", "root"]))
def test_a_sample_is_annotated_as_it_was_clustered_also_between_medoids(seed, kind, distance):
    frame, encoding = few_values(seed, 30), replace(ENCODING, distance=distance)
    few = collapse(to_features(frame, encoding), kind)
    distances = metric.matrix(few.features, distance)
    grid = k_medoids.grid(distances, [2, 3, 4], weights=few.weight)
    widths = [np.zeros(len(distances), np.float32)] * len(grid)
    table = cluster_tables.table(frame["image"], distances, grid, widths, few)
    told, _ = medoid_tables.of_sample(table, frame, encoding)
    for k in told["k"].unique():
        annotated = annotation.annotate(frame.reverse(), told.filter(k=k), encoding).reverse()
        found = table.filter(k=k)
        for name in ("image", "cluster", "distance"):
            assert annotated[name].to_list() == found[name].to_list()


@settings(max_examples=8)
@given(**KINDS)
def test_the_medoids_of_all_images_say_what_their_clusters_do(seed, kind):
    frame = few_values(seed, 60)
    distinct = collapse(to_features(frame, ENCODING), kind)
    with tempfile.TemporaryDirectory() as folder:
        outcome = search(
            distinct.features,
            distinct.weight,
            [2, 4],
            distance="linear",
            seed=1,
            candidates=50,
            checkpoint=Path(folder) / "state",
        )
    told, said = medoid_tables.of_all(outcome, frame, distinct, ENCODING)
    placed = medoid_tables.members(frame, told, ENCODING, kind)  # the sample is all there is
    agrees(told, said, placed, frame, kind)
    for found in outcome.clusterings:
        annotated = annotation.annotate(frame, told.filter(k=found.k), ENCODING)["cluster"]
        assert (annotated - 1).to_list() == found.labels[distinct.row].tolist()
        assert said.filter(k=found.k)["loss"].item() == pytest.approx(found.loss, rel=1e-9)
    assert (said["candidates"] == outcome.tried).all()
    few = few_values(seed + 1, 25)  # and where the sample is of others
    for k in (2, 4):
        own = told.filter(k=k)
        part = medoid_tables.members(few, own, ENCODING, kind)
        cluster = dict(part.select("image", "cluster").iter_rows())
        *_, silhouette = by_loops(few, cluster, own.to_dicts(), kind)
        assert part["weight"].sum() == pytest.approx(len(silhouette), rel=1e-5)
        mean = np.average(part["silhouette"], weights=part["weight"])
        assert mean == pytest.approx(np.mean(list(silhouette.values())), abs=1e-5)


def test_images_in_no_cluster_count_as_silhouette_0(clustered):
    """As `choice.json` has it: leaving images out is no way to a better mean."""
    frame, table = clustered
    near = pl.col("medoid") | (pl.col("distance") < 0.1)
    noisy = table.with_columns(
        pl.when(near).then("cluster").otherwise(0),
        pl.when(near).then(pl.col("distance", "second_distance")),
        silhouette=pl.when(near).then("silhouette").otherwise(0).cast(pl.Float32),
    )
    assert (noisy["cluster"] == 0).any()
    _, said = medoid_tables.of_sample(noisy, frame, ENCODING)
    np.testing.assert_allclose(said["silhouette"], cluster_tables.summary(noisy)["silhouette"])
    np.testing.assert_allclose(said["distance"], cluster_tables.summary(noisy)["distance"])


def test_images_in_no_cluster_count_nowhere(clustered):
    frame, table = clustered
    noisy = table.with_columns(
        cluster=pl.when("medoid")
        .then("cluster")
        .otherwise(pl.col("cluster") * (pl.col("distance") < 0.1))
    )
    told, _ = medoid_tables.of_sample(noisy, frame, ENCODING)
    assert told["images"].sum() == (noisy["cluster"] > 0).sum()
    assert told["cluster"].min() == 1


def test_members_of_the_samples_own_medoids_are_its_clusters(clustered):
    frame, table = clustered
    told, _ = medoid_tables.of_sample(table, frame, ENCODING)
    placed = medoid_tables.members(frame, told, ENCODING)
    exact = ["image", "k", "cluster", "medoid"]
    assert placed.select(exact).equals(table.select(exact))
    for name in ("distance", "second_distance", "silhouette"):
        np.testing.assert_allclose(placed[name], table[name], atol=1e-6)


def test_members_of_medoids_from_elsewhere_are_nearest_to_them(clustered):
    frame, _ = clustered
    number = pl.Series("cluster", [1, 2, 3, 4], pl.Int32)
    others = sample(4, seed=9).with_columns(number, k=pl.lit(4, pl.Int32))
    placed = medoid_tables.members(frame, others, ENCODING)
    assert not placed["medoid"].any()
    assert placed["cluster"].equals(
        annotation.annotate(frame, others, ENCODING)["cluster"].rename("cluster")
    )


def test_a_medoid_stays_with_itself_beside_its_like(clustered):
    frame, _ = clustered
    twice = frame[[7, 7]].with_columns(image=pl.Series(["a like", frame["image"][7]]))
    twice = twice.with_columns(k=pl.lit(2, pl.Int32), cluster=pl.Series([1, 2]))
    placed = medoid_tables.members(frame, twice, ENCODING)
    row = placed.filter(image=frame["image"][7]).row(0, named=True)
    assert (row["cluster"], row["medoid"], row["distance"], row["second_distance"]) == (
        2,
        True,
        0,
        0,
    )
    assert set(placed["cluster"]) == {1, 2}


def test_a_medoid_of_all_images_is_the_first_of_those_alike(clustered, tmp_path):
    _, table = clustered
    some = sample(150).with_columns(pl.col("KVP").round(0).cast(pl.Float32))
    frame = pl.concat([some, some.with_columns(image="again " + pl.col("image"))])
    distinct = collapse(to_features(frame, ENCODING))
    starts = medoid_tables.starts(table, frame["image"], distinct.row)
    options = {"distance": "linear", "seed": 1, "candidates": 500, "starts": starts}
    outcome = search(
        distinct.features, distinct.weight, [3, 5], checkpoint=tmp_path / "state", **options
    )
    told, _ = medoid_tables.of_all(outcome, frame, distinct, ENCODING)
    assert told["image"].is_in(some["image"].implode()).all()
    assert told.filter(k=5)["images"].is_sorted(descending=True)
    near = annotation.annotate(frame, told.filter(k=5), ENCODING)
    assert told.filter(k=5)["loss"].sum() == pytest.approx(near["distance"].sum(), rel=1e-5)


def test_starts_are_the_rows_of_the_samples_medoids(clustered):
    frame, table = clustered
    row = np.arange(80)[::-1].copy()
    found = medoid_tables.starts(table, frame["image"], row)
    for k in (3, 5):
        own = cluster_tables.medoid_rows(table.filter(k=k), frame["image"])
        assert found[k].tolist() == sorted(79 - own)
    row[:] = 0
    assert medoid_tables.starts(table, frame["image"], row) == {}
