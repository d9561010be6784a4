"""k-medoids over a grid of K and all silhouettes, beside BUILD and FasterPAM of kmedoids per K.

usage: python benchmarks/grid.py [rows, default 5000]
"""

import json
import sys
import time

import kmedoids
import synthetic

from tagsight import gower, medoids, silhouettes
from tagsight.gower import Array

KS = [5, 10, 15, 20, 100, 200, 300]  # the paper's
ROUNDS = 3


def ours(distances: Array) -> tuple[list[medoids.Clustering], float, float]:
    """The clusterings, and the seconds for them and for their silhouettes."""
    start = time.perf_counter()
    grid = medoids.grid(distances, KS)
    clustered = time.perf_counter()
    silhouettes.samples(distances, [found.labels for found in grid])
    return grid, clustered - start, time.perf_counter() - clustered


def theirs(distances: Array, k: int) -> tuple[float, float]:
    """Loss and seconds of kmedoids, each K from scratch, the matrix handed as it likes it best."""
    start = time.perf_counter()
    loss = kmedoids.fasterpam(distances.T, k, init="build", n_cpu=1).loss
    return float(loss), time.perf_counter() - start


def main() -> None:
    distances = gower.matrix(synthetic.features(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
    ours(distances[:400, :400].copy())  # compiles
    runs = [ours(distances) for _ in range(ROUNDS)]
    grid = runs[0][0]
    clustering, widths = min(run[1] for run in runs), min(run[2] for run in runs)
    print(f"{'K':>5}{'loss':>12}{'kmedoids':>12}{'ratio':>10}{'its s':>8}")
    ratios, total = [], 0.0
    for found in grid:
        loss, taken = theirs(distances, found.k)
        ratios.append(found.loss / loss)
        total += taken
        print(f"{found.k:5}{found.loss:12.3f}{loss:12.3f}{ratios[-1]:10.6f}{taken:8.2f}")
    print(f"whole grid {clustering:.2f} s, silhouettes {widths:.3f} s; kmedoids {total:.1f} s")
    print(json.dumps({"seconds": round(clustering + widths, 3), "worst_loss_ratio": max(ratios)}))


if __name__ == "__main__":
    main()
