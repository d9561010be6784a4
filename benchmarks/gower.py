"""Gower's distance: ours beside a naive numba kernel and, where installed, PyPI's gower.

usage: python benchmarks/gower.py [rows, default 5000]
CPU-seconds are the least of interleaved runs, since other programs' load only adds.
"""

import importlib
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import naive
import numpy as np
import synthetic

from tagsight import gower
from tagsight.gower import Array, Features

ROUNDS, PEER_ROWS, CHECKED_ROWS = 5, 1000, 500


def installed_peer() -> ModuleType | None:
    """PyPI's gower. This script has its name, so its folder is taken off the path first."""
    here = Path(__file__).resolve().parent
    sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != here]
    return importlib.import_module("gower") if importlib.util.find_spec("gower") else None


def formula(made: Features) -> Array:
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


def seconds(run: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def least(runs: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, Array]:
    """Least CPU and wall seconds of each, after a first run that compiles."""
    for run in runs.values():
        run()
    taken = [[seconds(run) for run in runs.values()] for _ in range(rounds)]
    return dict(zip(runs, np.min(taken, axis=0), strict=True))


def report(taken: dict[str, Array], made: Features) -> None:
    comparisons = len(made) ** 2 * (made.numeric.shape[1] + made.categorical.shape[1])
    print(f"{'kernel, n = ' + str(len(made)):28}{'CPU ms':>10}{'wall ms':>10}{'G/s wall':>10}")
    for name, (cpu, wall) in taken.items():
        print(f"{name:28}{1e3 * cpu:10.1f}{1e3 * wall:10.1f}{comparisons / wall / 1e9:10.2f}")


def compare_peer(peer: ModuleType) -> float:
    """CPU of PyPI's gower over ours. It takes one table, and gives NaN where numbers lack."""
    made = synthetic.features(PEER_ROWS)
    codes = np.where(made.categorical < 0, np.nan, made.categorical)
    table = np.hstack([made.numeric, codes]).astype(object)
    nominal = np.arange(table.shape[1]) >= made.numeric.shape[1]
    ours = least({"tagsight": lambda: gower.matrix(made)})
    taken = {
        "PyPI gower": np.array(seconds(lambda: peer.gower_matrix(table, cat_features=nominal)))
    }
    report(ours | taken, made)
    return taken["PyPI gower"][0] / ours["tagsight"][0]


def main() -> None:
    made = synthetic.features(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
    runs = {
        "naive numba": lambda: naive.matrix(made.numeric, made.categorical),
        "tagsight": lambda: gower.matrix(made),
    }
    taken = least(runs)
    report(taken, made)
    some = made.take(np.arange(min(len(made), CHECKED_ROWS)))
    wanted = formula(some)
    np.fill_diagonal(wanted, 0)
    figures = {
        "ratio_naive_cpu": round(taken["naive numba"][0] / taken["tagsight"][0], 1),
        "max_error": float(np.abs(gower.matrix(some) - wanted).max()),
    }
    if peer := installed_peer():
        figures["ratio_gower"] = round(compare_peer(peer), 1)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
