"""New images put into the clusters of a finished run, one part of them in memory at a time."""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tagsight import drift, novelty
from tagsight.archive import deal
from tagsight.body_parts import Vocabulary
from tagsight.conformal import Limits
from tagsight.errors import ArchiveError, ConfigError, DataError
from tagsight.finished import Finished
from tagsight.frequencies import person
from tagsight.headers import Wanted
from tagsight.jobs import Progress
from tagsight.reading import Shard
from tagsight.store import write_parquet

COLUMNS = (
    *("image", "path", "series", "cluster", "name", "distance", "margin"),
    *("pvalue", "fits", "unseen", "known"),
)


def places(archive: str | Sequence[str] | None) -> list[Path]:
    """Return where the new files are: `assign.input`.

    Raises ConfigError where it is not set, ArchiveError where one of them is not there.
    """
    if archive is None:
        raise ConfigError(
            "assign.input: not set; name the folder or list of new files: "
            "snakemake assign … --config 'assign={input: /new/folder}'"
        )
    named = [Path(place) for place in ([archive] if isinstance(archive, str) else archive)]
    for place in named:
        if not place.exists():
            raise ArchiveError(f"assign.input: {place} does not exist; name a folder or a list")
    return named


def listed(named: list[Path], shards: int, folder: Path) -> Iterator[pl.DataFrame]:
    """List the files in these places, in the parts that `deal` makes, less those without any.

    `folder` holds what is not in memory meanwhile. Raises ArchiveError where there is no file.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        parts = deal(named, shards, None, 0, folder, Progress(None, "files found"))
        yield from (part for part in parts if len(part))
    except ArchiveError as error:
        raise ArchiveError(f"assign.{error}") from None
    shutil.rmtree(folder)


def wanted(reading: dict[str, list[str]], spellings: pl.DataFrame) -> Wanted:
    """Return what the reader is to keep, as the run's own reading had it."""
    derive = tuple(reading["derive_text"])
    return Wanted(
        keep=frozenset(reading["keep"]),
        undrawable=frozenset(reading["keep_undrawable"]),
        derive=derive,
        vocabulary=Vocabulary(spellings) if derive else None,
    )


class Delivery:
    """New images against a run, as they come in parts."""

    def __init__(self, run: Finished, folder: Path) -> None:
        """Go through the run; `folder`, emptied, is where a table of each part will be."""
        self.run, self.folder = run, folder
        shutil.rmtree(folder, ignore_errors=True)
        sole = novelty.sole_codes(run.images(), run.encoding)
        self.of_run = drift.Profile(run.encoding, run.k, sole)
        self.of_new = drift.Profile(run.encoding, run.k, {})
        members = []
        for images in run.images():
            self.of_run.add(images)
            members.append(images.select(pl.col("person").hash(), "cluster", "distance"))
        self.limits = Limits(pl.concat(members), run.k)
        self.rejected: Counter[str] = Counter()

    def add(self, shard: Shard, features: pl.DataFrame) -> None:
        """Put the images of a part into clusters; features: `image` and the encoded columns."""
        self.rejected.update(shard.rejected["reason"])
        if not shard.images:
            return
        named = shard.tags.select("image", "path", "series", person=person()).collect()
        placed = self.run.place(features)
        rows = self.limits.judge(placed).join(named, on="image", maintain_order="left")
        rows = rows.with_columns(
            name=pl.Series([self.run.names[c - 1] for c in placed["cluster"]], dtype=pl.String),
            fits=rows["fits"] & ~novelty.of_new_kind(features, self.run.encoding),
            unseen=novelty.named(features, self.run.encoding),
            known=self.run.known(rows["image"]),
        )
        part = f"{len(list(self.folder.glob('*'))):04d}.parquet"
        write_parquet(rows.select(COLUMNS), self.folder / part)
        new = rows.filter(~pl.col("known")).with_columns(series=pl.coalesce("series", "image"))
        self.of_new.add(new.join(features, on="image", maintain_order="left"))

    def table(self) -> pl.LazyFrame:
        """Return COLUMNS of all images so far; DataError where there is none."""
        parts = sorted(self.folder.glob("*.parquet"))
        if not parts:
            why = ", ".join(f"{reason} {n:,}" for reason, n in self.rejected.most_common(4))
            raise DataError(f"assign.input: no file in it is an image that can be read ({why})")
        return pl.scan_parquet(parts)

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
        tags = new.select(pl.col("unseen").str.split("\\").explode().drop_nulls()).collect()
        new_tags = tags["unseen"].value_counts()
        taken, total = images.select(pl.len()).collect().item(), int(counts["new"].sum())
        told = {
            "images": taken,
            "known": taken - total,
            "new": total,
            "fit_none": int(counts["fit_none"].sum()),
            "fit_none_share": int(counts["fit_none"].sum()) / max(total, 1),
            "unseen": dict(new_tags.sort("unseen").iter_rows()),
            "rejected": dict(sorted(self.rejected.items())),
            "clusters": counts.to_dicts(),
            "drift": drift.compare(self.of_new.persons, self.of_run.persons, self.run.names, seed),
        }
        warning = drift.warning(told["drift"])
        return {"result": said(told), "warning": warning, **told}


def said(told: dict[str, Any]) -> str:
    """Return how many images fit and whether the delivery has drifted, in two sentences."""
    rejected = sum(told["rejected"].values())
    drifted = {True: "has", False: "has not", None: "is too small to tell whether it has"}
    return (
        f"{told['new']:,} new images, {told['fit_none']:,} of which "
        f"({told['fit_none_share']:.1%}) fit none of the clusters ({told['known']:,} were known, "
        f"{rejected:,} files not taken). The delivery as a whole "
        f"{drifted[told['drift']['drifted']]} drifted from the run."
    )
