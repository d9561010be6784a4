"""Runs of the whole workflow on small archives with many seeds: each has to end with labels.

    python -m study.seeds FOLDER [--seeds 40] [--out results/study/seeds]

Archives are the whole folder and, drawn anew for every seed, the files of one patient, those of
one modality, and 3, 40 and 300 files. The config is the default, but that the autoencoder has one
epoch. A run fails by an error, a traceback in a log, an image without label, or where looks were
not tested and result.txt does not say so. Printed are the runs that failed, and a line for each
archive.
"""

import argparse
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from study.real_archives import tags_of
from study.replay import Job, recorded, replayed
from tagsight.run.atomic import read_json

LIST = "archive.txt"
UNTESTED = ("not tested", "could not be tested", "without a test")
Draw = Callable[[pl.DataFrame, np.random.Generator], list[str]]


def _some(count: int) -> Draw:
    return lambda files, rng: [files["path"][int(i)] for i in rng.permutation(len(files))[:count]]


def _one(column: str) -> Draw:
    def drawn(files: pl.DataFrame, rng: np.random.Generator) -> list[str]:
        value = rng.choice(files[column].drop_nulls().unique().sort().to_numpy())
        return files.filter(pl.col(column) == value)["path"].to_list()

    return drawn


ARCHIVES: Mapping[str, Draw] = {
    "one patient": _one("patient"),
    "one modality": _one("Modality"),
    "3 files": _some(3),
    "40 files": _some(40),
    "300 files": _some(300),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all seeds on all archives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path("results/study/seeds"))
    given = parser.parse_args(arguments)
    out, folder = given.out.resolve(), given.folder.resolve()
    files = tags_of([folder]).sort("path")
    jobs = recorded(*_prepared(out / "plan", files["path"].to_list()[:3]))
    all_files = [str(path) for path in sorted(folder.rglob("*")) if path.is_file()]
    whole: Mapping[str, Draw] = {"all": lambda *_: all_files}
    for name, draw in (ARCHIVES | whole).items():
        start = time.monotonic()
        ended = 0
        for seed in range(1, given.seeds + 1):
            run, _ = _prepared(
                out / f"{name.replace(' ', '-')}-{seed}", draw(files, np.random.default_rng(seed))
            )
            why = failure(jobs, run, seed)
            if why:
                print(f"{name}, seed {seed}: {why}", flush=True)
            else:
                ended += 1
                shutil.rmtree(run)
        seconds = time.monotonic() - start
        print(f"{name}: {ended} of {given.seeds} ended with labels, {seconds:.0f} s", flush=True)


def failure(jobs: Sequence[Job], run: Path, seed: int) -> str | None:
    """Return what is wrong with a run in a folder; None if it ended as it should."""
    rule = replayed(jobs, run, seed)
    if rule:
        return f"{rule} failed"
    results = run / "results"
    if any(
        "Traceback" in path.read_text(encoding="utf-8") for path in (run / "logs").rglob("*.log")
    ):
        return "a traceback in a log"
    labels = pl.read_csv(results / "annotations.csv", infer_schema=False)["label"]
    if labels.is_empty() or labels.null_count():
        return f"{labels.null_count()} of {len(labels)} images have no label"
    said = (results / "report/result.txt").read_text(encoding="utf-8")
    untested = read_json(results / "draws.json")["untested"]
    if not all(line in said for line in untested):
        return "result.txt does not say what could not be tested"
    tested = read_json(results / "evaluation.json")["pair"]["labels"]["modality"]["p"]
    if tested is None and not any(words in said for words in UNTESTED):
        return "looks were not tested, and result.txt does not say so"
    return None


def _prepared(run: Path, paths: Sequence[str]) -> tuple[Path, Path]:
    """A new folder with its config, which reads a list of paths."""
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    (run / LIST).write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    config = run / "config.yaml"
    config.write_text(
        yaml.safe_dump({"input": LIST, "autoencoder": {"epochs": 1}}), encoding="utf-8"
    )
    return run, config


if __name__ == "__main__":
    main()
