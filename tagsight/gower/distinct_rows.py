"""Distinct rows with their counts: fewer rows, the same loss and silhouettes.

For given medoids, loss and silhouettes are exactly those of all rows. If no swap among the distinct
rows improves the medoids, none among all rows does. A search may still end at other medoids, and a
row equally near to two medoids may go to the other: both depend on the order of rows.
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
    """m distinct rows that represent n rows.

    features: (m,), in the order in which the rows first appear.
    row: int64 (n,), the distinct row of each row; first: int64 (m,), the first row equal to each.
    weight: float64 (m,), how often each counts.
    """

    features: Features
    row: Int64s
    first: Int64s
    weight: Float64s

    def row_weights(self) -> Float64s:
        """Return the weight of each of the n rows, float64 (n,): equal rows share one weight."""
        return self.weight[self.row] / np.bincount(self.row)[self.row]


def collapse(features: Features, weight: Weight = "images") -> DistinctRows:
    """Return the distinct rows; each counts as often as it occurs (`images`), or once (`rows`).

    Rows are equal where the same features are missing and the others are equal: their distance is
    0, and any other row is equally far from both. Rows without any feature of positive weight are
    at distance 1 from each other, so each stays a row.
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
    counts = groups.list.len().to_numpy()
    row = np.empty(n, np.int64)
    row[groups.explode().to_numpy()] = np.repeat(np.arange(len(groups)), counts)
    first = groups.list.first().to_numpy().astype(np.int64)
    weights = counts.astype(np.float64) if weight == "images" else np.ones(len(first))
    return DistinctRows(features.take(first), row, first, weights)


def all_rows(features: Features) -> DistinctRows:
    """Return every row as if all were distinct, for algorithms without weights."""
    rows = np.arange(len(features), dtype=np.int64)
    return DistinctRows(features, rows, rows, np.ones(len(features)))


def _table(features: Features) -> pl.DataFrame:
    """Features with equal codes where rows are equal, and a unique number for each empty row."""
    numbers = np.where(np.isfinite(features.numeric), features.numeric, np.nan)
    codes = np.maximum(features.categorical, -1)
    columns = {f"n{k}": column for k, column in enumerate(numbers.T)}
    columns |= {f"c{k}": column for k, column in enumerate(codes.T)}
    empty = np.where(features.comparable(), -1, np.arange(len(features)))
    return pl.DataFrame(columns | {"empty": empty})
