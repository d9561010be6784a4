"""Gower's distance: ours, a naive numba kernel, the best correct way in NumPy, and PyPI's packages.

usage: python benchmarks/gower.py [rows, default 5000]

CPU-seconds, as medians of rounds in turn: other programs' load adds to all alike. Ours and the
naive kernel write into memory that is used again: first use of fresh memory costs both the same,
and is given as a line of its own. Against the packages ours takes fresh memory, as they do; what
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

os.environ["OMP_WAIT_POLICY"] = "passive"  # a thread that waits is not to count as CPU time

import naive
import numpy as np
import synthetic
from numba import njit

from tagsight.arrays import Floats
from tagsight.gower import metric
from tagsight.gower.features import Features

ROUNDS, CHECKED_ROWS, LONG = 5, 500, 20
# Vector instructions of 512 bits, two a cycle. For 16 pairs: subtract, absolute, compare and add
# for each number that a row has, and 16 cycles of division. For 8 pairs: one for a plane of bits
# (12 categories are 4), and twice and, count, convert, add for the codes, once for the numbers.
NUMBERS = synthetic.NUMERIC * (1 - synthetic.MISSING)
PLANES = (synthetic.LEVELS - 1).bit_length()
CYCLES_A_PAIR = NUMBERS * 4 / 16 / 2 + 1 + (PLANES + 2 * 4 + 4) / 8 / 2

Run = Callable[[], object]


def formula(made: Features) -> Floats:
    """Gower's formula in double precision, a feature at a time."""
    n = len(made)
    unlike, compared = np.zeros((n, n)), np.zeros((n, n))
    for x in made.numeric.T.astype(float):
        difference = np.abs(x[:, None] - x[None])
        unlike += np.nan_to_num(difference)
        compared += ~np.isnan(difference)
    for x in made.categorical.T:
        both = (x >= 0)[:, None] & (x >= 0)[None]
        unlike += both & (x[:, None] != x[None])
        compared += both
    return np.where(compared > 0, unlike / np.maximum(compared, 1), 1)


def with_numpy(made: Features) -> Floats:
    """Categories by one product of matrices, numbers one by one: what NumPy does best."""
    codes, levels = made.categorical, np.arange(made.categorical.max() + 1)
    hot = (codes[:, :, None] == levels).reshape(len(codes), -1).astype(np.float32)
    there = (codes >= 0).astype(np.float32)
    known = np.isfinite(made.numeric).astype(np.float32)
    both = there @ there.T
    unlike = both - hot @ hot.T
    for x, present in zip(np.nan_to_num(made.numeric).T, known.T, strict=True):
        unlike += np.abs(x[:, None] - x) * (present[:, None] * present)
    common = both + known @ known.T
    return np.where(common > 0, unlike / np.maximum(common, 1), 1)


def packages() -> dict[str, Callable[[Floats, Floats], Floats]]:
    """PyPI's gower and gower-exp, where installed: table and which columns are categories."""
    # This script has the name of one of them, so its folder is taken off the path first.
    here = Path(__file__).resolve().parent
    sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != here]
    found: dict[str, Callable[[Floats, Floats], Floats]] = {}
    for name in ("gower", "gower_exp"):
        if importlib.util.find_spec(name):
            module: Any = importlib.import_module(name)
            found[f"PyPI {name}"] = lambda table, nominal, module=module: module.gower_matrix(
                table, cat_features=nominal
            )
    return found


def seconds(run: Run) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def medians(runs: dict[str, Run]) -> dict[str, Floats]:
    """CPU and wall seconds of each, after a first round that compiles; of long ones that alone."""
    taken = {name: [seconds(run)] for name, run in runs.items()}
    short = {name: run for name, run in runs.items() if taken[name][0][1] < LONG}
    for name in short:
        taken[name].clear()
    for _ in range(ROUNDS):
        for name, run in short.items():
            taken[name].append(seconds(run))
    return {name: np.median(times, axis=0) for name, times in taken.items()}


