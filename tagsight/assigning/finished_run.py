"""A finished run in its folder, which never changes; later images get its labels.

A flat run is a tree with the one kind FLAT, whose clusters are its labels.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tagsight.assigning import novelty
from tagsight.errors import DataError
from tagsight.interpretation.annotations import label_of
from tagsight.reading.provenance import reading_of
from tagsight.run.atomic import read_json
from tagsight.run.hashing import run_key
from tagsight.run.tables import person, scan
from tagsight.tags.encoding import Ranges
from tagsight.tree import fits
from tagsight.tree.conformal import Limits
from tagsight.tree.encodings import FLAT, Tree, load_tree
from tagsight.tree.placing import place

ENCODING = "encoding.json"
LEARNED = "weighted.json"  # the encoding of a run whose weights are learned from looks
NEEDED_FILES = (
    ENCODING,
    "choice.json",
    "cards.json",
    "medoids.parquet",
    "samples/tuning.parquet",
    "annotations.csv",
)
SHARDED = ("tags", "rejected", "features", "annotations")
OF_TREES = ("content", "nearest")  # tables that a flat run does not have
TOLERANCE = 1e-5  # of distances, between machines with other vector instructions


@dataclass(frozen=True)
class FinishedRun:
    """A finished run.

    reader_settings: how its images were read: `keep` and `derive_text`, for files
    `keep_undrawable`, for a ready table `columns` and `split`; tree: the encodings, with the ranges
    that its distances were made with; leaves: as in medoids.parquet, of a flat run those at its K;
    labels: label of each leaf; names: of the labels; tuning: the persons of the tuning sample;
    shards: names of the files of each table.
    """

    folder: Path
    key: bytes
    reader_settings: dict[str, Any]
    tree: Tree
    leaves: pl.DataFrame
    labels: Mapping[int, int]
    names: Mapping[int, str]
    tuning: pl.Series
    shards: list[str]

    def images(self) -> Iterator[pl.DataFrame]:
        """Yield the images of each shard without persons of the tuning sample.

        Columns: `image`, `person`, `series` (not null), `kind`, `cluster`, `label`, `distance`, and
        the encoded ones. The medoids were fitted to the tuning sample, so its distances are no
        calibration for later images.
        """
        for shard in self.shards:
            tags, annotations, features = (
                self.shard(table, shard) for table in ("tags", "annotations", "features")
            )
            placed = annotations.select("image", "cluster", "distance", label=self.label("cluster"))
            images = units(tags).join(placed, on="image")
            fitted_on = pl.col("person").is_in(self.tuning.implode())
            yield self.with_kind(images.filter(~fitted_on).join(features, on="image").collect())

    def values(self) -> dict[str, novelty.Values]:
        """Return the values of each kind's images, those of the tuning sample too."""
        tables = ((self.shard("tags", s), self.shard("features", s)) for s in self.shards)
        parts = (units(tags).select("image", "person").join(f, on="image") for tags, f in tables)
        return novelty.values_of((part.collect() for part in parts), self.tree)

    def stated(self) -> pl.DataFrame:
        """Return what the images state that they are: `kind`, and the columns of `novelty.stated`.

        Distinct rows, sorted.
        """
        parts = [self._stated(shard) for shard in self.shards]
        rows = pl.concat(pl.collect_all(parts, engine="streaming"))
        return self.with_kind(rows).unique().sort(pl.all())

    def place(self, features: pl.DataFrame) -> pl.DataFrame:
        """Return `image`, `kind`, `cluster`, `label`, `distance`, …, computed as in the run.

        features: `image`, `kind` and the encoded columns.
        """
        placed = place(features, self.leaves, self.tree)
        return placed.with_columns(features["kind"], label=self.label("cluster"))

    def limits(self, placed: pl.DataFrame) -> dict[str, Limits]:
        """Return the limits of the leaves of each kind; placed: columns of `images`."""
        return fits.limits_of(placed, self.leaves, self.tree)

    def label(self, column: str) -> pl.Expr:
        """Return the label of the leaf in a column; null where there is no leaf."""
        labels = dict(self.labels)
        return pl.col(column).replace_strict(labels, default=None, return_dtype=pl.Int32)

    def with_kind(self, images: pl.DataFrame) -> pl.DataFrame:
        """Return images with their `kind`, which is FLAT in a flat run."""
        return images.with_columns(kind=pl.lit(FLAT)) if self.tree.flat else images

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

    def _stated(self, shard: str) -> pl.LazyFrame:
        tags = self.shard("tags", shard)
        statements = tags.select("image", *novelty.stated(tags))
        if not self.tree.flat:
            kinds = self.shard("content", shard).select("image", "kind")
            statements = statements.join(kinds, on="image")
        return statements.drop("image").unique()

    def shard(self, table: str, shard: str) -> pl.LazyFrame:
        """Return a table of a shard."""
        return pl.scan_parquet(self.folder / table / f"{shard}.parquet")


