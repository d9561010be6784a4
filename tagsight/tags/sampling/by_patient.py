"""Disjoint samples of an archive, drawn by patient (paper §2.4 and Figure 2; DICOM levels kept).

The paper's samples share no image. Slices of a series share tags and looks, and exams of a patient
share looks, so ours share no patient, and hold at most `per_series` images of a series.
"""

import hashlib
import heapq
from collections.abc import Iterable, Mapping

import polars as pl

FROM_TAGS = ("tuning", "holdout")  # the samples whose images are compared by tags, not by looks


def draw(
    images: pl.DataFrame, sizes: Mapping[str, int], per_series: int, seed: int
) -> pl.DataFrame:
    """Return samples of images that share no patient.

    images: `image`, `series`, `patient`, `undrawable` (String; all but the first may be null), and
    columns to keep; sizes: sample -> images asked for; per_series: most images of a series, 0 for
    no limit; seed: of the draw.

    Returns the images drawn, with their `sample`, in order of `image`. The draw depends on
    the seed and the images alone, not on the order of the rows. The unit is the patient; where it
    is unknown the series, else the image. If the archive is too small, all samples shrink in
    proportion. Images that have tags alone (`undrawable`) are drawn for FROM_TAGS only, and
    within a series after all drawable ones. Where fewer patients have images that can be drawn than
    there are samples, some samples have no image.
    """
    thinned = thinned_in_order(images, per_series, seed)
    drawable = pl.col("undrawable").is_null()
    units = thinned.group_by("unit").agg(pl.len(), drawable.sum().alias("drawable")).sort("unit")
    order = sorted(units.iter_rows(), key=lambda row: rank(seed, row[0]))
    schema = {"unit": pl.String, "sample": pl.String}
    assigned = pl.DataFrame(_assigned(order, sizes), schema, orient="row")
    drawn = thinned.join(assigned, on="unit", maintain_order="left").filter(
        drawable | pl.col("sample").is_in(FROM_TAGS)
    )
    place = pl.int_range(pl.len()).over("sample")
    size = pl.col("sample").replace_strict(dict(sizes), return_dtype=pl.Int64)
    return drawn.filter(place < size).drop("unit", "rank").sort("image")


def shortfall(drawn: pl.DataFrame, sizes: Mapping[str, int]) -> str | None:
    """Return one line on how much smaller samples are than asked for; None if they are not."""
    actual = {name: drawn.filter(pl.col("sample") == name).height for name in sizes}
    short = {name: (actual[name], n) for name, n in sizes.items() if actual[name] < n}
    if not short:
        return None
    asked = sum(sizes.values())
    worst = min(actual, key=lambda name: actual[name] / sizes[name])
    return (
        f"samples: the archive is too small for the {asked:,} images asked for; samples hold "
        f"{sum(actual.values()) / asked:.0%} of it, {worst} the least "
        f"({actual[worst]:,} of {sizes[worst]:,})"
    )


def _assigned(
    units: Iterable[tuple[str, int, int]], sizes: Mapping[str, int]
) -> list[tuple[str, str]]:
    """Units with their samples; each goes to the sample that lacks the largest share of its size.

    units: name, number of images, number of drawable images.
    """
    lacking = [(-1.0, number, name) for number, name in enumerate(sizes)]
    heapq.heapify(lacking)
    assigned = []
    for unit, images, drawable in units:
        if not lacking:
            break
        share, number, name = heapq.heappop(lacking)
        assigned.append((unit, name))
        share += (images if name in FROM_TAGS else drawable) / sizes[name]
        if share < 0:
            heapq.heappush(lacking, (share, number, name))
    return assigned


def thinned_in_order(images: pl.DataFrame, per_series: int, seed: int) -> pl.DataFrame:
    """Return the images in a random order, at most `per_series` of a series, drawable ones first.

    images, per_series, seed: as in `draw`. Images without a series are all kept.
    Returns the columns of images, `rank` (UInt64, in the order) and `unit`.
    """
    numbers = pl.Series([rank(seed, image) for image in images["image"]], dtype=pl.UInt64)
    shuffled = images.with_columns(
        rank=numbers, unit=pl.coalesce("patient", "series", "image")
    ).sort("rank", "image")
    if per_series == 0:
        return shuffled
    undrawable = pl.col("undrawable").is_not_null()
    place = undrawable.cast(pl.Int8).rank("ordinal").over(pl.coalesce("series", "image"))
    return shuffled.filter(place <= per_series)


def candidates(shard: pl.DataFrame, per_series: int, seed: int) -> pl.DataFrame:
    """Return the images of a shard that a draw from all shards can take, and all of its patients.

    shard: as in `draw`, and `picture` where kinds are known: what is no picture is never drawn, and
    here stands once for each patient. The draw from the candidates of all shards is that from all
    images: an image that is not among the first of its series in its shard is not in the archive.
    """
    if "picture" not in shard.columns:
        return thinned_in_order(shard, per_series, seed).drop("rank", "unit")
    unit = pl.coalesce("patient", "series", "image")
    pictures = thinned_in_order(shard.filter("picture"), per_series, seed).drop("rank", "unit")
    return pl.concat([pictures, shard.filter(~pl.col("picture")).unique(unit)])


def rank(seed: int, text: str) -> int:
    """Return a number of 64 bits, the place of a text in the random order of a seed."""
    digest = hashlib.blake2b(text.encode(), digest_size=8, key=seed.to_bytes(16, "little"))
    return int.from_bytes(digest.digest(), "little")
