"""New images with the labels of a finished run, with one part in memory at a time."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tagsight.assigning import drift, novelty
from tagsight.assigning.finished_run import FinishedRun
from tagsight.errors import DataError
from tagsight.reading.shard_reader import Shard
from tagsight.run.atomic import write_parquet
from tagsight.run.plain_text import counted
from tagsight.run.tables import person
from tagsight.tree import fits

OF_IMAGES = ("image", "path", "series", "study", "patient")
NOVELTY = ("pvalue", "fits", "unseen", "beyond", "known")
PLACE = ("distance", "margin", "second", "because")
FLAT_COLUMNS = (*OF_IMAGES, "cluster", "name", *PLACE, *NOVELTY)
COLUMNS = (*OF_IMAGES, "kind", "region", "label", "name", "cluster", *PLACE, *NOVELTY)


class Delivery:
    """New images with the labels of a run, part by part."""

    def __init__(self, run: FinishedRun, folder: Path) -> None:
        """Read the run's images; folder: is emptied, then holds one table per part."""
        self.run, self.folder = run, folder
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "rejected").mkdir(parents=True)
        values = run.values()
        self.unseen = _unseen(run, {})
        self.beyond = _beyond(run, {kind: has.ends for kind, has in values.items()})
        self.new_kinds = novelty.of_new_kind(run.stated())
        self.new_profile = self._profile(self.unseen, self.beyond)
        self.run_profile = self._profile(
            _unseen(run, {kind: has.one_person_codes for kind, has in values.items()}),
            _beyond(run, {kind: has.inner_ends for kind, has in values.items()}),
        )
        members = []
        for images in run.images():
            self.run_profile.add(images)
            members.append(images.select(pl.col("person").hash(), "kind", "cluster", "distance"))
        self.limits = run.limits(pl.concat(members))

    def add(self, shard: Shard, features: pl.DataFrame) -> None:
        """Label the images of a part; features: of `TagEncoder.encode`."""
        part = f"{len(list(self.folder.glob('rejected/*'))):04d}.parquet"
        write_parquet(shard.rejected, self.folder / "rejected" / part)
        if not shard.images:
            return
        names = ("instance", "duplicate_uid", *OF_IMAGES)
        tags = shard.tags.select(*names, *novelty.stated(shard.tags), person=person()).collect()
        placed = self.run.place(features).with_columns(features["region"])
        assessed = fits.assess(placed, self.run.leaves, self.limits)
        rows = assessed.join(tags, on="image", maintain_order="left")
        rows = rows.with_columns(**self._labels(), **self._novelty(rows, features))
        columns = FLAT_COLUMNS if self.run.tree.flat else COLUMNS
        write_parquet(rows.select(columns), self.folder / part)
        new = rows.filter(~pl.col("known")).with_columns(series=pl.coalesce("series", "image"))
        encoded = features.drop("kind", "region")
        self.new_profile.add(new.join(encoded, on="image", maintain_order="left"))

    def _labels(self) -> dict[str, pl.Expr]:
        """The name of the label; the second label, if it is another, and the margin to it."""
        names, second = dict(self.run.names), self.run.label("second")
        another = second != pl.col("label")
        return {
            "name": pl.col("label").replace_strict(names, default=None, return_dtype=pl.String),
            "second": pl.when(another).then(second),
            "margin": pl.when(another | pl.lit(self.run.tree.flat)).then("margin"),
        }

    def _novelty(
        self, rows: pl.DataFrame, features: pl.DataFrame
    ) -> dict[str, pl.Expr | pl.Series]:
        """Whether images fit, their new values, and whether they are known.

        An image of a kind that the run does not have, or a picture that states another modality or
        class than all of its kind there, fits no label.
        """
        stated = rows.select("image", "^stated .*$")
        encoded = stated.join(features, on="image", maintain_order="left")
        of_new_kind = encoded.select(pl.any_horizontal(*self.new_kinds.values())).to_series()
        fits_none = pl.col("label").is_null() | (pl.col("distance").is_not_null() & of_new_kind)
        return {
            "fits": pl.when(fits_none).then(pl.lit(False)).otherwise("fits"),
            "unseen": novelty.new_tags(encoded, {**self.unseen, **self.new_kinds}),
            "beyond": novelty.new_tags(encoded, self.beyond),
            "known": self.run.known(rows),
        }

    def _profile(self, unseen: novelty.New, beyond: novelty.New) -> drift.Profile:
        return drift.Profile(self.run.tree.columns, sorted(self.run.names), unseen, beyond)

    def table(self) -> pl.LazyFrame:
        """Return COLUMNS of all images so far.

        Raises DataError where there are none.
        """
        parts = sorted(self.folder.glob("*.parquet"))
        if not parts:
            most_frequent = sorted(self._reasons().items(), key=lambda reason: -reason[1])[:4]
            why = ", ".join(f"{reason} {n:,}" for reason, n in most_frequent)
            raise DataError(f"assign.input: no file in it is an image that can be read ({why})")
        return pl.scan_parquet(parts)

    def rejected(self) -> pl.LazyFrame:
        """Return `path`, `reason`, `detail` of the files rejected so far."""
        return pl.scan_parquet(sorted(self.folder.glob("rejected/*.parquet")))

    def summary(self, seed: int) -> dict[str, Any]:
        """Return the content of assign.json; seed: of the permutations that test for drift."""
        images = self.table()
        new = images.filter(~pl.col("known"))
        with_new_values = pl.any_horizontal(pl.col("unseen", "beyond").is_not_null())
        apart = ~pl.col("fits"), pl.col("fits").is_null(), with_new_values
        (images_read,) = _row(images, pl.len())
        total, fit_none, not_compared, new_values = _row(
            new, pl.len(), *(each.sum() for each in apart)
        )
        delivery, run = self.new_profile.persons, self.run_profile.persons
        labels = [self.run.names[label] for label in sorted(self.run.names)]
        comparison = drift.compare(delivery, run, labels, seed)
        summary = {
            "images": images_read,
            "known": images_read - total,
            "new": total,
            "fit_none": fit_none,
            "fit_none_share": fit_none / max(total, 1),
            "not_compared": not_compared,
            "new_values": new_values,
            "unseen": _by_tag(new, "unseen"),
            "beyond": _by_tag(new, "beyond"),
            "rejected": self._reasons(),
            **({} if self.run.tree.flat else {"kinds": self._kinds(new)}),
            "clusters": self._clusters(new).to_dicts(),
            "drift": comparison,
        }
        groups = "clusters" if self.run.tree.flat else "labels"
        warning = drift.warning(comparison, groups)
        return {"result": _result(summary, groups), "warning": warning, **summary}

    def _clusters(self, new: pl.LazyFrame) -> pl.DataFrame:
        """One row per leaf: its label, its limits, `new` images, those that `fit_none`."""
        leaves = self.run.leaves
        label = pl.Series([self.run.labels[leaf] for leaf in leaves["cluster"]], dtype=pl.Int32)
        names = [self.run.names[each] for each in label]
        flat = self.run.tree.flat
        of_label = {} if flat else {"kind": leaves["kind"], "label": label}
        limits = fits.table(leaves, self.limits)
        rows = limits.join(_by(new, "cluster"), on="cluster", how="left", maintain_order="left")
        return rows.with_columns(
            pl.col("new", "fit_none").fill_null(0), name=pl.Series(names), **of_label
        )

    def _kinds(self, new: pl.LazyFrame) -> dict[str, dict[str, Any]]:
        """Kind → its `new` images, those that `fit_none`, and whether it is `in_run`."""
        branches = self.run.tree.branches
        return {
            row.pop("kind"): {**row, "in_run": kind in branches}
            for row in _by(new, "kind").sort("new", "kind", descending=[True, False]).to_dicts()
            for kind in [row["kind"]]
        }

    def _reasons(self) -> dict[str, int]:
        counts = self.rejected().group_by("reason").len().sort("reason").collect()
        return dict(counts.iter_rows())


