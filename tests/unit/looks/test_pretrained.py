"""Networks of users: what they say of images, and what is refused."""

import hashlib
import io
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from tagsight.errors import DataError
from tagsight.looks.pretrained import PretrainedNetwork, load_network

MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.3, 0.4]


class Network(nn.Module):
    """Some convolutions, with or without the mean over places."""

    def __init__(self, pooled=True):
        super().__init__()
        self.pooled, self.layer = pooled, nn.Conv2d(3, 5, 3, stride=2)

    def forward(self, images):
        out = self.layer(images).relu()
        return out.mean((2, 3)) if self.pooled else out


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Network().eval()


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (11, 128, 128), dtype=np.uint8)


def exported(network, path, batch=None):
    """Write a file of torch.export; returns it with its hash."""
    shapes = ({0: torch.export.Dim("batch")},) if batch is None else None
    program = torch.export.export(
        network, (torch.zeros(batch or 2, 3, 64, 64),), dynamic_shapes=shapes
    )
    torch.export.save(program, path)
    return path, hashed(path)


def scripted(network, path):
    torch.jit.script(network).save(path)
    return path, hashed(path)


def hashed(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def eye(network, threads=1, size=64):
    scale = {"size": size, "mean": MEAN, "std": STD}
    return PretrainedNetwork("theirs", network, **scale, device="cpu", threads=threads)


def expected_of(network, images):
    grey = torch.from_numpy(images[:, None] / np.float32(255))
    small = nn.functional.interpolate(grey, (64, 64), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    with torch.inference_mode():
        return network((small.repeat(1, 3, 1, 1) - mean) / std).numpy()


@pytest.mark.parametrize(("save", "name"), [(exported, "net.pt2"), (scripted, "net.pt")])
def test_a_network_of_a_file_says_what_it_says_itself(save, name, network, images, tmp_path):
    path, sha256 = save(network, tmp_path / name)
    loaded = load_network("theirs", path, sha256.upper(), "cpu")
    described = eye(loaded).embed(images)
    assert described.dtype == np.float32
    np.testing.assert_allclose(described, expected_of(network, images), rtol=1e-4, atol=1e-5)
    assert eye(loaded, threads=2).embed(images).tobytes() == described.tobytes()
    assert eye(loaded).embed(images[9:]).tobytes() == described[9:].tobytes()


def test_places_are_averaged(network, images):
    unpooled = Network(pooled=False).eval()
    unpooled.load_state_dict(network.state_dict())
    np.testing.assert_allclose(eye(unpooled).embed(images), eye(network).embed(images), atol=1e-6)


@pytest.mark.parametrize("name", ["net.pt2", "net.pt"])
def test_another_file_is_refused(name, tmp_path):
    (tmp_path / name).write_bytes(b"no network")
    with pytest.raises(DataError, match="SHA-256"):
        load_network("theirs", tmp_path / name, 64 * "0", "cpu")
    with pytest.raises(DataError, match="theirs"):
        load_network("theirs", tmp_path / name, hashed(tmp_path / name), "cpu")


class Evil:
    """Unpickled, it leaves a trace."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return open, (str(self.trace), "w")


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("data/weights/model.pt", "pickle"),
        ("data/constants/opaque_obj_0", "pickle"),
        ("data/aotinductor/model/code.so", b"machine code"),
        ("data/sample_inputs/model.pt", "pickle"),
        ("data/weights/model_weights_config.json", b'{"config": {"w": {"use_pickle": true}}}'),
    ],
)
def test_what_torch_would_unpickle_is_refused(part, content, network, tmp_path):
    path, _ = exported(network, tmp_path / "net.pt2")
    trace = tmp_path / "trace"
    if content == "pickle":
        torch.save(Evil(trace), buffer := io.BytesIO())
        content = buffer.getvalue()
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(tmp_path / "evil.pt2", "w") as evil:
        for name in whole.namelist():
            if not name.endswith(part):
                evil.writestr(name, whole.read(name))
        evil.writestr(f"archive/{part}", content)
    with pytest.raises(DataError, match="theirs"):
        load_network("theirs", tmp_path / "evil.pt2", hashed(tmp_path / "evil.pt2"), "cpu")
    assert not trace.exists()


def test_a_module_pickled_whole_is_refused(network, tmp_path):
    torch.save(network, tmp_path / "net.pt")
    with pytest.raises(DataError, match="no TorchScript"):
        load_network("theirs", tmp_path / "net.pt", hashed(tmp_path / "net.pt"), "cpu")


def test_a_network_of_other_images_is_told(network, images, tmp_path):
    path, sha256 = exported(network, tmp_path / "net.pt2", batch=1)
    with pytest.raises(DataError, match="batch has to be dynamic"):
        eye(load_network("theirs", path, sha256, "cpu")).embed(images)
    with pytest.raises(DataError, match="returns no tensor"):
        eye(lambda images: [images]).embed(images)