def report(taken: dict[str, Floats], made: Features) -> None:
    pairs = len(made) * (len(made) - 1) / 2
    comparisons = pairs * (made.numeric.shape[1] + made.categorical.shape[1])
    print(f"{'n = ' + str(len(made)):36}{'CPU ms':>10}{'wall ms':>10}{'G/CPU-s':>10}")
    for name, (cpu, wall) in taken.items():
        print(f"{name:36}{1e3 * cpu:10.1f}{1e3 * wall:10.1f}{comparisons / cpu / 1e9:10.2f}")


@njit
def multiply(times: int) -> int:
    """A chain of multiplications, each of which takes three cycles."""
    product = 3
    for _ in range(times):
        product *= product
    return product


def clock() -> float:
    """Cycles a second, as they are now."""
    multiply(1)
    times = 50_000_000
    return 3 * times / min(seconds(lambda: multiply(times))[0] for _ in range(ROUNDS))


def compare_kernels(made: Features) -> dict[str, float]:
    n = len(made)
    out = np.empty((n, n), np.float32)
    weighted = Features(
        made.numeric,
        made.categorical,
        np.linspace(0.5, 2, made.numeric.shape[1], dtype=np.float32),
        np.linspace(0.5, 2, made.categorical.shape[1], dtype=np.float32),
    )
    taken = medians(
        {
            "naive numba": lambda: naive.matrix(made.numeric, made.categorical, out),
            "tagsight": lambda: metric.matrix(made, out=out),
            "tagsight, fresh memory": lambda: metric.matrix(made),
            "tagsight, condensed": lambda: metric.condensed(made),
            "tagsight, 85 different weights": lambda: metric.matrix(weighted, out=out),
            "tagsight, to 300 rows": lambda: metric.nearest(made, made.take(np.arange(300))),
            "writing a number": lambda: out.fill(1),
        }
    )
    report(taken, made)
    arithmetic, writing = n * n / 2 * CYCLES_A_PAIR / clock(), taken["writing a number"][0]
    reached = max(arithmetic, writing) / taken["tagsight"][0]
    print(
        f"arithmetic alone could take {1e3 * arithmetic:.1f} CPU ms, writing alone "
        f"{1e3 * writing:.1f}: {reached:.0%} of the longer is reached"
    )
    return {
        "ratio_naive_cpu": round(taken["naive numba"][0] / taken["tagsight"][0], 2),
        "ratio_naive_wall": round(taken["naive numba"][1] / taken["tagsight"][1], 2),
        "share_of_limit": round(reached, 2),
    }


def compare_packages(made: Features) -> dict[str, float | None]:
    """Ours against ways that take one table; where numbers lack, the packages give NaN."""
    codes = np.where(made.categorical < 0, np.nan, made.categorical)
    table = np.hstack([made.numeric, codes]).astype(object)
    nominal = np.arange(table.shape[1]) >= made.numeric.shape[1]
    runs: dict[str, Run] = {
        "tagsight": lambda: metric.matrix(made),
        "NumPy": lambda: with_numpy(made),
    }
    for name, package in packages().items():
        runs[name] = lambda package=package: package(table, nominal)
        print(f"{name}: {np.isnan(package(table[:200], nominal)).mean():.1%} of its pairs are NaN")
    taken = medians(runs)
    report(taken, made)
    ours = taken.pop("tagsight")[0]
    names = {"NumPy": "ratio_correct", "PyPI gower": "ratio_gower", "PyPI gower_exp": "ratio_exp"}
    return {
        figure: round(taken[name][0] / ours, 1) if name in taken else None
        for name, figure in names.items()
    }


def main() -> None:
    made = synthetic.features(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
    warnings.simplefilter("ignore")  # the packages warn of each missing number
    figures: dict[str, float | None] = dict(compare_kernels(made))
    some = made.take(np.arange(min(len(made), CHECKED_ROWS)))
    wanted = formula(some)
    np.fill_diagonal(wanted, 0)
    figures["max_error"] = float(np.abs(metric.matrix(some) - wanted).max())
    figures |= compare_packages(made)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
