"""Data of the study: runs of the workflow up to their samples, and planted groups.

Snakemake makes the runs in `results/study`, and does not repeat what is already there.
"""

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from study import planted
from tagsight.arrays import Float32s
from tagsight.tags import encoding
from tagsight.tags.encoding import Encoding

CLONE = Path(__file__).parents[1]
RUNS = CLONE / "results/study"
DICOM = CLONE.parent / "shared/dicom"
OUTSIDE = ("modality", "body_part", "manufacturer")
SEED = 1
SAMPLES = ("results/samples/tuning.parquet", "results/samples/holdout.parquet")
EMBEDDINGS = "results/embeddings/tuning.npy"


@dataclass(frozen=True)
class Data:
    """Images described by tags, with labels and pictures.

    sample: one row per image, as in `results/samples`: `patient`, the outside labels, the encoded
    columns. truth: String (n,), the planted group, null where there is none. embeddings: float32
    (n, d), NaN rows where there is no picture. run: the folder of its run.
    """

    name: str
    seed: int
    sample: pl.DataFrame
    encoding: Encoding
    truth: pl.Series | None = None
    embeddings: Float32s | None = None
    run: Path | None = None

    def labels(self) -> dict[str, pl.Series]:
        """Return the outside labels that divide the images, the planted truth first."""
        labels = {"truth": self.truth} if self.truth is not None else {}
        labels |= {name: self.sample[name] for name in OUTSIDE if name in self.sample.columns}
        return {name: label for name, label in labels.items() if label.drop_nulls().n_unique() > 1}


def data_sets(quick: bool) -> tuple[list[Data], list[str]]:
    """Return the data sets, and a line for each that is not available."""
    planted_groups = [synthetic(200 if quick else 1500, structural) for structural in (True, False)]
    if quick:
        return planted_groups, ["demo, IDC, DICOM: left out by --quick"]
    available, missing = [*planted_groups, demo()], []
    if importlib.util.find_spec("idc_index_data"):
        available.append(idc())
    else:
        missing.append("IDC: left out, since package idc-index-data is not installed")
    if DICOM.is_dir():
        available.append(dicom())
    else:
        missing.append("DICOM: left out, since there is no folder ../shared/dicom")
    return available, missing


def synthetic(n: int, structural: bool) -> Data:
    """Return planted groups that lack whole modules, or the control that lacks tags at random."""
    sample, columns, truth = planted.images(n, SEED, structural)
    return Data("planted" if structural else "control", SEED, sample, columns, truth)


def demo() -> Data:
    """Return the demo archive; its truth: modality, body part and contrast as planted."""
    run = _run("demo", "config/demo.yaml", "study/demo.yaml", more=(EMBEDDINGS,))
    sample = pl.read_parquet(run / SAMPLES[0])
    truth = pl.read_parquet(run / "results/demo/truth.parquet").select(
        "path",
        truth=pl.concat_str(
            "modality", "body_part", pl.col("contrast").fill_null(""), separator=" "
        ),
    )
    place = sample.select(pl.col("path").str.split("demo/archive/").list.last())
    planted_truth = place.join(truth, on="path", how="left", maintain_order="left")["truth"]
    return _read("demo", run, planted_truth)


def idc() -> Data:
    """Return 5,000 series of the Imaging Data Commons."""
    from idc_index_data import IDC_INDEX_PARQUET_FILEPATH

    table = RUNS / "idc/results/idc/index.parquet"  # where config/idc.yaml looks for it
    table.parent.mkdir(parents=True, exist_ok=True)
    if not table.exists():
        table.symlink_to(IDC_INDEX_PARQUET_FILEPATH)
    shutil.copyfile(CLONE / "config/idc.key", table.parent / "key")
    (table.parent / "key").chmod(0o600)
    return _read("IDC", _run("idc", "config/idc.yaml", "study/idc.yaml"))


def dicom() -> Data:
    """Return real files of many manufacturers, several per series."""
    return _read("DICOM", _run("dicom", "study/dicom.yaml"))


def _read(name: str, run: Path, truth: pl.Series | None = None) -> Data:
    pictures = run / EMBEDDINGS
    return Data(
        name,
        SEED,
        pl.read_parquet(run / SAMPLES[0]),
        encoding.load(run / "results/encoding.json"),
        truth,
        np.load(pictures) if pictures.exists() else None,
        run,
    )


def _run(name: str, *overlays: str, more: tuple[str, ...] = ()) -> Path:
    """Run the workflow up to its samples, and return the folder of the run."""
    folder = RUNS / name
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
    command += ["--snakefile", str(CLONE / "Snakefile"), "--directory", str(folder)]
    command += ["--configfile", *(str(CLONE / overlay) for overlay in overlays)]
    command += ["--config", f"seed={SEED}", "--"]
    subprocess.run([*command, *SAMPLES, *more], cwd=CLONE, check=True)
    return folder