def _identifiers(tags: pl.LazyFrame) -> pl.LazyFrame:
    instance = pl.when(pl.col("duplicate_uid").is_null()).then("instance")
    return tags.select("image", instance=instance)


def units(tags: pl.LazyFrame) -> pl.LazyFrame:
    """Return `image`, `person` and `series` of images; an unknown series is the image itself."""
    return tags.select("image", person=person(), series=pl.coalesce("series", "image"))


def load_run(
    folder: Path, ranges: Ranges, key_file: str | None, *, learned: bool = False
) -> FinishedRun:
    """Return the run in `folder`, made with these `gower.ranges` and `privacy.key_file`.

    learned: whether its weights are learned from looks (`gower.weights`).
    Raises DataError where the run is not finished, or where its images do not get their distances
    again with this config; UserError where the key is another.
    """
    tree = load_tree(_existing(folder, LEARNED if learned else ENCODING))
    tables = SHARDED if tree.flat else (*SHARDED, *OF_TREES)
    shards = _shards(folder, tables, key_file)
    key = run_key(key_file or str(folder / "key"))
    settings = reading_of([folder / "rejected" / f"{shard}.parquet" for shard in shards], key)
    sample = pl.read_parquet(folder / "samples/tuning.parquet")
    cards = read_json(folder / "cards.json")
    leaves = pl.read_parquet(folder / "medoids.parquet")
    if tree.flat:
        leaves = leaves.filter(k=read_json(folder / "choice.json")["k"])
        cards = [{"label": c["cluster"], "clusters": [c["cluster"]], **c} for c in cards]
    run = FinishedRun(
        folder=folder,
        key=key,
        reader_settings=settings,
        tree=tree.ranged_by(sample, ranges),
        leaves=leaves.sort("cluster"),
        labels=label_of([card for card in cards if card["label"]]),
        names={card["label"]: card["name"] for card in cards if card["label"]},
        tuning=sample.select(person()).to_series(),
        shards=shards,
    )
    _require_agreement(run, sample)
    return run


def _existing(folder: Path, name: str) -> Path:
    """The path of a file of the run; raises DataError where it is missing."""
    if not (folder / name).is_file():
        raise DataError(
            f"{folder / name} is not there: new images are put into the clusters of a finished "
            "run; finish it first (the same command without `assign`), or "
            "name its folder with --directory"
        )
    return folder / name


def _shards(folder: Path, tables: tuple[str, ...], key_file: str | None) -> list[str]:
    """The names of the shards; raises DataError with the first missing file."""
    shards = {path.stem for table in tables for path in (folder / table).glob("*.parquet")}
    files = [f"{table}/{shard}.parquet" for table in tables for shard in sorted(shards or {"0"})]
    for name in [*([] if key_file else ["key"]), *NEEDED_FILES, *files]:
        _existing(folder, name)
    return sorted(shards)


def _require_agreement(run: FinishedRun, sample: pl.DataFrame) -> None:
    """Raise DataError where distances of the tuning sample, computed again, are not the run's."""
    annotations = scan(run.paths("annotations")).select("image", "cluster", "distance")
    before = sample.lazy().select("image").join(annotations, on="image", how="left").collect()
    now = run.place(run.with_kind(sample))
    both = now.join(before, on="image", suffix="_before")
    placed = pl.all_horizontal(pl.col("distance", "distance_before").is_not_null())
    apart = (pl.col("distance") - pl.col("distance_before")).abs() > TOLERANCE
    same_leaf = pl.col("cluster") == pl.col("cluster_before")
    agrees = pl.when(placed).then(~apart).otherwise(same_leaf & pl.col("distance").is_null())
    if (
        set(run.labels) != set(run.leaves["cluster"])
        or not both.select(agrees.fill_null(False).all()).item()
    ):
        raise DataError(
            f"{run.folder}: the run here was made with another config (gower.ranges) or is not "
            "finished under the present one; give `assign` the config that it was made with, or "
            "run the same command without `assign` first"
        )
