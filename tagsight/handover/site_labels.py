"""The labels of all images with identifiers as they are, for those on site to join by."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from tagsight.handover.identifiers import HASHES, UIDS, file_uids, table_ids
from tagsight.run.progress import LOG, ProgressCounter

# The columns after the identifiers, in their order, as far as the annotations have them.
COLUMNS = (
    *("path", "patient", "kind", "region", "label", "name", "cluster"),
    *("distance", "margin", "fits", "found", "trust", "image"),
)


def of_files(
    shards: Iterable[tuple[str, str]], key: bytes, processes: int, progress: ProgressCounter
) -> pl.DataFrame:
    """Return the labels of all images with their UIDs: those of `identifiers.UIDS`, then COLUMNS.

    shards: for each the path of its annotations and of its tags; the others: see `file_uids`.
    Images whose files have changed or gone since then have no UIDs; a warning counts them.
    """
    parts, lost = [], 0
    for annotations, tags in shards:
        images = pl.read_parquet(tags, columns=["image", "path", *HASHES])
        uids = file_uids(images, key, processes, progress)
        lost += images.filter(_any(images, HASHES) & ~_any(uids, UIDS)).height
        parts.append(_joined(pl.read_parquet(annotations), images.select("image").hstack(uids)))
    _warn(lost, "images have no UIDs: their files have changed or gone since they were read")
    return pl.concat(parts)


def of_table(annotations: Iterable[str], place: Path, column: str, key: bytes) -> pl.DataFrame:
    """Return the labels of all rows of a ready table with its own identifiers.

    annotations: the path of each shard's; place, column, key: see `table_ids`.
    Returns the identifiers under the name that the table has for them (`id` where that is one of
    COLUMNS), then COLUMNS. Rows that the table no longer has are without; a warning counts them.
    """
    name = "id" if column in COLUMNS else column
    ids = table_ids(place, column, key).rename({"id": name})
    labels = pl.concat([_joined(pl.read_parquet(path), ids) for path in annotations])
    _warn(labels[name].null_count(), f"rows have no {name}: tags.table has changed since")
    return labels


def _joined(annotations: pl.DataFrame, identifiers: pl.DataFrame) -> pl.DataFrame:
    rows = annotations.join(identifiers, on="image", how="left", maintain_order="left")
    names = [name for name in identifiers.columns if name != "image"]
    return rows.select(*names, *(name for name in COLUMNS if name in annotations.columns))


def _any(rows: pl.DataFrame, columns: Iterable[str]) -> pl.Series:
    """Which rows have a value in any of the columns."""
    return rows.select(pl.any_horizontal(pl.col(*columns).is_not_null())).to_series()


def _warn(count: int, what: str) -> None:
    if count:
        LOG.warning("%d %s", count, what)
