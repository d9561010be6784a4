"""The demo archive: DICOM files of invented hospitals, made from a seed, and the planted truth."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pydicom

from tagsight.demo.broken import break_some
from tagsight.demo.habits import DEMO, Habits
from tagsight.demo.patients import make_patient, truth
from tagsight.demo.population import Patient, plan
from tagsight.run.progress import ProgressCounter

SCHEMA = {
    "path": pl.String,
    "modality": pl.String,
    "body_part": pl.String,
    "view": pl.String,
    "contrast": pl.String,
    "maker": pl.String,
    "patient": pl.Int64,
    "study": pl.Int64,
    "series": pl.Int64,
    "instance": pl.Int64,
    "body_part_wrong": pl.Boolean,
    "body_part_missing": pl.Boolean,
    "broken": pl.String,
}
# Folders of the pydicom package that hold DICOM files, if its installation has them.
PACKAGED = ("test_files", "charset_files")
OTHER = (".py", ".pyc", ".md", ".txt", ".json", ".dump", ".icc", ".gz")


def _share(folder: Path, people: Iterable[Patient], seed: int) -> Iterator[int]:
    for person in people:
        yield make_patient(folder, person, seed)


def _command(
    folder: Path, size: tuple[int, int | None], seed: int, habits: Habits, part: tuple[int, int]
) -> list[str]:
    """Return the command of a process that makes its share of the patients.

    A command instead of multiprocessing, which would import the caller's script again, or fork its
    threads.
    """
    numbers = (size[0], -1 if size[1] is None else size[1], seed, *part)
    command = [sys.executable, "-m", "tagsight.demo.archive", str(folder), habits.to_text()]
    return [*command, *map(str, numbers)]


def _follow(command: list[str], progress: ProgressCounter | None) -> None:
    """Run a command and count its images; raises CalledProcessError where it fails."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if progress is not None:
                progress.add(int(line))
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def truth_table(
    patients: int, images: int | None, seed: int, habits: Habits = DEMO
) -> pl.DataFrame:
    """Return the truth of every intact image of an archive, sorted by path."""
    people = plan(patients, images, seed, habits)
    rows = [
        truth(series, image, seed)
        for person in people
        for series in person.series
        for image in range(series.slices)
    ]
    return pl.DataFrame(rows, schema=SCHEMA).sort("path")


def _faults(broken: dict[str, str]) -> pl.DataFrame:
    rows = [{"path": path, "broken": kind} for path, kind in broken.items()]
    return pl.DataFrame(rows, schema=SCHEMA)


def write(
    folder: Path,
    truth: Path,
    *,
    patients: int,
    images: int | None,
    seed: int,
    habits: Habits = DEMO,
    threads: int = 1,
    progress: ProgressCounter | None = None,
) -> None:
    """Write the archive's files, and the table of what was planted in them.

    folder: of the archive, made if absent; truth: the parquet file to write, one row per file, with
    only `path` and `broken` for broken ones; patients: their number, each with 1 to 4 exams of
    about 2 series; nine or more give every modality; images: their number without broken files,
    None for about 4.4 per patient, at least one per series (about 2.6 per patient); seed: the same
    seed makes the same bytes, whatever `threads` is; habits: of the hospitals; threads: processes
    that share the patients; progress: counts finished images.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if threads == 1:
        for count in _share(folder, plan(patients, images, seed, habits), seed):
            if progress is not None:
                progress.add(count)
    else:
        commands = [
            _command(folder, (patients, images), seed, habits, (i, threads)) for i in range(threads)
        ]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(_follow, commands, [progress] * threads))
    intact = truth_table(patients, images, seed, habits)
    broken = break_some(folder, intact["path"].to_list(), seed)
    truth.parent.mkdir(parents=True, exist_ok=True)
    pl.concat([intact, _faults(broken)]).sort("path").write_parquet(truth, compression="zstd")


def packaged_files() -> list[Path]:
    """Return the files that ship inside the installed pydicom, sorted; their names can repeat."""
    data = Path(pydicom.__file__).parent / "data"
    files = (p for name in PACKAGED for p in (data / name).rglob("*") if p.is_file())
    return sorted(p for p in files if p.suffix not in OTHER)


def _main(folder: str, habits: str, *numbers: str) -> None:
    patients, images, seed, part, parts = map(int, numbers)
    whole = plan(patients, None if images < 0 else images, seed, Habits.from_text(habits))
    people = whole[part::parts]
    for images in _share(Path(folder), people, seed):
        print(images, flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
