"""A finished run in its folder, which never changes; later images are assigned to its clusters."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tagsight.assigning import novelty
from tagsight.clustering import annotation
from tagsight.errors import DataError
from tagsight.reading.provenance import reading_of
from tagsight.run.atomic import read_json
from tagsight.run.hashing import run_key
from tagsight.run.tables import person, scan
from tagsight.tags.encoding import Encoding, Ranges, load

NEEDED_FILES = (
    "encoding.json",
    "choice.json",
    "cards.json",
    "medoids.parquet",
    "samples/tuning.parquet",
    "annotations.csv",
)
SHARDED = ("tags", "rejected", "features", "annotations")
TOLERANCE = 1e-5  # of distances, between machines with other vector instructions


@dataclass(frozen=True)
class FinishedRun:
    """A finished run.

    reader_settings: how its images were read: `keep` and `derive_text`, for files
    `keep_undrawable`, for a ready table `columns` and `split`; encoding: with the ranges that its
    distances were made with; medoids: those of clusters 1, 2, … at its K; names: of these clusters;
    tuning: the persons of the tuning sample; shards: names of the files of each table.
    """

    folder: Path
    key: bytes
    reader_settings: dict[str, Any]
    encoding: Encoding
    medoids: pl.DataFrame
    names: list[str]
    tuning: pl.Series
    shards: list[str]

    @property
    def k(self) -> int:
        """The number of clusters."""
        return len(self.medoids)

    def images(self) -> Iterator[pl.DataFrame]:
        """Yield the images of each shard without persons of the tuning sample.

        Columns: `image`, `person`, `series` (not null), `cluster`, `distance`, and the encoded
        ones. The medoids were fitted to the tuning sample, so its distances are no calibration for
        later images.
        """
        for shard in self.shards:
            tags, annotations, features = (
                self._shard(table, shard) for table in ("tags", "annotations", "features")
            )
            placed = annotations.select("image", "cluster", "distance")
            images = units(tags).join(placed, on="image")
            fitted_on = pl.col("person").is_in(self.tuning.implode())
            yield images.filter(~fitted_on).join(features, on="image").collect()

    def values(self) -> novelty.Values:
        """Return the values of the run's images, those of the tuning sample too."""
        tables = ((self._shard("tags", s), self._shard("features", s)) for s in self.shards)
        parts = (units(tags).select("image", "person").join(f, on="image") for tags, f in tables)
        return novelty.values_of((part.collect() for part in parts), self.encoding)

    def kinds(self) -> pl.DataFrame:
        """Return the kinds of images of the run: the distinct rows of `novelty.kinds`."""
        tags = scan(self.paths("tags"))
        return tags.select(novelty.kinds(tags)).unique().collect(engine="streaming")

    def place(self, features: pl.DataFrame) -> pl.DataFrame:
        """Return `image`, `cluster`, `distance`, `margin`, … of images, computed as in the run."""
        return annotation.annotate(features, self.medoids, self.encoding)

    def known(self, images: pl.DataFrame) -> pl.Series:
        """Return whether each image is in the run: Boolean (n,).

        images: `image`, `instance`, `duplicate_uid`, as in tags.

        Equal SOP instance UIDs are the same image. Without one, as in a ready table, or where
        different files share one, images are compared by `image`, which for files includes the
        path.
        """
        names = ["image", "instance"]
        new, old = (_identifiers(tags) for tags in (images.lazy(), scan(self.paths("tags"))))
        shared = [old.select(n).join(new.select(n), on=n, how="semi").unique() for n in names]
        tables = zip(names, pl.collect_all(shared, engine="streaming"), strict=True)
        same = [pl.col(n).is_in(rows[n].implode()).fill_null(False) for n, rows in tables]
        return new.select(known=pl.any_horizontal(same)).collect()["known"]

    def paths(self, table: str) -> list[Path]:
        """Return the files of a table."""
        return [self.folder / table / f"{shard}.parquet" for shard in self.shards]

    def _shard(self, table: str, shard: str) -> pl.LazyFrame:
        return pl.scan_parquet(self.folder / table / f"{shard}.parquet")


def _identifiers(tags: pl.LazyFrame) -> pl.LazyFrame:
    instance = pl.when(pl.col("duplicate_uid").is_null()).then("instance")
    return tags.select("image", instance=instance)


def units(tags: pl.LazyFrame) -> pl.LazyFrame:
    """Return `image`, `person` and `series` of images; an unknown series is the image itself."""
    return tags.select("image", person=person(), series=pl.coalesce("series", "image"))


def load_run(folder: Path, ranges: Ranges, key_file: str | None) -> FinishedRun:
    """Return the run in `folder`, made with these `gower.ranges` and `privacy.key_file`.

    Raises DataError where the run is not finished, or where its images do not get their distances
    again with this config; UserError where the key is another.
    """
    shards = _shards(folder, key_file)
    key = run_key(key_file or str(folder / "key"))
    settings = reading_of([folder / "rejected" / f"{shard}.parquet" for shard in shards], key)
    sample = pl.read_parquet(folder / "samples/tuning.parquet")
    k = read_json(folder / "choice.json")["k"]
    run = FinishedRun(
        folder=folder,
        key=key,
        reader_settings=settings,
        encoding=load(folder / "encoding.json").ranged_by(sample, ranges),
        medoids=pl.read_parquet(folder / "medoids.parquet").filter(k=k).sort("cluster"),
        names=[card["name"] for card in read_json(folder / "cards.json") if card["cluster"]],
        tuning=sample.select(person()).to_series(),
        shards=shards,
    )
    _require_agreement(run, sample)
    return run


def _shards(folder: Path, key_file: str | None) -> list[str]:
    """The names of the shards; raises DataError with the first missing file."""
    shards = {path.stem for table in SHARDED for path in (folder / table).glob("*.parquet")}
    tables = [f"{table}/{shard}.parquet" for table in SHARDED for shard in sorted(shards or {"0"})]
    for name in [*([] if key_file else ["key"]), *NEEDED_FILES, *tables]:
        if not (folder / name).is_file():
            raise DataError(
                f"{folder / name} is not there: new images are put into the clusters of a finished "
                "run; finish it first (the same command without `assign`), or "
                "name its folder with --directory"
            )
    return sorted(shards)


def _require_agreement(run: FinishedRun, sample: pl.DataFrame) -> None:
    """Raise DataError where distances of the tuning sample, computed again, are not the run's."""
    annotations = scan(run.paths("annotations")).select("image", "cluster", "distance")
    before = sample.lazy().select("image").join(annotations, on="image", how="left").collect()
    now = run.place(sample)
    both = now.join(before, on="image", suffix="_before")
    differs = (both["distance"] - both["distance_before"]).fill_null(np.inf).abs() > TOLERANCE
    if len(run.names) != run.k or differs.any():
        raise DataError(
            f"{run.folder}: the run here was made with another config (gower.ranges) or is not "
            "finished under the present one; give `assign` the config that it was made with, or "
            "run the same command without `assign` first"
        )
