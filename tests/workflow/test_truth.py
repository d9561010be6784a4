"""Clusters against what was planted in the demo archive; the one place where the truth is read."""

import os
from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score


@pytest.fixture
def found(finished):
    """Good images of the demo archive with their cluster and their true groups.

    TAGSIGHT_RUN names another run's folder, say that of `make demo`, to be looked at instead.
    """
    directory = Path(os.environ.get("TAGSIGHT_RUN", finished))
    truth = pl.read_parquet(directory / "results/demo/truth.parquet")
    annotations = pl.concat(
        [pl.read_parquet(p) for p in sorted((directory / "results/annotations").glob("*.parquet"))]
    )
    place = pl.col("path").str.split("demo/archive/").list.last()
    return annotations.select("image", "cluster", path=place).join(
        truth.filter(pl.col("broken").is_null()), on="path", how="inner"
    )


def test_clusters_agree_with_the_planted_groups(found, record_property):
    """Reported, with a bound far above chance (0) and far below what would be suspicious."""
    groups = found.select(pl.concat_str("modality", "body_part", separator=" "))["modality"]
    scores = {
        "modality": adjusted_rand_score(found["modality"], found["cluster"]),
        "modality and body part": adjusted_rand_score(groups, found["cluster"]),
    }
    for label, score in scores.items():
        record_property(f"adjusted Rand index with true {label}", score)
        print(f"adjusted Rand index with true {label}: {score:.3f} ({len(found)} images)")
    assert scores["modality"] > 0.2
    assert 0.05 < scores["modality and body part"] < 0.95


def test_every_good_image_was_taken_and_every_broken_file_was_not(finished):
    truth = pl.read_parquet(finished / "results/demo/truth.parquet")
    good = truth.filter(pl.col("broken").is_null())["path"]
    mended = truth.filter(broken="wrong_transfer_syntax")["path"]  # its pixels say what they are
    broken = truth.filter(pl.col("broken").is_not_null())["path"]
    assert set(good) | set(mended) <= planted_paths(finished, "tags")
    assert set(broken) - set(mended) <= planted_paths(finished, "rejected")


def planted_paths(directory, name):
    shards = sorted((directory / "results" / name).glob("*.parquet"))
    paths = pl.concat([pl.read_parquet(shard, columns=["path"]) for shard in shards])["path"]
    return set(paths.str.split("demo/archive/").list.last())
