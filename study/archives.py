"""Drawn archives of the study of labels: hospitals of different habits, their tags and pictures.

An archive is drawn and read once; then it lies in `results/study/labels`, under a name that holds a
hash of the code that made it.
"""

import itertools
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from study.data import CLONE, RUNS
from tagsight.arrays import UInt8s
from tagsight.demo import archive as demo
from tagsight.demo.habits import Habits
from tagsight.demo.patients import path_of
from tagsight.demo.population import plan
from tagsight.dicom.headers import ReaderOptions
from tagsight.looks.rendering import render
from tagsight.reading.shard_reader import read_shard
from tagsight.run.atomic import write_npy, write_parquet
from tagsight.run.hashing import keyed_hash
from tagsight.run.imports import dependencies
from tagsight.run.progress import Progress
from tagsight.run.recipe import source_hash
from tagsight.terms.body_parts import BodyParts
from tagsight.terms.spelling_table import spelling_table

PATIENTS = 150
DESCRIPTIONS = ("SeriesDescription", "ProtocolName", "StudyDescription")
KEY = b"the patients are invented"
SIZE = 32  # pixels of a picture
PLANTED = "planted "  # begins the names of columns of the truth, where it lies beside the tags


@dataclass(frozen=True)
class Setting:
    """How an archive is drawn. choosing: whether it is of the half that choices are made on."""

    seed: int
    choosing: bool
    habits: Habits
    patients: int = PATIENTS

    @property
    def name(self) -> str:
        """A name for files, the same for the same archive."""
        content = f"{self.seed} {self.patients} {self.habits.to_text()}"
        return f"{self.seed}-{keyed_hash(KEY, content)[:8]}"


@dataclass(frozen=True)
class Archive:
    """The images of an archive.

    tags: as in results/tags; truth: what was planted, `modality`, `part`, `content` (part, view and
    contrast) and `machine`; pictures: uint8 (n, SIZE, SIZE).
    """

    setting: Setting
    tags: pl.DataFrame
    truth: pl.DataFrame
    pictures: UInt8s


def settings() -> list[Setting]:
    """Return the settings of the study: each combination of habits with two seeds.

    The first seed is for choices, the second for what is published.
    """
    combinations = itertools.product((2, None), (0.0, 0.9), (None, 0.4), (0.045, 0.2))
    return [
        Setting(seed, choosing, Habits(machines, 0.7, own, filled, wrong))
        for number, (machines, own, filled, wrong) in enumerate(combinations)
        for seed, choosing in ((100 + number, True), (200 + number, False))
    ]


def archive(setting: Setting, folder: Path = RUNS / "labels") -> Archive:
    """Return an archive; it is drawn where it is not in the folder yet."""
    name = f"{setting.name}-{code(Path(__file__))}"
    tags, pictures = (folder / f"{name}.{end}" for end in ("parquet", "npy"))
    if not (tags.exists() and pictures.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as place:
            table, drawn = _drawn(setting, Path(place))
        write_npy(drawn, pictures)
        write_parquet(table, tags)
    table = pl.read_parquet(tags)
    planted = table.select(pl.selectors.starts_with(PLANTED))
    truth = planted.rename(lambda name: name.removeprefix(PLANTED))
    return Archive(setting, table.drop(planted.columns), truth, np.load(pictures))


@cache
def code(*modules: Path) -> str:
    """Return a hash of modules of the study and of all of the library that they use."""
    files = {file for module in modules for file in (module, *dependencies(module, CLONE))}
    return keyed_hash(KEY, " ".join(source_hash(file) for file in sorted(files)))[:12]


def _drawn(setting: Setting, place: Path) -> tuple[pl.DataFrame, UInt8s]:
    """Draw an archive and read it: tags with the truth, and pictures."""
    files, planted = place / "archive", place / "truth.parquet"
    sizes = {"patients": setting.patients, "images": None, "seed": setting.seed}
    demo.write(files, planted, **sizes, habits=setting.habits)  # type: ignore[arg-type]
    truth = _truth(setting, files)
    paths = truth["path"].to_list()
    listing = pl.DataFrame({"path": paths}).with_columns(
        size=pl.lit(None, pl.Int64), mtime_ns=pl.lit(None, pl.Int64)
    )
    options = ReaderOptions(derive=DESCRIPTIONS, vocabulary=BodyParts(spelling_table(None)))
    progress = Progress(len(paths), "files")
    shard = read_shard(listing, KEY, options, place / "store", progress)
    table = shard.tags.collect().join(truth, on="path", maintain_order="left")
    pictures = np.stack([render(path, "pad", SIZE) for path in table["path"]])
    return table.drop("path"), pictures


def _truth(setting: Setting, files: Path) -> pl.DataFrame:
    """What was planted in every image."""
    rows = [
        {
            "path": str(files / path_of(series, image, setting.seed)),
            f"{PLANTED}modality": series.modality,
            f"{PLANTED}part": series.body_part,
            f"{PLANTED}content": f"{series.body_part} {series.view(image)} {series.contrast}",
            f"{PLANTED}machine": str(series.device.number),
        }
        for person in plan(setting.patients, None, setting.seed, setting.habits)
        for series in person.series
        for image in range(series.slices)
    ]
    return pl.DataFrame(rows).sort("path")
