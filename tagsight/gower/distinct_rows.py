"""Equal rows once, with how many they are: fewer rows, the same loss and silhouettes.

For given medoids these are exactly those of all rows, and medoids that no single swap of different
rows betters, none of all rows betters. A search need not end at the same ones, nor a row that is
equally near to two medoids go to the same: both depend on the order of rows.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from tagsight.arrays import Float64s, Int64s
from tagsight.gower.features import Features

Weight = Literal["images", "rows"]


@dataclass(frozen=True)
class DistinctRows:
    """m different rows that stand for n.

    features: (m,), in the order in which the rows first appear. row: int64 (n,), which of them
    each row is. first: int64 (m,), the first row that each stands for. weight: float64 (m,), how
    many rows each stands for.
    """

    features: Features
    row: Int64s
    first: Int64s
    weight: Float64s

    def row_weights(self) -> Float64s:
        """Return what each of the n rows counts, float64 (n,): equal rows share the weight."""
        return self.weight[self.row] / np.bincount(self.row)[self.row]


def collapse(features: Features, weight: Weight = "images") -> DistinctRows:
    """Return each different row once, to count as often as it occurs (`images`), or once (`rows`).

    Rows are equal where the same is missing and the rest is equal: such rows are at distance 0 from
    each other, and at one distance from any other. Rows with nothing that counts are at distance 1
    from each other, and so stay apart.
    """
    n = len(features)
    table = _table(features)
    if not table.width:
        return all_rows(features)
    groups = (
        table.with_row_index("row")
        .group_by(table.columns, maintain_order=True)
        .agg(pl.col("row"))["row"]
    )
    times = groups.list.len().to_numpy()
    row = np.empty(n, np.int64)
    row[groups.explode().to_numpy()] = np.repeat(np.arange(len(groups)), times)
    first = groups.list.first().to_numpy().astype(np.int64)
    counted = times.astype(np.float64) if weight == "images" else np.ones(len(first))
    return DistinctRows(features.take(first), row, first, counted)


def all_rows(features: Features) -> DistinctRows:
    """Return every row for itself, in the same form, for what takes no weights."""
    rows = np.arange(len(features), dtype=np.int64)
    return DistinctRows(features, rows, rows, np.ones(len(features)))


def _table(features: Features) -> pl.DataFrame:
    """What makes rows equal, a column a feature, and a number of its own for each empty row."""
    numbers = np.where(np.isfinite(features.numeric), features.numeric, np.nan)
    codes = np.maximum(features.categorical, -1)
    columns = {f"n{k}": column for k, column in enumerate(numbers.T)}
    columns |= {f"c{k}": column for k, column in enumerate(codes.T)}
    counts = (~np.isnan(numbers) & (features.numeric_weight > 0)).any(axis=1)
    counts |= ((codes >= 0) & (features.categorical_weight > 0)).any(axis=1)
    alone = np.where(counts, -1, np.arange(len(features)))
    return pl.DataFrame(columns | {"alone": alone})
