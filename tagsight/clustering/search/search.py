"""k-medoids of more rows than a matrix of distances can hold, for a whole grid of K together.

A sample of the rows is clustered on its matrix. All rows are then assigned to the nearest of its
medoids; each cluster looks for a better medoid among its own members; and rows are tried in place
of every medoid (`swap`), starting with those that lower the loss most on a sample of 4,096 rows.
Any number of rows may be tried: every swap lowers the loss, and the state is committed on the way.
Only after a whole round over all rows without a swap are the medoids an optimum of single swaps: no
row in place of any one of them lowers the loss. Such an optimum is local. FasterPAM on a matrix
ends at one, too, which need not be the same. The swaps are ours, since package kmedoids needs the
matrix of all distances; on the sample they are its own.

Source: Kaufman & Rousseeuw, "Finding Groups in Data", ch. 3 (1990: CLARA, the sample); Schubert &
Rousseeuw, "Fast and eager k-medoids clustering", Inform. Syst. 101 (2021: the swaps).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tagsight.arrays import Float64s, Int64s
from tagsight.clustering import k_medoids
from tagsight.clustering.search.state import MeasuredClustering, SearchState, systematic_sample
from tagsight.gower import metric
from tagsight.gower.features import Distance, Features
from tagsight.gower.packing import TILE
from tagsight.run.progress import LOG, ProgressCounter

SAMPLE = 20_000  # rows of the first matrix: 1.6 GB
COMMIT = 4096  # candidates between two commits


@dataclass(frozen=True)
class Outcome:
    """The result of a search, in rising order of K.

    silhouettes: float64 (g,), mean over a sample of images, each among all.
    tried: candidates; share: the same, as a share of a round over all rows.
    swaps: int64 (g,), after each cluster's search among its own members.
    """

    clusterings: list[MeasuredClustering]
    silhouettes: Float64s
    tried: int
    swaps: Int64s
    share: float


def search(
    features: Features,
    weight: Float64s,
    ks: Sequence[int],
    *,
    distance: Distance,
    seed: int,
    candidates: int,
    checkpoint: Path,
    starts: Mapping[int, Int64s] | None = None,
    sample: int = SAMPLE,
    progress: ProgressCounter | None = None,
) -> Outcome:
    """Find medoids of all rows for each K below the number of rows.

    weight: float64 (n,), at least 1: how often a row counts.
    candidates: rows to try at most; the search ends earlier where a round changes nothing.
    checkpoint: a file, written as the search goes on. The search continues from it, unless it has
    tried more candidates than are asked for.
    starts: K -> int64 (K,), rows to begin from where they fit all rows better than the sample's.
    sample: rows of the first matrix.
    Returns the same for any number of threads and of interruptions.
    """
    state = SearchState(features, weight, distance)
    if state.resume(checkpoint, candidates):
        LOG.info("going on after %d candidates", state.tried)
    else:
        _begin(state, features, ks, distance, seed, starts or {}, sample)
        state.commit(checkpoint)
    if progress is not None:
        progress.resume(state.tried)
    _try(state, candidates, checkpoint, progress)
    for rows in state.chosen:
        rows.sort()  # of equally near medoids the lower row wins
    state.assign()
    share = state.tried / state.n
    LOG.info(
        "%d rows tried as medoids, %.2g of a round; swaps: %s", state.tried, share, state.swaps
    )
    return Outcome(state.clusterings(), state.mean_silhouettes(), state.tried, state.swaps, share)


def _begin(
    state: SearchState,
    features: Features,
    ks: Sequence[int],
    distance: Distance,
    seed: int,
    starts: Mapping[int, Int64s],
    sample: int,
) -> None:
    """Start from the sample's medoids, or from `starts`, and improve each within its cluster."""
    rows, times = systematic_sample(state.weight, sample)
    grid = k_medoids.grid(metric.matrix(features.take(rows), distance), ks, weights=times)
    medoids = {**starts, **{clustering.k: rows[clustering.medoids] for clustering in grid}}
    state.start([medoids[k] for k in sorted(medoids)])
    LOG.info("%s, of a sample of %d rows", state.describe(), len(rows))
    if starts:
        _prefer_starts(state, starts)
    state.refine(seed)
    LOG.info("%s, each cluster's best of its own", state.describe())
    state.rank()


def _prefer_starts(state: SearchState, starts: Mapping[int, Int64s]) -> None:
    """Start from `starts` instead, at each K where their loss over all rows is lower."""
    chosen, losses = state.chosen, state.losses()
    state.start([starts.get(len(rows), rows) for rows in chosen])
    pairs = zip(losses, state.losses(), chosen, state.chosen, strict=True)
    state.start([other if lower < loss else rows for loss, lower, rows, other in pairs])


def _try(
    state: SearchState, candidates: int, checkpoint: Path, progress: ProgressCounter | None
) -> None:
    """Try rows in order, round after round, until a round changes nothing or enough are tried."""
    committed = state.tried
    while state.tried < candidates and len(active := state.active()):
        place = state.tried % state.n
        batch = state.order[place : place + TILE]
        is_last = state.tried + len(batch) >= candidates
        if (
            is_last or state.tried - committed >= COMMIT
        ):  # never after a part of a batch: see `resume`
            committed = state.tried
            state.commit(checkpoint)
        batch = batch[: candidates - state.tried]
        state.attempt(batch, active)
        if progress is not None:
            progress.add(len(batch), state.describe())
    if state.tried < candidates:
        state.commit(checkpoint)
