"""Counts of a run at each of its stages, for Figure 2 and the page."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tagsight.tags.encoding import PRESENCE, Column


def counts(
    tags: pl.LazyFrame,
    rejected: pl.DataFrame,
    selection: pl.DataFrame,
    columns: Sequence[Column],
    samples: Mapping[str, int],
    fates: pl.DataFrame,
) -> dict[str, Any]:
    """Count files, images, tags, columns and samples.

    tags: all shards, with `image`, `series`, `patient`; rejected: one row per file, with `reason`.
    selection: a row for each tag, in a tree for each kind too, with `keyword` and `fate`; columns:
    of the encoding, or of all kinds' encodings.
    samples: name -> number of images; fates: one row per image whose pixels were needed, with
    `reason` where they could not be drawn, and `remark` (joined by `; `) where they were drawn
    otherwise than their header says.
    Returns the content of counts.json. `series` and `patients` count known ones; `unknown_patient`
    counts images without a known patient.
    """
    archive = tags.select(
        images=pl.len(),
        series=pl.col("series").drop_nulls().n_unique(),
        patients=pl.col("patient").drop_nulls().n_unique(),
        unknown_patient=pl.col("patient").null_count(),
    )
    remarks = fates.select(pl.col("remark").str.split("; ").explode())
    totals = archive.collect(engine="streaming").row(0, named=True)
    return {
        "files": totals["images"] + len(rejected),
        **totals,
        "rejected": _tally(rejected),
        "tags": selection["keyword"].n_unique(),
        "kept": selection.filter(fate="kept")["keyword"].n_unique(),
        "columns": len(columns),
        "presence": sum(column.parser == PRESENCE for column in columns),
        "samples": dict(samples),
        "drawn": len(fates),
        "undrawn": _tally(fates),
        "remarks": _tally(remarks, "remark"),
    }


def trial_sizes(samples: Mapping[str, int]) -> list[int]:
    """Return the number of images of each trial that has any, in the order of `samples`."""
    return [size for name, size in samples.items() if name.startswith("trial") and size]


def _tally(rows: pl.DataFrame, name: str = "reason") -> dict[str, int]:
    """Reason, or what the column `name` has -> number of rows, the most frequent first."""
    filled = rows.drop_nulls(name)
    tally = filled.group_by(name).len().sort(["len", name], descending=[True, False])
    return dict(tally.iter_rows())
