"""k-medoids of all rows, from 10^4 to 10^6: time, memory and loss of the search without a matrix.

usage: python benchmarks/scale.py [most rows, default 1000000]
Compared with the matrix of all rows, where it fits, and CLARA (Kaufman & Rousseeuw 1990): 5 samples
of 2,000 rows, each clustered by kmedoids (BUILD, FasterPAM) for each K, the best of the 5 on all
rows; its distances are ours. Each runs in its own process, whose peak memory is measured; making
the rows and compiling are not counted. Draws docs/scale.svg.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import kmedoids
import numpy as np
import synthetic

from tagsight.clustering import k_medoids
from tagsight.clustering.search.search import SAMPLE, search
from tagsight.gower import metric
from tagsight.gower.features import Features
from tagsight.report.figures.style import INK, MUTED, PIXELS, SOFT, TAGS, bare, new, svg
from tagsight.run.atomic import write_file

KS = [5, 10, 15, 20, 100, 200, 300]  # the paper's
ROWS = [10_000, 20_000, 100_000, 1_000_000]
USABLE, CANDIDATES = 1000, 8000  # rows tried; the latter is the default of cluster.candidates
MATRIX, ROUND, FURTHER = 20_000, 100_000, 20_000  # most rows of each; candidates without a round
SAMPLES, SAMPLE_ROWS = 5, 2000  # of CLARA
FIGURE = Path(__file__).parents[1] / "docs/scale.svg"


class Measurement(NamedTuple):
    """Seconds, peak GiB and the loss at each K of one way of clustering n rows."""

    way: str
    n: int
    cpu: float
    wall: float
    gib: float
    losses: list[float]


def streamed(n: int) -> Iterator[Measurement]:
    """Yield the search after USABLE candidates, CANDIDATES, and a round (or FURTHER)."""
    features, weight = synthetic.features(n), np.ones(n)
    stages = {"usable": USABLE, f"{CANDIDATES:,} candidates": CANDIDATES}
    stages |= {"a round": n} if n <= ROUND else {f"{FURTHER:,} candidates": FURTHER}
    cpu = wall = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for way, candidates in stages.items():
            seconds, clusterings = measure(
                lambda upto=candidates: (
                    search(
                        features,
                        weight,
                        KS,
                        distance="linear",
                        seed=1,
                        candidates=min(upto, n),
                        checkpoint=Path(folder) / "state",
                        sample=min(SAMPLE, n // 5),
                    ).clusterings
                )
            )
            cpu, wall = cpu + seconds[0], wall + seconds[1]
            yield Measurement(way, n, cpu, wall, peak(), [each.loss for each in clusterings])


def matrix(n: int) -> Iterator[Measurement]:
    """Yield the matrix of all rows with BUILD and FasterPAM."""
    features = synthetic.features(n)
    seconds, grid = measure(lambda: k_medoids.grid(metric.matrix(features), KS))
    yield Measurement("matrix", n, *seconds, peak(), [each.loss for each in grid])


def clara(n: int) -> Iterator[Measurement]:
    """Yield CLARA, for each K the best of several samples."""
    features = synthetic.features(n)
    seconds, losses = measure(lambda: [losses_of_sample(features, seed) for seed in range(SAMPLES)])
    yield Measurement("CLARA", n, *seconds, peak(), np.min(losses, axis=0).tolist())


def losses_of_sample(features: Features, seed: int) -> list[float]:
    """Return the loss of all rows at each K with the medoids of one sample."""
    rows = np.random.default_rng(seed).choice(len(features), SAMPLE_ROWS, replace=False)
    sample = features.take(rows)
    distances = metric.matrix(sample)
    medoids = [kmedoids.fasterpam(distances.T, k, init="build", n_cpu=1).medoids for k in KS]
    nearest = [metric.nearest(features, sample.take(m.astype(int))).distance for m in medoids]
    return [float(distance.sum(dtype=np.float64)) for distance in nearest]


def measure(run: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Return CPU and wall seconds, and the result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    return (time.process_time() - cpu, time.perf_counter() - wall), result


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def alone(way: Callable[[int], Iterator[Measurement]], n: int) -> list[Measurement]:
    """Run in a new process, after a small run that loads or compiles the kernels."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(warmed, way, n).result()


def warmed(way: Callable[[int], Iterator[Measurement]], n: int) -> list[Measurement]:
    list(way(max(SAMPLE_ROWS, 2500)))
    return list(way(n))


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS[-1]
    sizes = [n for n in ROWS if n <= most]
    results = {n: [*alone(streamed, n), *alone(clara, n)] for n in sizes}
    for n in sizes:
        if n <= MATRIX:
            results[n] += alone(matrix, n)
        table(results[n])
    usable = [results[n][0] for n in sizes]
    for name, values in (
        ("CPU time", [t.cpu for t in usable]),
        ("memory", [t.gib for t in usable]),
    ):
        steps = np.diff(np.log(values)) / np.diff(np.log(sizes))
        print(
            f"usable result, {name} grows with rows to the power of", *(f"{s:.2f}" for s in steps)
        )
    write_file(figure(results), FIGURE)
    print(json.dumps(figures(results)))


def table(results: list[Measurement]) -> None:
    """Print one row per way; losses in percent above the least of all ways."""
    best = np.min([each.losses for each in results], axis=0)
    print(
        f"{results[0].n:>9,} rows {'CPU s':>20}{'wall s':>9}{'GiB':>7}   "
        "% above the least loss, by K"
    )
    print(f"{'':50}   " + "".join(f"{k:7}" for k in KS))
    for each in results:
        above = "".join(f"{share:7.2f}" for share in 100 * (np.array(each.losses) / best - 1))
        print(
            f"  {each.way:24}{each.cpu:9.1f}{each.wall:9.1f}{each.gib:7.2f}   {above}", flush=True
        )


def figures(results: dict[int, list[Measurement]]) -> dict[str, float]:
    """Return the figures of the last line."""
    values = {}
    if MATRIX in results:
        ways = {each.way: np.array(each.losses) for each in results[MATRIX]}
        values["loss_ratio_20k"] = round(float((ways["a round"] / ways["matrix"]).max()), 5)
    if ROWS[-1] in results:
        usable = results[ROWS[-1]][0]
        values |= {"seconds_1e6": round(usable.wall, 1), "gib_1e6": round(usable.gib, 2)}
    return values


def figure(results: dict[int, list[Measurement]]) -> str:
    """Return an SVG of CPU seconds and memory against rows, on logarithmic scales."""
    drawing = new(9, 3.6)
    styles = {
        "usable": (TAGS, "usable result"),
        "CLARA": (PIXELS, "CLARA"),
        "matrix": (MUTED, "matrix"),
    }
    styles |= {f"{CANDIDATES:,} candidates": (SOFT, f"after {CANDIDATES:,} candidates")}
    styles |= {"a round": (INK, "after a round")}
    measurements = [each for group in results.values() for each in group]
    for ax, field, label in zip(
        drawing.subplots(1, 2), ("cpu", "gib"), ("CPU seconds", "GiB at the peak"), strict=True
    ):
        bare(ax, x="rows", y=label, grid="y")
        for way, (colour, name) in styles.items():
            points = [each for each in measurements if each.way == way]
            ax.plot(
                [t.n for t in points],
                [getattr(t, field) for t in points],
                "o-",
                color=colour,
                label=name,
            )
        ax.set(xscale="log", yscale="log", ylim=(0.1, None))
        ax.minorticks_off()
    drawing.axes[0].legend(frameon=False)
    return svg(drawing)


if __name__ == "__main__":
    main()
