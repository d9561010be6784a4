"""Compilation of all machine code of the library, before the jobs that need it.

usage: python -m tagsight.precompile

Two processes share the work. The machine code is kept in numba's cache (`tagsight.run.compiling`),
from where other processes load it. Every kernel is called on small data of the types that the
workflow uses. This takes two seconds where everything is compiled already.
"""

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from tagsight.gower.features import Features

ROWS, MEDOIDS = 300, 5  # more rows than a tile


def main() -> None:
    """Compile what is not compiled yet, and print the seconds."""
    start = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(PARTS), context) as pool:
        for part in [pool.submit(run) for run in PARTS]:
            part.result()
    print(f"kernels: {time.perf_counter() - start:.1f} s", file=sys.stderr)


def compile_metric() -> None:
    """Compile Gower's distance and all that uses a sample's matrix."""
    from tagsight.clustering import k_medoids, kprototypes, silhouettes
    from tagsight.evaluation import centres
    from tagsight.gower import contributions, metric

    features = _features()
    medoids = features.take(np.arange(MEDOIDS))
    distances = metric.matrix(features)
    labels = [clustering.labels for clustering in k_medoids.grid(distances, [MEDOIDS])]
    silhouettes.widths(distances, labels)
    kprototypes.labellings(features, labels)
    near = metric.nearest(features, medoids)
    metric.cross(features, medoids)
    columns = [f"tag {k}" for k in range(_width(features))]
    contributions.because(features, medoids, near, columns)
    products = centres.inner_products(np.random.default_rng(0).random((ROWS, 3), np.float32))
    centres.distances_to_centres(products, np.stack(labels))


def compile_search() -> None:
    """Compile the search among all images, and the fast tokenizer of headers."""
    from tagsight.clustering.search.search import search
    from tagsight.reading import fast_tokenizer

    with tempfile.TemporaryDirectory() as folder:
        search(
            _features(),
            np.ones(ROWS),
            [MEDOIDS],
            distance="linear",
            seed=0,
            candidates=ROWS,
            checkpoint=Path(folder) / "search.npz",
            sample=ROWS // 2,
        )
    fast_tokenizer.load()


PARTS: tuple[Callable[[], None], ...] = (compile_metric, compile_search)


def _features() -> Features:
    """Rows with features of every kind: numbers, codes, and rare weights."""
    rng = np.random.default_rng(0)
    numeric = rng.random((ROWS, 8), np.float32)
    numeric[rng.random(numeric.shape) < 0.2] = np.nan
    categorical = rng.integers(-1, 9, (ROWS, 9)).astype(np.int32)
    weights = np.array([1] * 6 + [0.5] * 2, np.float32), np.array([1] * 6 + [0.5] * 3, np.float32)
    return Features(numeric, categorical, *weights)


def _width(features: Features) -> int:
    return features.numeric.shape[1] + features.categorical.shape[1]


if __name__ == "__main__":
    main()
