import numpy as np
import polars as pl
import pytest

from study import demo_scores, held_out


@pytest.fixture
def run(tmp_path):
    """A run of two labels whose names are right but for one image of eight."""
    results = tmp_path / "results"
    for folder in ("annotations", "samples", "embeddings", "demo"):
        (results / folder).mkdir(parents=True)
    images = [f"i{i}" for i in range(8)]
    parts = ["CHEST"] * 4 + ["KNEE"] * 4
    paths = [f"p{i}.dcm" for i in range(8)]
    pl.DataFrame(
        {
            "image": images,
            "label": pl.Series([1] * 4 + [2] * 4, dtype=pl.Int32),
            "name": ["DX · chest · PA"] * 4 + ["DX · knee"] * 4,
        }
    ).write_parquet(results / "annotations/0.parquet")
    pl.DataFrame(
        {
            "path": paths,
            "modality": ["DX"] * 8,
            "body_part": parts,
            "view": ["PA", "PA", "PA", "LL"] + ["AP"] * 4,
            "contrast": [None] * 8,
            "maker": ["A", "B"] * 4,
        }
    ).write_parquet(results / "demo/truth.parquet")
    sample = pl.DataFrame(
        {
            "image": images,
            "patient": [f"p{i}" for i in range(8)],
            "series": images,
            "modality": ["DX"] * 8,
            "path": [f"{demo_scores.ARCHIVE}{path}" for path in paths],
            "body_part": parts,
            "manufacturer": ["A", "B"] * 4,
            "model": ["M"] * 8,
            "site": [None] * 8,
        },
        schema_overrides={"site": pl.String},
    )
    vectors = np.repeat([[1.0, 0.0], [0.0, 1.0]], 4, axis=0).astype(np.float32)
    halves = {"trial-01": [0, 1, 4, 5], "trial-02": [2, 3, 6, 7]}
    for name, rows in halves.items():
        sample[rows].write_parquet(results / f"samples/{name}.parquet")
        np.save(results / f"embeddings/{name}.npy", vectors[rows])
    sample.write_parquet(results / "samples/holdout.parquet")
    return tmp_path


def test_labels_are_scored_against_what_was_planted(run):
    scores = dict(demo_scores.scores(run))
    assert scores["labels"] == 2
    assert scores["explained within modality"] == pytest.approx(1)
    assert scores["AMI modality x part"] == pytest.approx(1)
    assert scores["AMI maker inside modality"] < 0.01
    assert scores["part purity"] == 1
    assert scores["names hold, least"] == 0.75


def test_a_name_is_right_where_all_its_words_are(run):
    images, _ = demo_scores.trial_images(run)
    assert dict(demo_scores.name_shares(images)) == {"DX · chest · PA": 0.75, "DX · knee": 1.0}


def test_labels_of_the_holdout_are_compared_with_outside_labels(run):
    scores = dict(held_out.scores(run))
    assert scores["AMI body_part inside modality"] == "1.000"
    assert scores["AMI site inside modality"] == "–"
