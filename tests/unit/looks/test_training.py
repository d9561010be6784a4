import io
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from tagsight.errors import DataError
from tagsight.looks import training
from tagsight.looks.embedders import PRESETS
from tagsight.looks.training import split, train
from tagsight.run.atomic import read_state, write_state


def blobs(n=44):
    """Bright discs of random place and size on black."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:128, :128]
    place, size = rng.integers(40, 88, (n, 2, 1, 1)), rng.integers(10, 30, (n, 1, 1))
    return ((np.hypot(y - place[:, 0], x - place[:, 1]) < size) * 200).astype(np.uint8)


def run(resume, epochs=3, threads=2, images=None, preset="small", **other):
    settings = {"batch": 20, "learning_rate": 1e-3, "validation": 0.1, "device": "cpu", "seed": 4}
    return train(
        blobs() if images is None else images,
        preset,
        epochs=epochs,
        threads=threads,
        resume=resume,
        **settings | other,
    )


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def broken(resume, **other):
    """The same training by a job for each epoch, which knows of the others by the file alone."""
    for epochs in (1, 2, 3):
        weights, history = run(resume, epochs=epochs, **other)
    return weights, history


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    return run(tmp_path_factory.mktemp("training") / "resume.pt")


def test_learns(tmp_path):
    _, history = run(tmp_path / "resume.pt", epochs=8, batch=5)
    assert history["epoch"].to_list() == [*range(1, 9)]
    assert history["loss"][-1] < history["loss"][0] / 2
    assert history["validation_loss"][-1] < history["validation_loss"][0]
    assert (history["images_per_second"] > 0).all()


def test_number_of_threads_does_not_show(tmp_path, unbroken):
    weights, history = run(tmp_path / "resume.pt", threads=1)
    assert same(weights, unbroken[0])
    kept = ["loss", "validation_loss"]
    assert history.select(kept).equals(unbroken[1].select(kept))


def test_paper_preset_gives_the_same_bytes_broken_and_by_other_threads(tmp_path):
    settings = {"images": blobs(9), "preset": "paper", "batch": 4, "validation": 0.25}
    weights, history = run(tmp_path / "one.pt", threads=2, **settings)
    again, other = broken(tmp_path / "two.pt", threads=1, **settings)
    assert same(weights, again)
    kept = ["epoch", "loss", "validation_loss"]
    assert history.select(kept).equals(other.select(kept))


def test_another_seed_gives_other_weights(tmp_path, unbroken):
    assert not same(run(tmp_path / "resume.pt", seed=5)[0], unbroken[0])


class Killed:
    """Progress that ends the process, as SIGKILL would, in the epoch after the first."""

    def resume(self, _n):
        pass

    def add(self, _n):
        os._exit(9)


def test_killed_and_started_again_gives_the_same_bytes(tmp_path, unbroken):
    resume = tmp_path / "resume.pt"
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import test_training as t;"
        "t.run(pathlib.Path(sys.argv[2]), progress=t.Killed())"
    )
    command = [sys.executable, "-c", code, os.path.dirname(__file__), str(resume)]
    assert subprocess.run(command, check=False).returncode == 9
    done = torch.load(io.BytesIO(read_state(resume)), weights_only=True)["history"]
    assert len(done) == 1
    resume.with_name("resume.pt.part").write_bytes(b"half a file")
    weights, history = run(resume)
    assert same(weights, unbroken[0])
    assert history["images_per_second"][0] == done[0]["images_per_second"]
    assert history.height == 3


def of_another_version(resume):
    """Whole, and of a network of other layers."""
    state = torch.load(io.BytesIO(read_state(resume)), weights_only=True)
    name = list(state["model"])[-1]
    state["model"] = {each: values + 1 for each, values in state["model"].items() if each != name}
    content = io.BytesIO()
    torch.save(state, content)
    write_state(content.getvalue(), resume)


def flipped(resume):
    data = bytearray(resume.read_bytes())
    data[len(data) // 2] ^= 1
    resume.write_bytes(data)


@pytest.mark.parametrize(
    "harm",
    [flipped, of_another_version, lambda resume: os.truncate(resume, 5000)],
    ids=["flipped", "of another version", "cut"],
)
def test_a_state_that_cannot_be_used_is_trained_anew(tmp_path, unbroken, harm, caplog):
    """With a line, and to the same weights as if it had never been."""
    resume = tmp_path / "resume.pt"
    run(resume, epochs=2)
    harm(resume)
    with caplog.at_level("WARNING", "tagsight"):
        weights, history = run(resume)
    assert "resume.pt of an earlier try is damaged" in caplog.text
    assert same(weights, unbroken[0])
    assert history.height == 3


def test_gradient_of_pieces_is_that_of_the_batch(tmp_path):
    """One step of one batch, against torch's own mean squared error on all of it."""
    images = blobs(20)
    weights, history = run(tmp_path / "resume.pt", epochs=1, images=images, validation=0.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        model = PRESETS["small"].network()
    steps = PRESETS["small"].optimizer(model, 1e-3)
    whole = torch.from_numpy(images[:, None] / np.float32(255))
    loss = torch.nn.functional.mse_loss(model(whole), whole)
    loss.backward()
    steps.step()
    assert history["loss"][0] == pytest.approx(loss.item(), rel=1e-4)
    moved = [(weights[key] - value).abs() for key, value in model.state_dict().items()]
    assert np.mean([each.mean().item() for each in moved]) < 1e-5


def test_paper_preset_trains(tmp_path):
    _, history = run(tmp_path / "r.pt", epochs=2, images=blobs(12), preset="paper", batch=6)
    assert history["loss"][1] < history["loss"][0]


def test_images_kept_on_the_device_give_the_same_bytes(tmp_path, unbroken, monkeypatch):
    """As on a GPU, whose copy of the images is then the CPU's."""
    monkeypatch.setattr(training, "is_held", lambda _images, _place: True)
    weights, history = run(tmp_path / "resume.pt")
    assert same(weights, unbroken[0])
    assert history["validation_loss"].equals(unbroken[1]["validation_loss"])


@pytest.mark.parametrize("rows", [[3], [4, 0, 4, 1], [*range(8)]])
def test_images_are_the_same_kept_on_the_device_or_read_where_they_are(rows, monkeypatch):
    images = np.random.default_rng(1).integers(0, 256, (8, 128, 128), np.uint8)
    taken = {}
    for held in (False, True):
        monkeypatch.setattr(training, "is_held", lambda _images, _place, held=held: held)
        taken[held] = training._taken(images, torch.device("cpu"))(np.array(rows))
    expected = torch.from_numpy(images[rows][:, None] / np.float32(255))
    assert torch.equal(taken[False], expected)
    assert torch.equal(taken[True], expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch can use")
@pytest.mark.parametrize("preset", PRESETS)
def test_a_gpu_trains_as_the_cpu_does_and_gives_the_same_bytes_broken(preset, tmp_path):
    settings = {"images": blobs(12), "preset": preset, "batch": 6, "validation": 0.25}
    assert training.is_held(blobs(12), torch.device("cuda"))
    weights, history = run(tmp_path / "one.pt", device="cuda", **settings)
    assert same(weights, broken(tmp_path / "two.pt", device="cuda", **settings)[0])
    _, other = run(tmp_path / "three.pt", device="cpu", **settings)
    for column in ("loss", "validation_loss"):
        np.testing.assert_allclose(history[column], other[column], rtol=0.02)


def test_split_is_a_partition():
    training, watching = split(50, 0.1, seed=1)
    assert sorted([*training, *watching]) == [*range(50)]
    assert len(watching) == 5
    assert len(split(2, 0.9, seed=1)[0]) == 1


def test_without_validation_its_loss_is_null(tmp_path):
    assert run(tmp_path / "r.pt", epochs=1, validation=0.0)[1]["validation_loss"].to_list() == [
        None
    ]


@pytest.mark.parametrize("images", [0, 1])
def test_of_too_few_images_nothing_is_trained(tmp_path, images):
    weights, history = run(tmp_path / "r.pt", images=blobs(12)[:images])
    assert weights == {}
    assert history.is_empty()
    assert not (tmp_path / "r.pt").exists()


def test_divergence_is_said(tmp_path):
    with pytest.raises(DataError, match="learning_rate"):
        run(tmp_path / "r.pt", learning_rate=1e30)
