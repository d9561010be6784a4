"""What an eye sees, from looks that are made of known values."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from tagsight.evaluation.eye_figures import eye, figures, remark, retrievals, seen, seen_beyond

N = 240


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "trial": np.repeat(np.arange(4), N // 4),
            "patient": [f"{i // 60} {i % 20}" for i in range(N)],
            "has_patient": True,
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


def of_eyes(images, **arrays):
    """Figures of all eyes, of their embeddings."""
    tuning = np.random.default_rng(2).normal(size=(30, 9)).astype(np.float32)
    return figures(
        {name: eye(each, tuning[:, : each[0].shape[1]], images) for name, each in arrays.items()}
    )


def test_an_autoencoder_that_sees_no_more_than_formulas_is_told(images):
    sharp = looks(images, "modality", "region")
    blurred = looks(images, "modality", "region", noise=0.6)
    found = of_eyes(images, autoencoder=sharp, hog=blurred, pca=blurred)
    assert set(found) == {"pair", "scanners", "eyes"}
    assert found["pair"] == found["eyes"]["autoencoder"]["pair"]
    assert found["eyes"]["pca"]["sees"]["ci95"][1] < 0
    assert remark(found["eyes"]) is None
    found = of_eyes(images, autoencoder=blurred, hog=sharp, pca=blurred)
    assert found["eyes"]["pca"]["sees"] == {"difference": 0, "ci95": (0, 0)}
    assert found["eyes"]["hog"]["sees"]["ci95"][0] > 0
    assert "no more than components of pixels (pca) and less than gradients (hog):" in remark(
        found["eyes"]
    )
    found = of_eyes(images, autoencoder=blurred, hog=blurred, pca=sharp)
    assert "gradients" not in remark(found["eyes"])
    assert remark(of_eyes(images, autoencoder=sharp)["eyes"]) is None
    nothing = of_eyes(images, autoencoder=[np.full((N, 9), np.nan, np.float32)], pca=sharp)
    assert nothing["eyes"]["pca"]["sees"] is None
    assert remark(nothing["eyes"]) is None


def test_a_difference_between_eyes_has_a_jackknife_by_trials(images):
    own = retrievals(looks(images, "modality", noise=0.6), images)
    other = retrievals(looks(images, "modality", "region", noise=0.6), images)
    said = seen_beyond(own, other)
    trials, names = images["trial"].n_unique(), ("modality", "region")

    def without(found, left_out):
        rest = {
            name: [row for i, row in enumerate(found[name]["by_trial"]) if i != left_out]
            for name in names
        }
        return np.mean([sum(s * n for s, n in r) / sum(n for _, n in r) for r in rest.values()])

    parts = np.array([without(other, i) - without(own, i) for i in range(trials)])
    error = np.sqrt((trials - 1) / trials * np.square(parts - parts.mean()).sum())
    assert said["difference"] == pytest.approx(seen(other) - seen(own))
    assert said["difference"] == pytest.approx(without(other, None) - without(own, None))
    reach = stats.t.ppf(0.975, trials - 1) * error
    assert said["ci95"][1] - said["difference"] == pytest.approx(reach)
    one = images.with_columns(trial=0)
    alone = [retrievals(looks(images, name), one) for name in ("modality", "region")]
    assert seen_beyond(*alone) is None


def test_all_that_is_shown_is_one_family_of_tests(images):
    sharp = looks(images, "modality", "region")
    found = of_eyes(images, autoencoder=sharp, hog=sharp, pca=sharp)
    alone = of_eyes(images, autoencoder=sharp)
    rows = [f for of in found["pair"].values() for f in of.values() if f["p"] is not None]
    least = min(rows, key=lambda row: row["p"])
    assert least["p_holm"] == pytest.approx(min(1, least["p"] * (len(rows) + 2)))
    few = [f for of in alone["pair"].values() for f in of.values() if f["p"] is not None]
    assert min(row["p_holm"] for row in few) == pytest.approx(least["p"] * len(few))
    for name in ("hog", "pca"):
        own = found["eyes"][name]["pair"]
        assert own["labels"]["modality"]["p_holm"] is not None
        assert own["labels"]["none"]["p_holm"] is None
