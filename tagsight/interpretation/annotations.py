"""The annotations of a tree: what each image is, its label, and how sure that is."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

COLUMNS = (
    *("image", "path", "series", "study", "patient"),
    *("kind", "region", "modality", "body_part", "label", "name"),
    *("cluster", "distance", "margin", "second", "because"),
    *("pvalue", "fits", "found", "trust"),
)


FLAT_COLUMNS = (
    *("image", "path", "series", "study", "patient", "cluster", "name"),
    *("distance", "margin", "second", "because"),
)


def flat_annotations(
    placed: pl.DataFrame, tags: pl.DataFrame, cards: Sequence[Mapping[str, Any]]
) -> pl.DataFrame:
    """Return one row for each image of a flat run, in the order of `placed`: FLAT_COLUMNS.

    placed: of `annotation.annotate`; tags: `image`, `path`, `series`, `study`, `patient`; cards: as
    in cards.json.
    """
    names = {card["cluster"]: card["name"] for card in cards}
    name = pl.col("cluster").replace_strict(names, return_dtype=pl.String)
    joined = placed.join(tags, on="image", how="left", maintain_order="left")
    return joined.with_columns(name=name).select(FLAT_COLUMNS)


def annotations(
    nearest: pl.DataFrame,
    content: pl.DataFrame,
    tags: pl.DataFrame,
    outside: pl.DataFrame,
    cards: Sequence[Mapping[str, Any]],
) -> pl.DataFrame:
    """Return one row for each image, in the order of `nearest`: COLUMNS.

    nearest: as in results/nearest, with `trust` (see `trust.trust`); content: `image`, `kind`,
    `region`; tags: `image`, `path`, `series`, `study`, `patient`; outside: `image`, `modality`,
    `body_part`, of `tags.labels`; cards: as in cards.json.
    `second` is the label of the second leaf, null where that is the image's own label; then there
    is no `margin` either. `found`: whether the label was found again in other patients, null where
    it was not looked for.
    """
    labels = label_of(cards)
    names = {card["label"]: card["name"] for card in cards}
    found = {card["label"]: card["found"] for card in cards}
    rows = nearest.drop("kind").with_columns(
        label=pl.col("cluster").replace_strict(labels, default=None, return_dtype=pl.Int32),
        second=pl.col("second").replace_strict(labels, default=None, return_dtype=pl.Int32),
    )
    rows = rows.with_columns(
        name=pl.col("label").replace_strict(names, default=None, return_dtype=pl.String),
        found=pl.col("label").replace_strict(found, default=None, return_dtype=pl.Boolean),
        second=pl.when(pl.col("second") != pl.col("label")).then("second"),
    )
    rows = rows.with_columns(margin=pl.when(pl.col("second").is_not_null()).then("margin"))
    for table in (
        tags.select("image", "path", "series", "study", "patient"),
        content.select("image", "kind", "region"),
        outside.select("image", "modality", "body_part"),
    ):
        rows = rows.join(table, on="image", how="left", maintain_order="left")
    return rows.select(COLUMNS)


def label_of(cards: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Return leaf → label, of the cards of a tree."""
    return {leaf: card["label"] for card in cards for leaf in card["clusters"]}
