"""Reading headers: ours and pydicom, on variants of real files.

usage: python benchmarks/headers.py [files, default 10000] [folder of DICOM files]
Without a folder, the files are variants of pydicom's test files. As in a series, 40 variants share
a patient and have different UIDs, times, positions and numbers. CPU-seconds are medians of
interleaved rounds, on one core, of processes that have read the files before.
"""

import json
import logging
import os
import random
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom

from tagsight.archive.sharding import listed_with_shards
from tagsight.dicom.headers import ReaderOptions
from tagsight.reading.batch_reader import BATCH, Reader
from tagsight.reading.shard_reader import read_shard
from tagsight.run.atomic import stream_parquet
from tagsight.run.progress import Progress

ROUNDS, PEER_FILES, SERIES = 5, 1000, 40
KEY = bytes(range(32))
KEEP = frozenset({"PatientAge", "PatientSex", "PatientSize", "PatientWeight"})


def originals(folder: Path | None) -> list[Path]:
    """Return the files that pydicom can read and write again."""
    folder = folder or Path(pydicom.__file__).parent / "data" / "test_files"
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and readable(path)]


def readable(path: Path) -> bool:
    try:
        dataset = pydicom.dcmread(path, defer_size=1024)
        return "PixelData" in dataset and path.stat().st_size < 2**21
    except Exception:  # broken files, whose repair is not measured
        return False


def variants(path: Path, count: int, rng: random.Random) -> Iterator[pydicom.FileDataset]:
    """Yield a series made from a file; the images differ as in real series."""
    dataset = pydicom.dcmread(path)
    patient = f"{rng.randrange(10**9):09d}"
    series = f"1.2.826.0.1.3680043.8.498.{rng.randrange(10**30)}"
    for i in range(count):
        dataset.SOPInstanceUID = f"{series}.{i}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.SeriesInstanceUID = series
        dataset.PatientID, dataset.PatientName = patient, f"Name^{patient}"
        dataset.InstanceNumber = str(i + 1)
        dataset.ContentTime = f"{i // 60:02d}{i % 60:02d}00.{rng.randrange(10**6):06d}"
        dataset.AcquisitionTime = dataset.ContentTime
        dataset.SliceLocation = str(round(rng.uniform(-500, 500), 3))
        dataset.ImagePositionPatient = [str(round(rng.uniform(-500, 500), 4)) for _ in range(3)]
        yield dataset


def make(folder: Path, count: int, source: Path | None) -> None:
    """Write series made from real files, one per folder."""
    rng, paths, written = random.Random(1), originals(source), 0
    rng.shuffle(paths)
    while written < count:
        path = paths[(written // SERIES) % len(paths)]
        series = folder / f"{written // SERIES:05d}"
        series.mkdir(parents=True)
        for i, dataset in enumerate(variants(path, min(SERIES, count - written), rng)):
            dataset.save_as(series / f"{i:03d}.dcm")
            written += 1


def naive(paths: list[Path]) -> None:
    """Convert every element, as one first writes it."""
    for path in paths:
        for element in pydicom.dcmread(path, stop_before_pixels=True):
            str(element.value)


def lazy(paths: list[Path]) -> None:
    """Convert public elements only: the best fair loop."""
    for path in paths:
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        row = {}
        for tag in dataset.keys():  # noqa: SIM118 - iterating a Dataset would convert all
            if not tag.is_private:
                element = dataset[tag]
                if element.VR not in ("SQ", "OB", "OW", "UN"):
                    row[element.keyword] = str(element.value)


def opening(paths: list[Path]) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.read(descriptor, 32 * 2**10)
        os.close(descriptor)


def stage(archive: Path, scratch: Path) -> int:
    """The whole of ours: files found, read, tables written. How many images there were."""
    table = listed_with_shards([archive], 1, None, 1)
    shard = read_shard(table, KEY, ReaderOptions(keep=KEEP), scratch, Progress(len(table), "files"))
    stream_parquet(shard.tags, scratch / "tags.parquet")
    return shard.images


def cpu(run: Callable[[], object]) -> tuple[float, float]:
    """Return CPU-seconds, with those of child processes that `run` waited for, and wall-seconds."""
    before, wall = os.times(), time.perf_counter()
    run()
    after = os.times()
    spent = sum(after[:4]) - sum(before[:4])
    return spent, time.perf_counter() - wall


def fallback_share(paths: list[Path]) -> float:
    """The share of files that the fast tokenizer leaves to the plain one."""
    reader, left = Reader(KEY, ReaderOptions(keep=KEEP)), 0
    for start in range(0, len(paths), BATCH):
        left += len(reader.read([str(p) for p in paths[start : start + BATCH]], [0]).others)
    return left / len(paths)


def measure(archive: Path) -> dict[str, list[tuple[float, float]]]:
    """Return CPU and wall seconds per 1,000 files, of every round."""
    paths = sorted(path for path in archive.rglob("*.dcm"))
    some = paths[:: max(1, len(paths) // PEER_FILES)]
    times: dict[str, list[tuple[float, float]]] = {}
    for _ in range(ROUNDS + 1):
        with tempfile.TemporaryDirectory() as scratch:
            runs: dict[str, tuple[Callable[[], object], int]] = {
                "open + read": (lambda: opening(paths), len(paths)),
                "pydicom, naive": (lambda: naive(some), len(some)),
                "pydicom, lazy": (lambda: lazy(some), len(some)),
                "tagsight, folder to tables": (lambda: stage(archive, Path(scratch)), len(paths)),
            }
            for name, (run, count) in runs.items():
                spent, wall = cpu(run)
                times.setdefault(name, []).append((1000 * spent / count, 1000 * wall / count))
    return {name: rounds[1:] for name, rounds in times.items()}  # the first warms up


def main() -> None:
    warnings.simplefilter("ignore")
    logging.getLogger("pydicom").setLevel("CRITICAL")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    source = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        make(archive, count, source)
        times = measure(archive)
        share = fallback_share(sorted(archive.rglob("*.dcm")))
    spent = {name: statistics.median(c for c, _ in rounds) for name, rounds in times.items()}
    wall = {name: statistics.median(w for _, w in rounds) for name, rounds in times.items()}
    print(f"{'reader, ' + str(count) + ' files':32}{'files/CPU-s':>12}{'files/s':>10}{'x lazy':>8}")
    for name, cost in spent.items():
        ratio = spent["pydicom, lazy"] / cost
        print(f"{name:32}{1000 / cost:12,.0f}{1000 / wall[name]:10,.0f}{ratio:8.1f}")
    ours = "tagsight, folder to tables"
    figures = {
        "ratio_pydicom": round(spent["pydicom, lazy"] / spent[ours], 1),
        "files_per_second": round(1000 / wall[ours]),
        "files_per_hour": round(3_600_000 / wall[ours]),
        "fallback_share": round(share, 4),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
