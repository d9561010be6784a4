"""What labels are worth: what a network that learned them tells of images of other patients.

A small network learns to tell a labelling of the images of some patients. It is then left as it
is, and a linear probe learns something else from few images of other patients, described by it. The
better the labels, the more the probe tells right; beside them stand labels that cost nothing.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tagsight.arrays import Int64s, UInt8s
from tagsight.errors import ConfigError, TableError
from tagsight.run.progress import ProgressCounter
from tagsight.run.tables import BOOKKEEPING, label_column, person
from tagsight.run.user_files.csv_file import dict_rows
from tagsight.tags.labels import LABELS
from tagsight.tree.encodings import Tree
from tagsight.worth.linear_probe import Probed, interval, probed
from tagsight.worth.pretraining import descriptions, shrunk

NETWORKS = 5  # of each labelling
DRAWS = 20  # of patients to learn from
IMAGES = 100  # that a probe learns from, or half of those that there are
LEAST_LEARNED = 20  # images to learn labels from
LEAST_PATIENTS = 10  # with images that the probe is for
OWN = "labels"  # the labelling that the others are held against


def target_of(samples: pl.DataFrame, tags: pl.LazyFrame, target: str) -> pl.Series:
    """Return what the probe is to tell of each image: String (n,), null = not known.

    samples: the images as in results/samples; target: a column of text there, or a DICOM keyword
    that results/tags has.
    Raises ConfigError for any other.
    """
    if target in BOOKKEEPING:
        raise ConfigError(f"worth.target: {target} says which image it is, not what it shows")
    if samples.schema.get(target) == pl.String:
        return samples[target]
    if target not in tags.collect_schema():
        raise ConfigError(
            f"worth.target: {target} is no column of text of results/samples, and no image has a "
            "DICOM attribute of this name that is kept"
        )
    images = samples.lazy().select("image")
    values = tags.select("image", target).join(images, on="image", how="semi")
    rows = images.join(values, on="image", how="left", maintain_order="left").collect()
    return rows[target].replace("", None)


def labels_of_file(images: pl.DataFrame, path: str) -> pl.Series:
    """Return what a table of the user's says of each image: String (n,), null = nothing.

    images: `image`; path: of a CSV file with columns `image`, as in annotations.csv, and `label`.
    Raises ConfigError where a column is missing, an image comes twice, or none is known.
    """
    columns = ("image", "label")
    try:
        rows_of_table = dict_rows(Path(path), columns)
    except TableError as error:
        raise ConfigError(f"worth.labels: {error}") from None
    if any(column not in row for row in rows_of_table[:1] for column in columns):
        raise ConfigError("worth.labels: the table needs columns `image` and `label`")
    texts = {column: [row[column] or None for row in rows_of_table] for column in columns}
    table = pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String))
    if table["image"].is_duplicated().any():
        raise ConfigError("worth.labels: an image has two rows")
    rows = images.select("image").join(table, on="image", how="left", maintain_order="left")
    if rows["label"].is_null().all():
        raise ConfigError(
            "worth.labels: the table has none of the trials' images; `image` is as in "
            "results/annotations.csv"
        )
    return rows["label"]


def is_read(target: str, selection: pl.DataFrame, tree: Tree) -> bool:
    """Return whether labels are made from a target, itself or the words that it is made into.

    target: as of `target_of`; selection: as in selection.parquet; tree: the encodings of the run.
    """
    if not tree.flat and target in ("modality", "Modality", "kind"):
        return True  # a tree divides by these first
    if f"word.{target}" in {column.name for column in tree.columns}:
        return True
    used = (pl.col("fate") == "kept") | (pl.col("reason") == "in words")
    return not set(LABELS.get(target, [target])).isdisjoint(selection.filter(used)["keyword"])


def worth(
    labellings: Mapping[str, pl.Series | None],
    learned: UInt8s,
    rows: pl.DataFrame,
    tested: UInt8s,
    *,
    seed: int,
    threads: int,
    progress: ProgressCounter | None = None,
) -> dict[str, Any]:
    """Return what each labelling is worth.

    labellings: name → the class of each image (n,) to learn from, null being a class too; None is
    a network of random weights. One is OWN. learned: uint8 (n, 64, 64), those images.
    rows: `target` (null = not known), `patient`, `study`, `series`, `image`, of other patients;
    tested: uint8 (m, 64, 64), their images.
    Returns `learned` and `tested` (images), `patients`, `classes` (of the target), `probe` (images
    that a probe learns from), `draws`, `networks`, `commonest` (share of the most frequent class),
    `labellings` (name → `classes`, `accuracy`, `ci95`), `more` (name of another labelling → by how
    much OWN tells more right: `accuracy`, `ci95`), and `reason`: why there are no figures.
    """
    known = rows["target"].is_not_null().to_numpy()
    kept = rows.filter(known)
    targets = _codes(kept["target"])
    people = _codes(kept.select(person()).to_series())
    classes = {name: None if each is None else _codes(each) for name, each in labellings.items()}
    probe = min(IMAGES, len(kept) // 2)
    summary: dict[str, Any] = {
        "learned": len(learned),
        "tested": len(kept),
        "patients": len(np.unique(people)),
        "classes": len(np.unique(targets)),
        "probe": probe,
        "draws": DRAWS,
        "networks": NETWORKS,
        "commonest": None,
        "labellings": {},
        "more": {},
        "reason": why_not(len(learned), targets, people),
    }
    if summary["reason"]:
        return summary
    described = descriptions(
        classes,
        learned,
        tested[known],
        networks=NETWORKS,
        seed=seed,
        threads=threads,
        progress=progress,
    )
    results = {
        name: probed(each, targets, people, images=probe, draws=DRAWS, seed=seed)
        for name, each in described.items()
    }
    commonest = float(np.bincount(targets).max() / len(targets))
    return {**summary, "commonest": commonest, **_figures(results, classes, seed)}


def why_not(learned: int, targets: Int64s, people: Int64s) -> str | None:
    """Return why nothing can be said of so few images; None where something can."""
    if learned < LEAST_LEARNED:
        return f"fewer than {LEAST_LEARNED} images to learn labels from"
    if len(np.unique(people)) < LEAST_PATIENTS:
        return f"fewer than {LEAST_PATIENTS} other patients have what was to be told"
    if len(np.unique(targets)) < 2:
        return "all images of other patients are the same in what was to be told"
    return None


def _figures(
    results: Mapping[str, Probed], classes: Mapping[str, Int64s | None], seed: int
) -> dict[str, Any]:
    own = results[OWN]
    labellings = {
        name: {
            "classes": None if (codes := classes[name]) is None else len(np.unique(codes)),
            "accuracy": each.accuracy(),
            "ci95": interval(each, None, seed),
        }
        for name, each in results.items()
    }
    more = {
        name: {"accuracy": own.accuracy() - each.accuracy(), "ci95": interval(own, each, seed)}
        for name, each in results.items()
        if name != OWN
    }
    return {"labellings": labellings, "more": more}


def drawn_images(files: Sequence[tuple[str, str, str]]) -> tuple[pl.DataFrame, UInt8s]:
    """Return the images of several samples that could be drawn, and their small pictures.

    files: of each sample its paths in results/samples and results/images, `.parquet` and `.npy`.
    Returns the samples' rows, without the columns that encode tags, and uint8 (n, 64, 64).
    """
    tables, pictures = [], []
    for sample, fates, images in files:
        drawn = pl.read_parquet(fates)["reason"].is_null()
        tables.append(pl.read_parquet(sample).select(pl.selectors.string()).filter(drawn))
        pictures.append(shrunk(np.load(images, mmap_mode="r")[drawn.to_numpy()]))
    return pl.concat(tables), np.concatenate(pictures)


def labels_of_run(images: pl.DataFrame, annotations: pl.LazyFrame) -> pl.Series:
    """Return the labels that images have in a run, in a flat one their clusters: Int32 (n,).

    images: `image`; annotations: as in results/annotations.
    """
    label = label_column(annotations.collect_schema().names()).alias("label")
    rows = images.lazy().select("image")
    own = annotations.select("image", label)
    return rows.join(own, on="image", how="left", maintain_order="left").collect()["label"]


def _codes(values: pl.Series) -> Int64s:
    text = values.cast(pl.String).fill_null("")
    return (text.rank("dense") - 1).to_numpy().astype(np.int64)
