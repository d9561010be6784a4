"""New images in the columns of a finished run: their kind, their region, and what is compared."""

from dataclasses import dataclass

import polars as pl

from tagsight.assigning.finished_run import FinishedRun
from tagsight.content.content import ContentTables, content
from tagsight.errors import DataError
from tagsight.tags import fitting
from tagsight.tree.encodings import FLAT
from tagsight.tree.fitting import apply_tree


@dataclass(frozen=True)
class TagEncoder:
    """How tags become the columns of a run.

    spellings: of body parts; tables: of content, which a flat run does not read.
    """

    run: FinishedRun
    spellings: pl.DataFrame
    tables: ContentTables

    def encode(self, tags: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
        """Return `image`, `kind`, `region` and the encoded columns, in the order of `tags`."""
        run = self.run
        if run.tree.flat:
            encoded = fitting.apply(tags, run.tree.of(FLAT), self.spellings, run.key)
            return run.with_kind(encoded).with_columns(region=pl.lit(None, pl.String))
        words = content(tags, self.spellings, self.tables)
        encoded = apply_tree(tags, words, run.tree, self.spellings, run.key)
        return encoded.with_columns(words["region"])

    def require_the_runs(self) -> None:
        """Raise DataError where images of the run do not get the columns that they have there.

        New images would then be compared by something else: tables of words have changed since.
        """
        if not all(self._encodes_again(shard) for shard in self.run.shards):
            raise DataError(
                f"{self.run.folder}: the run here was made with other tables of words "
                "(tags.body_parts, labels.tables); give `assign` the config that it was made with, "
                "or run the same command without `assign` first"
            )

    def _encodes_again(self, shard: str) -> bool:
        """Whether the tuning sample's images in a shard get their columns again."""
        sample = pl.scan_parquet(self.run.folder / "samples/tuning.parquet").select("image")
        tags, before = (
            self.run.shard(table, shard)
            .join(sample, on="image", how="semi")
            .sort("image")
            .collect(engine="streaming")
            for table in ("tags", "features")
        )
        if tags.is_empty():
            return True
        encoded = self.encode(tags)
        # Of the columns of features that no weight was learned for images are not compared by.
        shared = [column for column in before.columns if column in encoded.columns]
        return encoded.select(shared).equals(before.select(shared))
