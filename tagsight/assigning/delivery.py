"""New images put into the clusters of a finished run, one part of them in memory at a time."""

import shutil
from pathlib import Path
from typing import Any

import polars as pl

from tagsight.assigning import drift, novelty
from tagsight.assigning.conformal import Limits
from tagsight.assigning.finished_run import FinishedRun
from tagsight.errors import DataError
from tagsight.reading.shard_reader import Shard
from tagsight.run.atomic import write_parquet
from tagsight.run.tables import person

COLUMNS = (
    *("image", "path", "series", "cluster", "name", "distance", "margin", "second", "because"),
    *("pvalue", "fits", "unseen", "beyond", "known"),
)


class Delivery:
    """New images against a run, as they come in parts."""

    def __init__(self, run: FinishedRun, folder: Path) -> None:
        """Go through the run; `folder`, emptied, is where a table of each part will be."""
        self.run, self.folder = run, folder
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "rejected").mkdir(parents=True)
        has, encoding = run.values(), run.encoding
        self.unseen, self.beyond = novelty.unseen(encoding, {}), novelty.beyond(encoding, has.ends)
        self.kinds = novelty.new_kinds(run.kinds())
        self.of_new = drift.Profile(encoding, run.k, self.unseen, self.beyond)
        rare = novelty.unseen(encoding, has.sole), novelty.beyond(encoding, has.inner)
        self.of_run = drift.Profile(encoding, run.k, *rare)
        members = []
        for images in run.images():
            self.of_run.add(images)
            members.append(images.select(pl.col("person").hash(), "cluster", "distance"))
        self.limits = Limits(pl.concat(members), run.k)

    def add(self, shard: Shard, features: pl.DataFrame) -> None:
        """Put the images of a part into clusters; features: `image` and the encoded columns."""
        part = f"{len(list(self.folder.glob('rejected/*'))):04d}.parquet"
        write_parquet(shard.rejected, self.folder / "rejected" / part)
        if not shard.images:
            return
        named = ("image", "instance", "duplicate_uid", "path", "series")
        tags = shard.tags.select(*named, *novelty.kinds(shard.tags), person=person()).collect()
        placed = self.run.place(features)
        rows = self.limits.judge(placed).join(tags, on="image", maintain_order="left")
        told = rows.select("image", "^kind .*$").join(features, on="image", maintain_order="left")
        of_new_kind = told.select(pl.any_horizontal(False, *self.kinds.values())).to_series()
        rows = rows.with_columns(
            name=pl.Series([self.run.names[c - 1] for c in placed["cluster"]], dtype=pl.String),
            fits=rows["fits"] & ~of_new_kind,
            unseen=novelty.named(told, self.unseen | self.kinds),
            beyond=novelty.named(told, self.beyond),
            known=self.run.known(rows),
        )
        write_parquet(rows.select(COLUMNS), self.folder / part)
        new = rows.filter(~pl.col("known")).with_columns(series=pl.coalesce("series", "image"))
        self.of_new.add(new.join(features, on="image", maintain_order="left"))

    def table(self) -> pl.LazyFrame:
        """Return COLUMNS of all images so far; DataError where there is none."""
        parts = sorted(self.folder.glob("*.parquet"))
        if not parts:
            said = sorted(self._reasons().items(), key=lambda reason: -reason[1])[:4]
            why = ", ".join(f"{reason} {n:,}" for reason, n in said)
            raise DataError(f"assign.input: no file in it is an image that can be read ({why})")
        return pl.scan_parquet(parts)

    def rejected(self) -> pl.LazyFrame:
        """Return `path`, `reason`, `detail` of the files so far that were not taken."""
        return pl.scan_parquet(sorted(self.folder.glob("rejected/*.parquet")))

    def told(self, seed: int) -> dict[str, Any]:
        """Return what assign.json holds."""
        images = self.table()
        new = images.filter(~pl.col("known"))
        fitting = new.group_by("cluster").agg(new=pl.len(), fit_none=(~pl.col("fits")).sum())
        limits = pl.DataFrame(self.limits.told(), schema_overrides={"cluster": pl.Int32})
        counts = limits.join(fitting.collect(), on="cluster", how="left", maintain_order="left")
        counts = counts.with_columns(
            pl.col("new", "fit_none").fill_null(0), name=pl.Series(self.run.names)
        )
        odd = pl.any_horizontal(pl.col("unseen", "beyond").is_not_null()).sum()
        (taken,), (total, new_values) = _row(images, pl.len()), _row(new, pl.len(), odd)
        moved = drift.compare(self.of_new.persons, self.of_run.persons, self.run.names, seed)
        told = {
            "images": taken,
            "known": taken - total,
            "new": total,
            "fit_none": int(counts["fit_none"].sum()),
            "fit_none_share": int(counts["fit_none"].sum()) / max(total, 1),
            "new_values": new_values,
            "unseen": _by_tag(new, "unseen"),
            "beyond": _by_tag(new, "beyond"),
            "rejected": self._reasons(),
            "clusters": counts.to_dicts(),
            "drift": moved,
        }
        return {"result": said(told), "warning": drift.warning(moved), **told}

    def _reasons(self) -> dict[str, int]:
        counts = self.rejected().group_by("reason").len().sort("reason").collect()
        return dict(counts.iter_rows())


def said(told: dict[str, Any]) -> str:
    """Return how many images fit, and whether the delivery has drifted, in a sentence each."""
    rejected = sum(told["rejected"].values())
    aside = f"({told['known']:,} were known, {rejected:,} files not taken)"
    if not told["new"]:
        return f"No new images {aside}."
    images = "image" if told["new"] == 1 else "images"
    drifted = {True: "has", False: "has not", None: "is too small to tell whether it has"}
    return (
        f"{told['new']:,} new {images}, {told['fit_none']:,} of which "
        f"({told['fit_none_share']:.1%}) fit none of the clusters and {told['new_values']:,} have "
        f"values that the run has not {aside}. The delivery as a whole "
        f"{drifted[told['drift']['drifted']]} drifted from the run."
    )


def _row(images: pl.LazyFrame, *asked: pl.Expr) -> tuple[int, ...]:
    named = [what.alias(f"{i}") for i, what in enumerate(asked)]
    return images.select(named).collect(engine="streaming").row(0)


def _by_tag(images: pl.LazyFrame, column: str) -> dict[str, int]:
    """How many images each tag is named of in a column of such."""
    tags = images.select(pl.col(column).str.split("\\").explode().drop_nulls())
    return dict(tags.group_by(column).len().sort(column).collect().iter_rows())
