"""k-medoids over a grid of K and all silhouettes: ours, plain kmedoids and scikit-learn.

usage: python benchmarks/grid.py [rows, default 5000]

The matrix of distances is given. Ours is BUILD once, the swaps of package kmedoids (Rust) for each
K, and all silhouettes in one pass. Theirs is plain use of kmedoids, BUILD and FasterPAM for each K,
given the matrix as usual, and transposed, which is faster; FasterPAM from random medoids; and
silhouettes of scikit-learn. Wall seconds are medians of rounds; the slowest way is run once (and
not above 10,000 rows).
"""

import importlib.metadata
import importlib.util
import json
import resource
import sys
import time
from collections.abc import Callable

import kmedoids
import numpy as np
import synthetic
from sklearn.metrics import silhouette_samples

from tagsight.arrays import Float32s
from tagsight.clustering import k_medoids, silhouettes
from tagsight.clustering.medoids import Clustering
from tagsight.gower import metric

KS = [5, 10, 15, 20, 100, 200, 300]  # the paper's
ROUNDS, PLAIN_ROWS = 5, 10_000
WEIGHT = "tagsight, clusters, weighted"


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def widths(distances: Float32s, grid: list[Clustering]) -> list[Float32s]:
    return silhouettes.widths(distances, [clustering.labels for clustering in grid])


def plain(distances: Float32s, init: str = "build") -> list[float]:
    """Return the losses of kmedoids, each K from scratch."""
    return [kmedoids.fasterpam(distances, k, init=init, random_state=0, n_cpu=1).loss for k in KS]


def extra(distances: Float32s) -> None:
    """Run PAM of scikit-learn-extra, for the smallest K only: it has no FasterPAM."""
    from sklearn_extra.cluster import KMedoids

    KMedoids(KS[0], metric="precomputed", method="pam", init="build").fit(distances)


def measure(distances: Float32s, grid: list[Clustering]) -> dict[str, float]:
    """Return name -> wall seconds of each way."""
    n = len(distances)
    weights = np.random.default_rng(0).integers(1, 9, n).astype(np.float64)
    times: dict[str, list[float]] = {}
    for _ in range(1 if n > PLAIN_ROWS else ROUNDS):
        for name, run in {
            "tagsight, clusters": lambda: k_medoids.grid(distances, KS),
            "tagsight, silhouettes": lambda: widths(distances, grid),
            WEIGHT: lambda: k_medoids.grid(distances, KS, weights=weights),
            "kmedoids, handed D.T": lambda: plain(distances.T),
            "kmedoids, D.T, random start": lambda: plain(distances.T, "random"),
            "scikit-learn, silhouettes": lambda: [
                silhouette_samples(distances, each.labels, metric="precomputed") for each in grid
            ],
        }.items():
            times.setdefault(name, []).append(seconds(run))
    if n <= PLAIN_ROWS:
        times["kmedoids, handed D"] = [seconds(lambda: plain(distances))]
        if importlib.util.find_spec("sklearn_extra"):
            try:
                times["scikit-learn-extra, K = 5"] = [seconds(lambda: extra(distances))]
            except ValueError as error:  # built for an older NumPy
                print(f"scikit-learn-extra does not run here: {str(error)[:60]}")
    return {name: float(np.median(each)) for name, each in times.items()}


def peak() -> float:
    """Return the peak memory of the process, in GiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    distances = metric.matrix(synthetic.features(n))
    small = distances[:400, :400].copy()
    widths(small, k_medoids.grid(small, KS[:4]))  # compile
    grid = k_medoids.grid(distances, KS)
    widths(distances, grid)
    gib = peak()  # before the other ways take more
    medians = measure(distances, grid)
    for name, each in medians.items():
        print(f"{name:30}{each:9.3f} s")
    ratios = {
        init: [one.loss / loss for one, loss in zip(grid, plain(distances.T, init), strict=True)]
        for init in ("build", "random")
    }
    for init, each in ratios.items():
        shown = ", ".join(f"K = {k} {ratio:.6f}" for k, ratio in zip(KS, each, strict=True))
        print(f"loss over that of kmedoids, init={init}: {shown}")
    ours = medians["tagsight, clusters"] + medians["tagsight, silhouettes"]
    figures = {
        "seconds": round(ours, 3),
        "worst_loss_ratio": max(ratios["build"]),
        "worst_loss_ratio_random": max(ratios["random"]),
        "seconds_weighted": round(medians[WEIGHT] + medians["tagsight, silhouettes"], 3),
        "ratio_transposed": round(medians["kmedoids, handed D.T"] / ours, 1),
        "gib": gib,
        "kmedoids": importlib.metadata.version("kmedoids"),
    }
    if "kmedoids, handed D" in medians:
        figures["ratio_kmedoids"] = round(medians["kmedoids, handed D"] / ours, 1)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
