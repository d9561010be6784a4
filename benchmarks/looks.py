"""Training and embedding of the autoencoders, and the pair statistic.

usage: python benchmarks/looks.py [values of an embedding in the pair statistic, default 8192]

One core. Training is compared with plain eager torch, and with pieces of ten (`plain_training.py`)
with and without freed memory kept: each way in a process of its own, since memory that one keeps
would serve the others, in interleaved rounds of as many images; CPU-seconds, medians. The pair
statistic is all that is asked of one eye, of 50,000 images in 10 trials and a tuning sample of
5,000, whose embeddings are a memory map on disk: 81,920 values, as of preset `paper`, are 18 GB.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import plain_training
import polars as pl
import torch
from numpy.lib.format import open_memmap

from tagsight.arrays import UInt8s
from tagsight.evaluation.pair import pair
from tagsight.looks.embedders import PRESETS
from tagsight.looks.embeddings import Encoder, single_threaded
from tagsight.looks.training import train

os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that are measured

ROUNDS, BATCHES = 5, {"paper": 2, "small": 25}  # of 40 images, in a round
EMBEDDED = {"paper": 400, "small": 4000}
PAIR_IMAGES, PAIR_TRIALS, PAIR_TUNING, PAIR_VALUES = 50_000, 10, 5_000, 8192
PAIR_GROUPS = {"label": 56, "region": 12, "plane": 4, "manufacturer": 5, "patient": 1_000}

Run = Callable[[], object]


def pictures(n: int) -> UInt8s:
    """Return bright discs of random place, size and texture on black, uint8 (n, 128, 128)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:128, :128]
    place, size = rng.integers(30, 98, (n, 2, 1, 1)), rng.integers(10, 50, (n, 1, 1))
    inside = np.hypot(y - place[:, 0], x - place[:, 1]) < size
    return (inside * rng.integers(60, 250, (n, 128, 128))).astype(np.uint8)


def tagsight(preset: str, images: UInt8s) -> None:
    """Train for one epoch as rule `autoencoder` does."""
    with tempfile.TemporaryDirectory() as folder:
        train(
            images,
            preset,
            epochs=1,
            batch=plain_training.BATCH,
            learning_rate=plain_training.RATE,
            validation=0,
            device="cpu",
            seed=1,
            threads=1,
            resume=Path(folder) / "resume.pt",
        )


def mapped_anew(preset: str, images: UInt8s) -> None:
    """Train in a worker whose freed memory goes back to the system, as by default."""
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        pool.submit(plain_training.pieces_of_ten, preset, images).result()


def memory_kept(preset: str, images: UInt8s) -> None:
    """Train in a worker whose freed memory is kept, as rule `autoencoder` did."""
    with single_threaded(1) as pool:
        pool.submit(plain_training.pieces_of_ten, preset, images).result()


def embedding(preset: str, images: UInt8s) -> None:
    """Embed as rule `embeddings` does."""
    Encoder(PRESETS[preset].network(), "cpu", threads=1).embed(images)


OURS = "tagsight"
WAYS = {
    "eager": plain_training.eager,
    "mapped": mapped_anew,
    "before": memory_kept,
    OURS: tagsight,
}


def cpu_seconds(way: Callable[[str, UInt8s], None], preset: str, n: int) -> float:
    """Return the CPU-seconds of a way with n images."""
    torch.set_num_threads(1)
    images = pictures(n)
    start = time.process_time()
    way(preset, images)
    return time.process_time() - start


