"""The images that networks and eyes learn from: of patients in no trial."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from tagsight.arrays import UInt8s
from tagsight.run.atomic import read_json


def learning_images(
    images: Sequence[str | Path], fates: Sequence[str | Path], draws: str | Path
) -> UInt8s:
    """Return the images to learn from that could be drawn, uint8 (n, 128, 128).

    images, fates: files of the autoencoder's sample, then of the tuning sample, whose images are
    taken too where draws.json says that the first are too few.
    """
    samples = 2 if read_json(draws)["shared"] else 1
    parts = []
    for pixels, fate in list(zip(images, fates, strict=True))[:samples]:
        drawn = pl.read_parquet(fate)["reason"].is_null().to_numpy()
        parts.append(np.load(pixels, mmap_mode="r")[drawn])
    return parts[0] if samples == 1 else np.concatenate(parts)
