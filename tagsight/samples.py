"""Disjoint samples of an archive, drawn by patient (paper §2.4 and Figure 2; DICOM levels kept).

The paper's samples share no image. Slices of a series share tags and looks, and exams of a patient
share looks, so ours share no patient, and hold at most `per_series` images of a series.
"""

import hashlib
import heapq
from collections.abc import Iterable, Mapping

import polars as pl

from tagsight.errors import DataError


def draw(
    images: pl.DataFrame, sizes: Mapping[str, int], per_series: int, seed: int
) -> pl.DataFrame:
    """Draw samples that share no patient.

    Parameters
    ----------
    images : columns `image`, `series`, `patient` (String; the last two may be null)
    sizes : sample name -> images asked for
    per_series : images of a series at most; 0 is no limit
    seed : another seed, another draw

    Returns the images drawn, with their `sample`; in a sample they are in an order that depends on
    the seed and the images alone, not on the order of the rows. What belongs together is the
    patient; where it is unknown the series, else the image. Where there is less than is asked, all
    samples shrink in proportion.

    Raises DataError if there are fewer patients than samples.
    """
    thinned = _thin(_shuffled(images, seed), per_series).with_columns(
        unit=pl.coalesce("patient", "series", "image")
    )
    units = thinned.group_by("unit").len().sort("unit")
    if len(units) < len(sizes):
        raise DataError(_too_few(len(units), len(sizes)))
    order = sorted(units.iter_rows(), key=lambda row: _rank(seed, row[0]))
    dealt = pl.DataFrame(_dealt(order, sizes), schema=["unit", "sample"], orient="row")
    drawn = thinned.join(dealt, on="unit", maintain_order="left")
    place = pl.int_range(pl.len()).over("sample")
    size = pl.col("sample").replace_strict(dict(sizes), return_dtype=pl.Int64)
    return drawn.filter(place < size).drop("unit", "rank")


def shortfall(drawn: pl.DataFrame, sizes: Mapping[str, int]) -> str | None:
    """Say in one line by how much samples are smaller than asked; None if they are not."""
    got = {name: drawn.filter(pl.col("sample") == name).height for name in sizes}
    short = {name: (got[name], asked) for name, asked in sizes.items() if got[name] < asked}
    if not short:
        return None
    asked = sum(sizes.values())
    worst = min(got, key=lambda name: got[name] / sizes[name])
    return (
        f"samples: the archive is too small for the {asked:,} images asked for; samples hold "
        f"{sum(got.values()) / asked:.0%} of it, {worst} the least ({got[worst]:,} of "
        f"{sizes[worst]:,})"
    )


def _too_few(units: int, samples: int) -> str:
    if units == 0:
        return "input: no file could be taken for an image; results/rejected/ says why of each"
    found = f"the archive has {units} patients (series, where patients are unknown)"
    if units < 4:
        return f"samples: at least 4 patients are needed to keep samples apart, and {found}"
    return (
        f"samples: {samples} samples that share no patient are asked for, and {found}; "
        f"lower samples.trials to {units - 3} or less"
    )


def _dealt(units: Iterable[tuple[str, int]], sizes: Mapping[str, int]) -> list[tuple[str, str]]:
    """Give each unit to the sample that lacks the largest share of what it asked for."""
    lacking = [(-1.0, number, name) for number, name in enumerate(sizes)]
    heapq.heapify(lacking)
    dealt = []
    for unit, images in units:
        if not lacking:
            break
        share, number, name = heapq.heappop(lacking)
        dealt.append((unit, name))
        share += images / sizes[name]
        if share < 0:
            heapq.heappush(lacking, (share, number, name))
    return dealt


def _shuffled(images: pl.DataFrame, seed: int) -> pl.DataFrame:
    rank = [_rank(seed, image) for image in images["image"]]
    return images.with_columns(rank=pl.Series(rank, dtype=pl.UInt64)).sort("rank", "image")


def _thin(images: pl.DataFrame, per_series: int) -> pl.DataFrame:
    """Keep the first `per_series` images of each series; images without a series are all kept."""
    if per_series == 0:
        return images
    place = pl.int_range(pl.len()).over(pl.coalesce("series", "image"))
    return images.filter(place < per_series)


def _rank(seed: int, text: str) -> int:
    digest = hashlib.blake2b(text.encode(), digest_size=8, key=seed.to_bytes(16, "little"))
    return int.from_bytes(digest.digest(), "little")