def _unseen(run: FinishedRun, rare: Mapping[str, Mapping[str, Sequence[int]]]) -> novelty.New:
    """Whether an image has a category that its kind does not have in the run, or only rarely."""
    tree = run.tree
    return novelty.in_kinds(
        {kind: novelty.unseen(tree.of(kind), rare.get(kind, {})) for kind in tree.pictures}
    )


def _beyond(run: FinishedRun, ends: Mapping[str, Mapping[str, novelty.Ends]]) -> novelty.New:
    """Whether an image has a number outside the ends of its kind."""
    tree = run.tree
    return novelty.in_kinds({kind: novelty.beyond(tree.of(kind), ends[kind]) for kind in ends})


def _result(summary: dict[str, Any], groups: str) -> str:
    """Two sentences: how many images fit, and whether the delivery has drifted."""
    rejected = sum(summary["rejected"].values())
    was = "was" if summary["known"] == 1 else "were"
    remainder = f"({summary['known']:,} {was} known, {counted(rejected, 'file')} not taken)"
    if not summary["new"]:
        return f"No new images {remainder}."
    apart = f", {n:,} could not be compared" if (n := summary["not_compared"]) else ""
    drifted = {True: "has", False: "has not", None: "is too small to tell whether it has"}
    return (
        f"{counted(summary['new'], 'new image')}, {summary['fit_none']:,} of which "
        f"({summary['fit_none_share']:.1%}) fit none of the {groups}{apart} and "
        f"{summary['new_values']:,} have values that the run has not {remainder}. "
        f"The delivery as a whole {drifted[summary['drift']['drifted']]} drifted from the run."
    )


def _by(images: pl.LazyFrame, column: str) -> pl.DataFrame:
    """The number of `new` images by a column, and of those that `fit_none`."""
    counts = {"new": pl.len(), "fit_none": (~pl.col("fits")).sum()}
    return images.group_by(column).agg(**counts).collect()


def _row(images: pl.LazyFrame, *counts: pl.Expr) -> tuple[int, ...]:
    columns = [count.alias(f"{i}") for i, count in enumerate(counts)]
    return images.select(columns).collect(engine="streaming").row(0)


def _by_tag(images: pl.LazyFrame, column: str) -> dict[str, int]:
    """The number of images for which a column of tags, joined by JOINT, names each tag."""
    tags = images.select(pl.col(column).str.split(novelty.JOINT).explode().drop_nulls())
    return dict(tags.group_by(column).len().sort(column).collect().iter_rows())
