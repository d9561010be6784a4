"""The table of presets beside what stands of them elsewhere."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file

from tagsight.looks import autoencoder, embedders
from tagsight.looks.embedders import PRESETS
from tagsight.looks.embeddings import reconstructed
from tagsight.looks.training import train

CLONE = Path(__file__).parents[3]
CONFIG = CLONE / "config"


def test_config_and_its_page_name_the_presets_and_describe_them():
    schema = yaml.safe_load((CONFIG / "config.schema.yaml").read_text(encoding="utf-8"))
    rule = schema["properties"]["autoencoder"]["properties"]["preset"]
    assert rule["enum"] == list(PRESETS)
    described = "; ".join(f"{name} {preset.description}" for name, preset in PRESETS.items())
    assert rule["description"] == described
    row = f'| `autoencoder.preset` | `"small"` | {", ".join(PRESETS)} | {described} |'
    assert row in (CONFIG / "README.md").read_text(encoding="utf-8")


def test_a_plan_knows_of_presets_without_torch():
    code = (
        "import sys; from tagsight.looks.embedders import PRESETS;"
        "assert all(preset.memory and preset.speed for preset in PRESETS.values());"
        "assert not {'torch', 'safetensors', 'polars', 'pydicom'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=CLONE, check=True)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_weights_of_a_file_make_an_embedder(preset, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 128, 128), dtype=np.uint8)
    model = preset.network()
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(weights, tmp_path / "weights")
    embeddings = preset.embedder(tmp_path / "weights", "cpu", threads=1).embed(images)
    assert (embeddings.shape, embeddings.dtype) == ((3, preset.length), np.float32)
    with torch.inference_mode():
        expected = model.encode(torch.from_numpy(images[:, None] / np.float32(255)))
    np.testing.assert_allclose(embeddings, expected, rtol=1e-3, atol=1e-4)
    again = reconstructed(preset.trained(tmp_path / "weights"), images)
    assert np.array_equal(again, reconstructed(model, images))


def test_without_a_trained_network_or_images_nothing_is_described(tmp_path):
    preset, images = PRESETS["small"], np.zeros((2, 128, 128), np.uint8)
    save_file({}, tmp_path / "none")
    described = preset.described(tmp_path / "none", images, np.zeros(2, bool), "cpu", 1)
    assert described.shape == (2, preset.length)
    assert np.isnan(described).all()
    state = preset.network().state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, tmp_path / "weights")
    for weights, trained in (("none", False), ("weights", True)):
        assert embedders.is_trained(tmp_path / weights) == trained
        of_none = preset.described(tmp_path / weights, images[:0], np.zeros(0, bool), "cpu", 1)
        assert (of_none.shape, of_none.dtype) == ((0, preset.length), np.float32)
    failed = np.array([False, True])
    described = preset.described(tmp_path / "weights", images, failed, "cpu", 1)
    assert np.isnan(described).all(axis=1).tolist() == failed.tolist()


class Means:
    """An embedder without a network."""

    def embed(self, images):
        return images.mean(axis=2, dtype=np.float32)


def test_images_that_could_not_be_drawn_have_nan():
    images = np.random.default_rng(0).integers(0, 256, (23, 128, 128), dtype=np.uint8)
    failed = np.arange(23) % 5 == 0
    embeddings = embedders.embeddings(Means(), images, failed)
    assert np.array_equal(np.isnan(embeddings).all(1), failed)
    assert np.array_equal(np.isnan(embeddings).any(1), failed)
    assert np.array_equal(embeddings[~failed], Means().embed(images[~failed]))


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_guessed_memory_holds_the_embedding(preset):
    assert preset.memory >= 4 * preset.length


def test_an_entry_is_all_that_a_new_preset_needs(tmp_path, monkeypatch):
    """Trained under its name, by its own network and optimiser."""
    tiny = replace(PRESETS["small"], network=lambda: autoencoder.small((4, 4), 7), length=7)
    monkeypatch.setitem(embedders.PRESETS, "tiny", tiny)
    images = np.random.default_rng(0).integers(0, 256, (6, 128, 128), dtype=np.uint8)
    weights, _ = train(
        images,
        "tiny",
        epochs=1,
        batch=3,
        learning_rate=1e-3,
        validation=0.0,
        device="cpu",
        seed=1,
        threads=1,
        resume=tmp_path / "resume.pt",
    )
    save_file(weights, tmp_path / "weights")
    assert tiny.embedder(tmp_path / "weights", "cpu", 1).embed(images).shape == (6, 7)
