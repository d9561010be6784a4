"""A finished run as it lies in its folder: what later images are put into, and never changed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from tagsight import clusters
from tagsight.encoding import Encoding, load
from tagsight.errors import DataError
from tagsight.frequencies import person
from tagsight.hashing import require_same_key, run_key
from tagsight.store import read_json

NEEDED = (
    "encoding.json",
    "choice.json",
    "cards.json",
    "medoids.parquet",
    "samples/tuning.parquet",
    "annotations.csv",
)
SHARDED = ("files", "tags", "rejected", "features", "annotations")
EQUAL = 1e-5  # distances that machines with other vector instructions may differ by


@dataclass(frozen=True)
class Finished:
    """What is taken from the run.

    encoding: with the ranges that its distances were taken with; medoids: those of
    clusters 1, 2, … at its K; names: of these clusters; tuning: the persons of the tuning sample;
    shards: names of the files of each table.
    """

    folder: Path
    key: bytes
    encoding: Encoding
    medoids: pl.DataFrame
    names: list[str]
    tuning: pl.Series
    shards: list[str]

    @property
    def k(self) -> int:
        """How many clusters the run has."""
        return len(self.medoids)

    def images(self) -> Iterator[pl.DataFrame]:
        """The images by shard: `image`, `person`, `series` (not null), `cluster`, `distance`, and
        the encoded columns; without persons of the tuning sample, which the medoids were fitted
        on: their distances say nothing of later images.
        """
        for shard in self.shards:
            tags, found, features = (
                pl.scan_parquet(self.folder / table / f"{shard}.parquet")
                for table in ("tags", "annotations", "features")
            )
            images = unit(tags).join(found.select("image", "cluster", "distance"), on="image")
            fitted_on = pl.col("person").is_in(self.tuning.implode())
            yield images.filter(~fitted_on).join(features, on="image").collect()

    def place(self, features: pl.DataFrame) -> pl.DataFrame:
        """Return `image`, `cluster`, `distance`, `margin` of images, as the run did of its own."""
        return clusters.annotate(features, self.medoids, self.encoding)

    def known(self, images: pl.Series) -> pl.Series:
        """Which of these images are in the run: Boolean, as long as `images`."""
        asked = pl.LazyFrame({"image": images.unique()})
        paths = [self.folder / "annotations" / f"{shard}.parquet" for shard in self.shards]
        held = pl.scan_parquet(paths).select("image").join(asked, on="image", how="semi")
        return images.is_in(held.collect(engine="streaming")["image"].implode())

    def reading(self) -> dict[str, list[str]]:
        """How the run's files were read: `keep`, `keep_undrawable`, `derive_text`."""
        path = self.folder / "rejected" / f"{self.shards[0]}.parquet"
        stored: dict[str, list[str]] = json.loads(pl.read_parquet_metadata(path)["reading"])
        return stored


def unit(tags: pl.LazyFrame) -> pl.LazyFrame:
    """Return `image`, `person` and `series` of images; where one is unknown, what is known."""
    return tags.select("image", person=person(), series=pl.coalesce("series", "image"))


def finished(folder: Path, ranges: Literal["archive", "sample"], key_file: str | None) -> Finished:
    """Take up the run in `folder`, made with these `gower.ranges` and `privacy.key_file`.

    Raises DataError where the run is not finished, or where images put into its clusters as this
    config has it do not come where it put them; UserError where the key is another.
    """
    shards = _shards(folder, key_file)
    key = run_key(key_file or str(folder / "key"))
    listed = folder / "files" / f"{shards[0]}.parquet"
    require_same_key(key, pl.read_parquet_metadata(listed)["key"])
    sample = pl.read_parquet(folder / "samples/tuning.parquet")
    k = read_json(folder / "choice.json")["k"]
    run = Finished(
        folder=folder,
        key=key,
        encoding=load(folder / "encoding.json").ranged_by(sample, ranges),
        medoids=pl.read_parquet(folder / "medoids.parquet").filter(k=k).sort("cluster"),
        names=[card["name"] for card in read_json(folder / "cards.json") if card["cluster"]],
        tuning=sample.select(person()).to_series(),
        shards=shards,
    )
    _require_agreement(run, sample)
    return run


def _shards(folder: Path, key_file: str | None) -> list[str]:
    """The names of the shards; DataError that names the first file that is not there."""
    found = {path.stem for table in SHARDED for path in (folder / table).glob("*.parquet")}
    each = [f"{table}/{shard}.parquet" for table in SHARDED for shard in sorted(found or {"0"})]
    for name in [*([] if key_file else ["key"]), *NEEDED, *each]:
        if not (folder / name).is_file():
            raise DataError(
                f"{folder / name} is not there: new images are put into the clusters of a finished "
                "run over DICOM files; finish it first (the same command without `assign`), or "
                "name its folder with --directory"
            )
    return sorted(found)


def _require_agreement(run: Finished, sample: pl.DataFrame) -> None:
    """Put the tuning sample into the clusters anew: it has to come where the run has it."""
    paths = [run.folder / "annotations" / f"{shard}.parquet" for shard in run.shards]
    told = pl.scan_parquet(paths).select("image", "cluster", "distance")
    before = sample.lazy().select("image").join(told, on="image", how="left").collect()
    now = run.place(sample)
    both = now.join(before, on="image", suffix="_before")
    apart = (both["distance"] - both["distance_before"]).fill_null(np.inf).abs() > EQUAL
    if len(run.names) != run.k or apart.any():
        raise DataError(
            f"{run.folder}: the run here was made with another config (gower.ranges) or is not "
            "finished under the present one; give `assign` the config that it was made with, or "
            "run the same command without `assign` first"
        )
