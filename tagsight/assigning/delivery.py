"""New images assigned to the clusters of a finished run, with one part in memory at a time."""

import shutil
from pathlib import Path
from typing import Any

import polars as pl

from tagsight.assigning import drift, novelty
from tagsight.assigning.finished_run import FinishedRun
from tagsight.errors import DataError
from tagsight.reading.shard_reader import Shard
from tagsight.run.atomic import write_parquet
from tagsight.run.tables import person
from tagsight.tree.conformal import Limits

COLUMNS = (
    *("image", "path", "series", "patient", "study"),
    *("cluster", "name", "distance", "margin", "second", "because"),
    *("pvalue", "fits", "unseen", "beyond", "known"),
)


class Delivery:
    """New images assigned to the clusters of a run, part by part."""

    def __init__(self, run: FinishedRun, folder: Path) -> None:
        """Read the run's images; folder: is emptied, then holds one table per part."""
        self.run, self.folder = run, folder
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "rejected").mkdir(parents=True)
        values, encoding = run.values(), run.encoding
        self.unseen = novelty.unseen(encoding, {})
        self.beyond = novelty.beyond(encoding, values.ends)
        self.kinds = novelty.new_kinds(run.kinds())
        self.new_profile = drift.Profile(encoding, run.k, self.unseen, self.beyond)
        rare_unseen = novelty.unseen(encoding, values.one_person_codes)
        rare_beyond = novelty.beyond(encoding, values.inner_ends)
        self.run_profile = drift.Profile(encoding, run.k, rare_unseen, rare_beyond)
        members = []
        for images in run.images():
            self.run_profile.add(images)
            members.append(images.select(pl.col("person").hash(), "cluster", "distance"))
        self.limits = Limits(pl.concat(members), run.k)

    def add(self, shard: Shard, features: pl.DataFrame) -> None:
        """Assign the images of a part to clusters; features: `image` and the encoded columns."""
        part = f"{len(list(self.folder.glob('rejected/*'))):04d}.parquet"
        write_parquet(shard.rejected, self.folder / "rejected" / part)
        if not shard.images:
            return
        names = ("image", "instance", "duplicate_uid", "path", "series", "patient", "study")
        tags = shard.tags.select(*names, *novelty.kinds(shard.tags), person=person()).collect()
        placed = self.run.place(features)
        rows = self.limits.assess(placed).join(tags, on="image", maintain_order="left")
        kinds = rows.select("image", "^kind .*$")
        encoded = kinds.join(features, on="image", maintain_order="left")
        of_new_kind = encoded.select(pl.any_horizontal(False, *self.kinds.values())).to_series()
        rows = rows.with_columns(
            name=pl.Series([self.run.names[c - 1] for c in placed["cluster"]], dtype=pl.String),
            fits=rows["fits"] & ~of_new_kind,
            unseen=novelty.new_tags(encoded, self.unseen | self.kinds),
            beyond=novelty.new_tags(encoded, self.beyond),
            known=self.run.known(rows),
        )
        write_parquet(rows.select(COLUMNS), self.folder / part)
        new = rows.filter(~pl.col("known")).with_columns(series=pl.coalesce("series", "image"))
        self.new_profile.add(new.join(features, on="image", maintain_order="left"))

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
        clusters = self._clusters(new)
        with_new_values = pl.any_horizontal(pl.col("unseen", "beyond").is_not_null()).sum()
        (images_read,) = _row(images, pl.len())
        total, new_values = _row(new, pl.len(), with_new_values)
        delivery, run = self.new_profile.persons, self.run_profile.persons
        comparison = drift.compare(delivery, run, self.run.names, seed)
        summary = {
            "images": images_read,
            "known": images_read - total,
            "new": total,
            "fit_none": int(clusters["fit_none"].sum()),
            "fit_none_share": int(clusters["fit_none"].sum()) / max(total, 1),
            "new_values": new_values,
            "unseen": _by_tag(new, "unseen"),
            "beyond": _by_tag(new, "beyond"),
            "rejected": self._reasons(),
            "clusters": clusters.to_dicts(),
            "drift": comparison,
        }
        return {"result": _result(summary), "warning": drift.warning(comparison), **summary}

    def _clusters(self, new: pl.LazyFrame) -> pl.DataFrame:
        """One row per cluster: its limits, `new` images, those that `fit_none`, and its `name`."""
        counts = new.group_by("cluster").agg(new=pl.len(), fit_none=(~pl.col("fits")).sum())
        limits = pl.DataFrame(self.limits.table(), schema_overrides={"cluster": pl.Int32})
        rows = limits.join(counts.collect(), on="cluster", how="left", maintain_order="left")
        return rows.with_columns(
            pl.col("new", "fit_none").fill_null(0), name=pl.Series(self.run.names)
        )

    def _reasons(self) -> dict[str, int]:
        counts = self.rejected().group_by("reason").len().sort("reason").collect()
        return dict(counts.iter_rows())


def _result(summary: dict[str, Any]) -> str:
    """Two sentences: how many images fit, and whether the delivery has drifted."""
    rejected = sum(summary["rejected"].values())
    remainder = f"({summary['known']:,} were known, {rejected:,} files not taken)"
    if not summary["new"]:
        return f"No new images {remainder}."
    images = "image" if summary["new"] == 1 else "images"
    drifted = {True: "has", False: "has not", None: "is too small to tell whether it has"}
    return (
        f"{summary['new']:,} new {images}, {summary['fit_none']:,} of which "
        f"({summary['fit_none_share']:.1%}) fit none of the clusters and "
        f"{summary['new_values']:,} have values that the run has not {remainder}. "
        f"The delivery as a whole {drifted[summary['drift']['drifted']]} drifted from the run."
    )


def _row(images: pl.LazyFrame, *counts: pl.Expr) -> tuple[int, ...]:
    columns = [count.alias(f"{i}") for i, count in enumerate(counts)]
    return images.select(columns).collect(engine="streaming").row(0)


def _by_tag(images: pl.LazyFrame, column: str) -> dict[str, int]:
    """The number of images for which a column of tags, joined by `\\`, names each tag."""
    tags = images.select(pl.col(column).str.split("\\").explode().drop_nulls())
    return dict(tags.group_by(column).len().sort(column).collect().iter_rows())
