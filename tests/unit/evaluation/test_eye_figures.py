"""What an eye sees, from looks that are made of known values."""

import numpy as np
import polars as pl
import pytest

from tagsight.evaluation.eye_figures import figures, is_no_better_than_pca, remark, retrievals

N = 240


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "trial": np.repeat(np.arange(4), N // 4),
            "patient": [f"{i // 60} {i % 20}" for i in range(N)],
            "label": rng.integers(0, 6, N),
            "modality": rng.choice(["CT", "MR", "US"], N),
            "region": rng.choice(["head", "chest", None], N),
            "manufacturer": rng.choice(["A", "B"], N),
        }
    )


def looks(images, *columns, noise=0.1):
    """Embeddings in which these columns alone are seen, in two arrays."""
    rng = np.random.default_rng(1)
    seen = [images[name].fill_null("").to_dummies().to_numpy() for name in columns]
    out = np.hstack([*seen, np.zeros((N, 3))]) + rng.normal(
        0, noise, (N, sum(map(len, map(np.transpose, seen))) + 3)
    )
    return [out[:100].astype(np.float32), out[100:].astype(np.float32)]


def test_an_eye_finds_what_it_sees_and_nothing_else(images):
    found = retrievals(looks(images, "modality"), images)
    assert found["modality"]["agreement"] > 0.98
    assert found["modality"]["n"] == N
    for blind in ("region", "manufacturer_inside_modality"):
        assert found[blind]["agreement"] == pytest.approx(found[blind]["chance"], abs=0.06)
    assert found["region"]["n"] == images["region"].count()
    assert 0.4 < found["region"]["chance"] < 0.6
    of_scanner = retrievals(looks(images, "manufacturer"), images)
    assert of_scanner["manufacturer_inside_modality"]["agreement"] > 0.98


def test_in_a_flat_run_the_body_part_stands_for_the_region(images):
    flat = images.rename({"region": "body_part"})
    arrays = looks(images, "region")
    assert retrievals(arrays, flat) == retrievals(arrays, images)


def test_an_autoencoder_that_sees_no_more_than_pixels_is_told(images):
    tuning = np.random.default_rng(2).normal(size=(30, 9)).astype(np.float32)
    of = {
        name: figures(arrays, tuning[:, : arrays[0].shape[1]], images)
        for name, arrays in {
            "sharp": looks(images, "modality", "region"),
            "blurred": looks(images, "modality", "region", noise=0.6),
        }.items()
    }
    assert set(of["sharp"]) == {"pair", "retrieval"}
    assert set(of["sharp"]["pair"]["labels"]) >= {"modality", "none"}
    better = {"autoencoder": of["sharp"], "pca": of["blurred"]}
    assert is_no_better_than_pca(better) is False
    assert remark(better) is None
    for other in ("sharp", "blurred"):
        worse = {"autoencoder": of["blurred"], "pca": of[other]}
        assert is_no_better_than_pca(worse) is True
        assert "no more than components of pixels" in remark(worse)
    assert is_no_better_than_pca({"autoencoder": of["sharp"]}) is None
    nothing = [np.full((N, 3), np.nan, np.float32)]
    none = {"autoencoder": {"retrieval": retrievals(nothing, images)}, "pca": of["sharp"]}
    assert is_no_better_than_pca(none) is None
    assert remark(none) is None
