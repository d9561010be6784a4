"""What a network is trained on: a list of labelled images, and a folder of links to their files."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from tagsight.archive.paths import to_path
from tagsight.handover.splits import split, thinned
from tagsight.run.plain_text import counted
from tagsight.run.progress import LOG
from tagsight.run.tables import label_column, person

COLUMNS = ("path", "label", "name", "target", "split", "patient", "image")


def manifest(
    annotations: pl.DataFrame,
    left_out: pl.DataFrame,
    per_label: int | None,
    shares: Mapping[str, float],
    seed: int,
) -> pl.DataFrame:
    """Return the images to train on: COLUMNS, in order of `split`, `label` and `image`.

    annotations: of all images; where they have no `label`, the cluster is it.
    left_out: `image` of those that can't be drawn, or are no pictures; per_label, shares, seed: see
    `splits`.
    `target` numbers the labels from 0 on, as losses of networks want them.
    Images that do not fit their label are left out, too. No patient is in two splits; who is
    unknown counts as `tables.person` says.
    """
    label = label_column(annotations.columns).alias("label")
    fits = pl.col("fits").fill_null(value=True) if "fits" in annotations.columns else pl.lit(True)
    images = (
        annotations.filter(fits)
        .with_columns(label, person=person())
        .filter(pl.col("label").is_not_null())
        .join(left_out, on="image", how="anti")
    )
    drawn = thinned(images, per_label, seed)
    target = pl.col("label").rank("dense").cast(pl.Int64) - 1
    drawn = drawn.with_columns(split(drawn, shares, seed), target=target)
    return drawn.sort("split", "label", "image").select(COLUMNS)


def link(rows: pl.DataFrame, folder: Path) -> int:
    """Make the folder of links `{split}/{label}/{image}.dcm`, readable by its owner alone.

    rows: of `manifest`. Every split has a folder for every label, so that labels have the same
    numbers in all of them.
    Returns how many images have no link: members of containers.
    """
    folder.mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    names = folder_names(rows)
    for part in rows["split"].unique():
        for name in names.values():
            (folder / part / name).mkdir(parents=True)
    plain = rows.filter(~pl.col("path").str.contains("!", literal=True))
    for path, label, part, image in plain["path", "label", "split", "image"].iter_rows():
        target = os.path.abspath(to_path(path))
        (folder / part / names[label] / f"{image}.dcm").symlink_to(target)
    without = len(rows) - len(plain)
    if without:
        LOG.warning("%d of %s in containers have no link", without, counted(len(rows), "image"))
    return without


def folder_names(rows: pl.DataFrame) -> dict[object, str]:
    """Return a folder's name for each label: the label, and its name in plain letters.

    Numbers are of one width, so that the order of names is theirs.
    """
    labels = rows.select("label", "name").unique("label").sort("label")
    texts = labels["label"].cast(pl.String)
    width = texts.str.len_chars().max() if labels["label"].dtype.is_integer() else 0
    return {
        label: "-".join(filter(None, [_plain(text.zfill(width)), _plain(name or "")]))
        for label, text, name in zip(labels["label"], texts, labels["name"], strict=True)
    }


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.+]+", "-", text).strip("-.")[:60]