def compare(preset: str) -> dict[str, float]:
    """Print CPU-seconds and return the figures of a preset."""
    n = plain_training.BATCH * BATCHES[preset]
    runs = {name: (partial(cpu_seconds, way, preset, n), n) for name, way in WAYS.items()}
    embedded = EMBEDDED[preset]
    runs["embedding"] = (partial(cpu_seconds, embedding, preset, embedded), embedded)
    pools = {name: ProcessPoolExecutor(1, get_context("spawn")) for name in runs}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(1 + ROUNDS):
        for name, (run, images) in runs.items():
            times[name].append(pools[name].submit(run).result() / images)
    for pool in pools.values():
        pool.shutdown()
    middle = {name: float(np.median(of[1:])) for name, of in times.items()}  # the first one warms
    for name, seconds in middle.items():
        print(f"{preset:8}{name:12}{1e3 * seconds:8.2f} ms an image{1 / seconds:8.0f} images/s")
    ratios = {
        f"ratio_{name}_{preset}": round(
            float(np.median(np.divide(times[name], times[OURS])[1:])), 2
        )
        for name in WAYS
        if name != OURS
    }
    return ratios | {
        f"images_per_second_{preset}": round(1 / middle[OURS], 1),
        f"embedded_per_second_{preset}": round(1 / middle["embedding"], 1),
        f"embedding_seconds_100k_{preset}": round(1e5 * middle["embedding"]),
    }


def made(path: Path, values: int) -> None:
    """Write embeddings float32 of noise, of all trials and then of the tuning sample."""
    rng = np.random.default_rng(0)
    shape = (PAIR_IMAGES + PAIR_TUNING, values)
    file = open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    for first in range(0, shape[0], 1000):
        file[first : first + 1000] = rng.standard_normal((1000, values), dtype=np.float32)
    file.flush()


def archive() -> pl.DataFrame:
    """Return what is known of the images, as `trial_images` does: a trial shares no patient."""
    rng = np.random.default_rng(1)
    drawn = {name: rng.integers(0, n, PAIR_IMAGES) for name, n in PAIR_GROUPS.items()}
    trial = np.arange(PAIR_IMAGES) * PAIR_TRIALS // PAIR_IMAGES
    images = pl.DataFrame(drawn | {"trial": trial, "modality": drawn["label"] % 11})
    return images.with_columns(patient=pl.col("patient") * PAIR_TRIALS + pl.col("trial"))


def explained(path: Path) -> tuple[float, float, float]:
    """Return CPU and wall seconds of one eye's pair statistic, and the peak of its own GiB."""
    embeddings = np.load(path, mmap_mode="r")
    trials = np.split(embeddings[:PAIR_IMAGES], PAIR_TRIALS)
    images = archive()
    wall, cpu = time.perf_counter(), time.process_time()
    with Watched() as own:
        pair(trials, embeddings[PAIR_IMAGES:], images)
    return time.process_time() - cpu, time.perf_counter() - wall, own.peak


class Watched:
    """The most memory that a process has of its own, in GiB: not pages of files, which it can drop.

    Looked at ten times a second (Linux).
    """

    def __enter__(self) -> "Watched":
        self.peak, self.done = 0.0, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self) -> None:
        """Look until told to stop."""
        while not self.done.wait(0.1):
            status = Path("/proc/self/status").read_text(encoding="utf-8")
            held = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
            self.peak = max(self.peak, int(held.split()[1]) / 2**20)

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()


def pairs(values: int) -> dict[str, float]:
    """Print and return time and memory of one eye's pair statistics of 50,000 images."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        made(Path(folder) / "embeddings.npy", values)
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            cpu, wall, gib = pool.submit(explained, Path(folder) / "embeddings.npy").result()
    print(
        f"pair statistic, {PAIR_IMAGES:,} images, {values:,} values: {cpu:.0f} CPU-seconds, "
        f"{wall:.0f} wall; peak {gib:.2f} GiB beside the pages of the file"
    )
    return {
        "pair_values": values,
        "pair_seconds_50k": round(cpu, 1),
        "pair_gib_50k": round(gib, 2),
    }


def main() -> None:
    """Print all figures, as JSON in the last line."""
    values = int(sys.argv[1]) if len(sys.argv) > 1 else PAIR_VALUES
    figures = compare("paper") | compare("small") | pairs(values)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
