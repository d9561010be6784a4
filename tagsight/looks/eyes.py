"""Eyes: what describes looks, by name. The first is the autoencoder; the others are its referees.

What the autoencoder finds should not rest on the autoencoder alone. `hog` and `pca` learn nothing
but a mean, and components of pixels, from images in no trial; networks learned from other pictures.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tagsight.arrays import Bools, Float32s, UInt8s
from tagsight.looks.embedders import Embedder, embeddings

AUTOENCODER = "autoencoder"
FITTED = 4_000  # images at most that an eye takes its mean from, evenly spread
Entry = str | Mapping[str, Any]  # of the config's `eyes`: a name, or a section of a network
Fits = Mapping[str, Float32s]


@dataclass(frozen=True)
class Eye:
    """An eye beside the autoencoder, as an entry of EYES.

    description: its text in config/config.schema.yaml, after its name
    embedder: returns it, from what it learned, a device and a number of threads
    fit: returns what it learns beside its mean, by name, from images uint8 (n, 128, 128)
    """

    description: str
    embedder: Callable[[Fits, str, int], Embedder]
    fit: Callable[[UInt8s], dict[str, Float32s]] | None = None


def _hog(_fits: Fits, _device: str, _threads: int) -> Embedder:
    from tagsight.looks.hog import GradientHistograms

    return GradientHistograms()


def _pca(fits: Fits, _device: str, _threads: int) -> Embedder:
    from tagsight.looks.principal_components import PrincipalComponents

    return PrincipalComponents(fits["components"])


def _components(images: UInt8s) -> dict[str, Float32s]:
    from tagsight.looks.principal_components import principal_components

    return {"components": principal_components(images)}


def _efficientnet(_fits: Fits, device: str, threads: int) -> Embedder:
    from tagsight.looks.pretrained import PretrainedNetwork, efficientnet_lite0

    scale: dict[str, Any] = {"size": 224, "mean": [127 / 255] * 3, "std": [128 / 255] * 3}
    network = efficientnet_lite0(device)
    return PretrainedNetwork("efficientnet-lite0", network, **scale, device=device, threads=threads)


# The names that `eyes` may hold beside `autoencoder`. A new one is an entry here, and its name and
# description in config/config.schema.yaml, which a test holds to this table.
EYES = {
    "hog": Eye("histograms of oriented gradients", _hog),
    "pca": Eye("64 principal components of pixels", _pca, _components),
    "efficientnet-lite0": Eye(
        "a small network trained on photographs, of the extra `efficientnet`",
        _efficientnet,
    ),
}


def name_of(entry: Entry) -> str:
    """Return the name of an entry of the config's `eyes`: a name, or a section of a network."""
    return entry if isinstance(entry, str) else entry["name"]


def fit_all(
    entries: Sequence[Entry], images: UInt8s, device: str, threads: int
) -> dict[str, Float32s]:
    """Return what the eyes beside the autoencoder learn, see `fit`: `hog.centre`, `pca.components`.

    entries: the config's `eyes`; images: uint8 (n, 128, 128), in no trial; may be a memory map.
    """
    return {
        f"{name_of(entry)}.{what}": values
        for entry in _referees(entries)
        for what, values in fit(entry, images, device, threads).items()
    }


def see_all(
    entries: Sequence[Entry], fits: Fits, images: UInt8s, failed: Bools, device: str, threads: int
) -> dict[str, Float32s]:
    """Return what the eyes beside the autoencoder say of images, see `see`, by name.

    fits: of `fit_all`, from the same entries.
    """
    seen = {}
    for entry in _referees(entries):
        prefix = f"{name_of(entry)}."
        own = {key.removeprefix(prefix): fits[key] for key in fits if key.startswith(prefix)}
        seen[name_of(entry)] = see(entry, own, images, failed, device, threads)
    return seen


def sights(files: Sequence[str | Path]) -> Iterator[tuple[str, list[Float32s]]]:
    """Yield each eye's name and its descriptions of some samples, float32 (m, d) each.

    files: of `see_all`, one a sample. Of one eye at a time they are held.
    """
    from safetensors import safe_open

    with ExitStack() as stack:
        opened = [stack.enter_context(safe_open(file, "numpy")) for file in files]
        for name in opened[0].keys() if opened else ():
            yield name, [file.get_tensor(name) for file in opened]


def fit(entry: Entry, images: UInt8s, device: str, threads: int) -> dict[str, Float32s]:
    """Return what an eye learns from images: its mean description `centre` (d,), and what it needs.

    entry: of the config's `eyes`; images: uint8 (n, 128, 128), in no trial; may be a memory map.
    At most 4,000 are taken, evenly spread. Of none nothing is learned: an empty mapping.
    """
    if not len(images):
        return {}
    spread = np.linspace(0, len(images) - 1, min(len(images), FITTED)).round().astype(np.int64)
    taken = images[spread]
    learn = EYES[entry].fit if isinstance(entry, str) else None
    fits = learn(taken) if learn else {}
    described = _embedder(entry, fits, device, threads).embed(taken)
    return fits | {"centre": described.mean(axis=0, dtype=np.float64).astype(np.float32)}


def see(
    entry: Entry, fits: Fits, images: UInt8s, failed: Bools, device: str, threads: int
) -> Float32s:
    """Return an eye's descriptions of images, its mean taken off: float32 (n, d).

    fits: of `fit`; images: uint8 (n, 128, 128); failed: bool (n,), which could not be drawn. These
    have NaN, and all have where nothing was learned (d is then 1).
    """
    if not fits or not len(images):
        return np.full((len(images), len(fits["centre"]) if fits else 1), np.nan, np.float32)
    described = embeddings(_embedder(entry, fits, device, threads), images, failed)
    return described - fits["centre"]


def _referees(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if name_of(entry) != AUTOENCODER]


def _embedder(entry: Entry, fits: Fits, device: str, threads: int) -> Embedder:
    if isinstance(entry, str):
        return EYES[entry].embedder(fits, device, threads)
    from tagsight.looks.pretrained import PretrainedNetwork, load_network

    network = load_network(entry["name"], entry["file"], entry["sha256"], device)
    scale = {key: entry[key] for key in ("size", "mean", "std")}
    return PretrainedNetwork(entry["name"], network, **scale, device=device, threads=threads)
