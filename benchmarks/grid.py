"""k-medoids over a grid of K and all silhouettes, beside kmedoids and scikit-learn.

usage: python benchmarks/grid.py [rows, default 5000]

The matrix of distances is given. Ours is BUILD once, FasterPAM for each K, and all silhouettes in
one pass; theirs BUILD and FasterPAM of kmedoids for each K, handed the matrix as one would, and
transposed, as it likes it best; and silhouettes of scikit-learn. Wall seconds: ours and the faster
of theirs are medians of rounds, the slow one is run once (and not at all above 10,000 rows).
"""

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

from tagsight.clustering import k_medoids, silhouettes
from tagsight.gower import metric
from tagsight.gower.metric import Array

KS = [5, 10, 15, 20, 100, 200, 300]  # the paper's
ROUNDS, PLAIN_ROWS = 5, 10_000


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def widths(distances: Array, grid: list[k_medoids.Clustering]) -> list[Array]:
    return silhouettes.widths(distances, [found.labels for found in grid])


def theirs(distances: Array) -> list[float]:
    """Losses of kmedoids, each K from scratch."""
    return [kmedoids.fasterpam(distances, k, init="build", n_cpu=1).loss for k in KS]


def extra(distances: Array) -> None:
    """PAM of scikit-learn-extra, the smallest K alone: it knows no FasterPAM."""
    from sklearn_extra.cluster import KMedoids

    KMedoids(KS[0], metric="precomputed", method="pam", init="build").fit(distances)


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    distances = metric.matrix(synthetic.features(n))
    widths(distances, k_medoids.grid(distances[:400, :400].copy(), KS[:4])[:0])  # compiles
    grid = k_medoids.grid(distances, KS)
    rounds = 1 if n > PLAIN_ROWS else ROUNDS
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, run in {
            "tagsight, clusters": lambda: k_medoids.grid(distances, KS),
            "tagsight, silhouettes": lambda: widths(distances, grid),
            "kmedoids, handed D.T": lambda: theirs(distances.T),
            "scikit-learn, silhouettes": lambda: [
                silhouette_samples(distances, each.labels, metric="precomputed") for each in grid
            ],
        }.items():
            taken.setdefault(name, []).append(seconds(run))
    if n <= PLAIN_ROWS:
        taken["kmedoids, handed D"] = [seconds(lambda: theirs(distances))]
        if importlib.util.find_spec("sklearn_extra"):
            try:
                taken["scikit-learn-extra, K = 5"] = [seconds(lambda: extra(distances))]
            except ValueError as error:  # built for an older NumPy
                print(f"scikit-learn-extra does not run here: {str(error)[:60]}")
    middle = {name: float(np.median(each)) for name, each in taken.items()}
    for name, each in middle.items():
        print(f"{name:28}{each:9.3f} s")
    ratios = [found.loss / loss for found, loss in zip(grid, theirs(distances.T), strict=True)]
    print("loss over kmedoids':", *(f"K = {k} {r:.6f}" for k, r in zip(KS, ratios, strict=True)))
    ours = middle["tagsight, clusters"] + middle["tagsight, silhouettes"]
    figures = {
        "seconds": round(ours, 3),
        "worst_loss_ratio": max(ratios),
        "ratio_transposed": round(middle["kmedoids, handed D.T"] / ours, 1),
        "gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }
    if "kmedoids, handed D" in middle:
        figures["ratio_kmedoids"] = round(middle["kmedoids, handed D"] / ours, 1)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
