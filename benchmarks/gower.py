"""Gower's distance: ours, a naive numba kernel, the best correct way in NumPy, and PyPI's packages.

usage: python benchmarks/gower.py [rows, default 5000]

CPU-seconds are medians of interleaved rounds, so that the load of other programs affects all alike.
Ours and the naive kernel write into reused memory: the first use of fresh memory costs both the
same, and has its own line. Compared with the packages, ours takes fresh memory, as they do. What
takes more than LONG seconds is run once.
"""

import importlib
import importlib.util
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_WAIT_POLICY"] = "passive"  # waiting threads must not count as CPU time

import naive
import numpy as np
import synthetic
from numba import njit

from tagsight.arrays import Floats
from tagsight.gower import metric
from tagsight.gower.features import Features

ROUNDS, CHECKED_ROWS, LONG = 5, 500, 20
# Vector instructions of 512 bits, two per cycle. For 16 pairs: subtract, absolute, compare and add
# for each number of a row, and 16 cycles of division. For 8 pairs: one per bit plane (12 categories
# have 4), and `and`, count, convert and add, twice for the codes and once for the numbers.
NUMBERS = synthetic.NUMERIC * (1 - synthetic.MISSING)
PLANES = (synthetic.LEVELS - 1).bit_length()
CYCLES_PER_PAIR = NUMBERS * 4 / 16 / 2 + 1 + (PLANES + 2 * 4 + 4) / 8 / 2

Run = Callable[[], object]


def formula(features: Features) -> Floats:
    """Return the distances by Gower's formula in double precision, one feature at a time."""
    n = len(features)
    unlike, compared = np.zeros((n, n)), np.zeros((n, n))
    for x in features.numeric.T.astype(float):
        difference = np.abs(x[:, None] - x[None])
        unlike += np.nan_to_num(difference)
        compared += ~np.isnan(difference)
    for x in features.categorical.T:
        both = (x >= 0)[:, None] & (x >= 0)[None]
        unlike += both & (x[:, None] != x[None])
        compared += both
    return np.where(compared > 0, unlike / np.maximum(compared, 1), 1)


def with_numpy(features: Features) -> Floats:
    """Return the distances by NumPy: categories by a matrix product, numbers one by one."""
    codes, levels = features.categorical, np.arange(features.categorical.max() + 1)
    one_hot = (codes[:, :, None] == levels).reshape(len(codes), -1).astype(np.float32)
    has_code = (codes >= 0).astype(np.float32)
    has_number = np.isfinite(features.numeric).astype(np.float32)
    both = has_code @ has_code.T
    unlike = both - one_hot @ one_hot.T
    for x, present in zip(np.nan_to_num(features.numeric).T, has_number.T, strict=True):
        unlike += np.abs(x[:, None] - x) * (present[:, None] * present)
    common = both + has_number @ has_number.T
    return np.where(common > 0, unlike / np.maximum(common, 1), 1)


def packages() -> dict[str, Callable[[Floats, Floats], Floats]]:
    """Return PyPI's gower and gower-exp, where installed, as functions of table and flags."""
    # This script has the name of one of them, so its folder is removed from the path first.
    here = Path(__file__).resolve().parent
    sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != here]
    functions: dict[str, Callable[[Floats, Floats], Floats]] = {}
    for name in ("gower", "gower_exp"):
        if importlib.util.find_spec(name):
            module: Any = importlib.import_module(name)
            functions[f"PyPI {name}"] = lambda table, nominal, module=module: module.gower_matrix(
                table, cat_features=nominal
            )
    return functions


def seconds(run: Run) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def medians(runs: dict[str, Run]) -> dict[str, Floats]:
    """Return CPU and wall seconds of each, after a round that compiles; long ones run once."""
    timings = {name: [seconds(run)] for name, run in runs.items()}
    short = {name: run for name, run in runs.items() if timings[name][0][1] < LONG}
    for name in short:
        timings[name].clear()
    for _ in range(ROUNDS):
        for name, run in short.items():
            timings[name].append(seconds(run))
    return {name: np.median(times, axis=0) for name, times in timings.items()}


