"""What the study is made on: runs of the workflow as far as their samples, and planted groups.

The runs are made by Snakemake in `results/study`, so what is there already is not made again.
"""

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from study import planted
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
    """Images described by tags, and what else is known of them.

    sample: a row an image, as in `results/samples`: `patient`, the outside labels, the encoded
    columns. truth: String (n,), the planted group, null where none was planted. embeddings:
    float32 (n, d), NaN rows where there is no picture. run: the folder of the run that it is of.
    """

    name: str
    seed: int
    sample: pl.DataFrame
    encoding: Encoding
    truth: pl.Series | None = None
    embeddings: NDArray[np.float32] | None = None
    run: Path | None = None

    def labels(self) -> dict[str, pl.Series]:
        """Return the outside labels that divide the images, the planted truth first."""
        known = {"truth": self.truth} if self.truth is not None else {}
        known |= {name: self.sample[name] for name in OUTSIDE if name in self.sample.columns}
        return {name: label for name, label in known.items() if label.drop_nulls().n_unique() > 1}


def made(quick: bool) -> tuple[list[Data], list[str]]:
    """Return the data of the study, and a line for each that could not be had."""
    planted_groups = [synthetic(200 if quick else 1500, structural) for structural in (True, False)]
    if quick:
        return planted_groups, ["demo, IDC, DICOM: left out by --quick"]
    found, missing = [*planted_groups, demo()], []
    if importlib.util.find_spec("idc_index_data"):
        found.append(idc())
    else:
        missing.append("IDC: left out, since package idc-index-data is not installed")
    if DICOM.is_dir():
        found.append(dicom())
    else:
        missing.append("DICOM: left out, since there is no folder ../shared/dicom")
    return found, missing


def synthetic(n: int, structural: bool) -> Data:
    """Planted groups that lack whole modules of tags, or the control that lacks tags at random."""
    sample, columns, truth = planted.images(n, SEED, structural)
    return Data("planted" if structural else "control", SEED, sample, columns, truth)


def demo() -> Data:
    """The demo archive. Its truth: modality, body part and contrast as they were planted."""
    run = _run("demo", "config/demo.yaml", "study/demo.yaml", more=(EMBEDDINGS,))
    sample = pl.read_parquet(run / SAMPLES[0])
    truth = pl.read_parquet(run / "results/demo/truth.parquet").select(
        "path",
        truth=pl.concat_str(
            "modality", "body_part", pl.col("contrast").fill_null(""), separator=" "
        ),
    )
    place = sample.select(pl.col("path").str.split("demo/archive/").list.last())
    planted_in = place.join(truth, on="path", how="left", maintain_order="left")["truth"]
    return _read("demo", run, planted_in)


def idc() -> Data:
    """5,000 series of the Imaging Data Commons."""
    from idc_index_data import IDC_INDEX_PARQUET_FILEPATH

    table = RUNS / "idc/results/idc/index.parquet"  # where config/idc.yaml looks for it
    table.parent.mkdir(parents=True, exist_ok=True)
    if not table.exists():
        table.symlink_to(IDC_INDEX_PARQUET_FILEPATH)
    shutil.copy(CLONE / "config/idc.key", table.parent / "key")
    return _read("IDC", _run("idc", "config/idc.yaml", "study/idc.yaml"))


def dicom() -> Data:
    """Real files of many makers, several of a series."""
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
    """Run the workflow as far as its samples; return the folder of the run."""
    folder = RUNS / name
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
    command += ["--snakefile", str(CLONE / "Snakefile"), "--directory", str(folder)]
    command += ["--configfile", *(str(CLONE / overlay) for overlay in overlays)]
    command += ["--config", f"seed={SEED}", "--"]
    subprocess.run([*command, *SAMPLES, *more], cwd=CLONE, check=True)
    return folder
