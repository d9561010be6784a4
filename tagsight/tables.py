"""The archive's tables, kept in shards."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl


def scan(shards: Sequence[Path | str]) -> pl.LazyFrame:
    """Return all shards of a table as one, in their order, nothing read yet.

    Shards hold the columns that their images have; a column that one of them lacks is null there.
    Columns come in the order in which they first appear.
    """
    return pl.concat([pl.scan_parquet(shard) for shard in shards], how="diagonal")