def report(timings: dict[str, Floats], features: Features) -> None:
    pairs = len(features) * (len(features) - 1) / 2
    comparisons = pairs * (features.numeric.shape[1] + features.categorical.shape[1])
    print(f"{'n = ' + str(len(features)):36}{'CPU ms':>10}{'wall ms':>10}{'G/CPU-s':>10}")
    for name, (cpu, wall) in timings.items():
        print(f"{name:36}{1e3 * cpu:10.1f}{1e3 * wall:10.1f}{comparisons / cpu / 1e9:10.2f}")


@njit
def multiply(times: int) -> int:
    """Return a chain of multiplications, each of which takes three cycles."""
    product = 3
    for _ in range(times):
        product *= product
    return product


def clock() -> float:
    """Return the current number of cycles per second."""
    multiply(1)
    times = 50_000_000
    return 3 * times / min(seconds(lambda: multiply(times))[0] for _ in range(ROUNDS))


def compare_kernels(features: Features) -> dict[str, float]:
    n = len(features)
    out = np.empty((n, n), np.float32)
    weighted = Features(
        features.numeric,
        features.categorical,
        np.linspace(0.5, 2, features.numeric.shape[1], dtype=np.float32),
        np.linspace(0.5, 2, features.categorical.shape[1], dtype=np.float32),
    )
    timings = medians(
        {
            "naive numba": lambda: naive.matrix(features.numeric, features.categorical, out),
            "tagsight": lambda: metric.matrix(features, out=out),
            "tagsight, fresh memory": lambda: metric.matrix(features),
            "tagsight, condensed": lambda: metric.condensed(features),
            "tagsight, 85 different weights": lambda: metric.matrix(weighted, out=out),
            "tagsight, to 300 rows": lambda: metric.nearest(
                features, features.take(np.arange(300))
            ),
            "writing a number": lambda: out.fill(1),
        }
    )
    report(timings, features)
    arithmetic, writing = n * n / 2 * CYCLES_PER_PAIR / clock(), timings["writing a number"][0]
    reached = max(arithmetic, writing) / timings["tagsight"][0]
    print(
        f"arithmetic alone could take {1e3 * arithmetic:.1f} CPU ms, writing alone "
        f"{1e3 * writing:.1f}: {reached:.0%} of the longer is reached"
    )
    return {
        "ratio_naive_cpu": round(timings["naive numba"][0] / timings["tagsight"][0], 2),
        "ratio_naive_wall": round(timings["naive numba"][1] / timings["tagsight"][1], 2),
        "share_of_limit": round(reached, 2),
    }


def compare_packages(features: Features) -> dict[str, float | None]:
    """Compare ours with functions of one table; PyPI's give NaN where numbers are missing."""
    codes = np.where(features.categorical < 0, np.nan, features.categorical)
    table = np.hstack([features.numeric, codes]).astype(object)
    nominal = np.arange(table.shape[1]) >= features.numeric.shape[1]
    runs: dict[str, Run] = {
        "tagsight": lambda: metric.matrix(features),
        "NumPy": lambda: with_numpy(features),
    }
    for name, package in packages().items():
        runs[name] = lambda package=package: package(table, nominal)
        print(f"{name}: {np.isnan(package(table[:200], nominal)).mean():.1%} of its pairs are NaN")
    timings = medians(runs)
    report(timings, features)
    ours = timings.pop("tagsight")[0]
    names = {"NumPy": "ratio_correct", "PyPI gower": "ratio_gower", "PyPI gower_exp": "ratio_exp"}
    return {
        figure: round(timings[name][0] / ours, 1) if name in timings else None
        for name, figure in names.items()
    }


def main() -> None:
    features = synthetic.features(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
    warnings.simplefilter("ignore")  # of the packages, on each missing number
    figures: dict[str, float | None] = dict(compare_kernels(features))
    checked = features.take(np.arange(min(len(features), CHECKED_ROWS)))
    expected = formula(checked)
    np.fill_diagonal(expected, 0)
    figures["max_error"] = float(np.abs(metric.matrix(checked) - expected).max())
    figures |= compare_packages(features)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
