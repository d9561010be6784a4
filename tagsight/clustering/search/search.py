"""k-medoids of more rows than a matrix of distances can hold, for a whole grid of K together.

A sample of the rows is clustered on its matrix. All rows then go to the nearest of its medoids;
each cluster looks for a better medoid among its own members; and rows are tried in the place of
every medoid (`swaps`), those first that a few thousand others speak for. Rows may be tried for as
long as one likes: every swap lowers the loss, and what was found is committed on the way. After a
whole round over all rows without a swap, and only then, the medoids are an optimum of single swaps:
no row in the place of any one of them lowers the loss. Such an optimum is local. What FasterPAM
ends at on a matrix is one too, and need not be the same.

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
from tagsight.gower.features import Features
from tagsight.gower.metric import Distance
from tagsight.gower.packing import TILE
from tagsight.run.progress import LOG, ProgressCounter

SAMPLE = 20_000  # rows of the first matrix: 1.6 GB
COMMIT = 4096  # candidates between two commits


@dataclass(frozen=True)
class Outcome:
    """What a search ended with, in rising order of K.

    silhouettes: float64 (g,), mean over some images among all; tried: candidates; swaps: int64
    (g,), since the clusters' own search; share: of a round over all rows.
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
        rows.sort()  # of equally near medoids the lower row wins, whatever the way here
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
    """From the sample's medoids, or those given, to the best that each cluster has of its own."""
    rows, times = systematic_sample(state.weight, sample)
    grid = k_medoids.grid(metric.matrix(features.take(rows), distance), ks, weights=times)
    own = {**starts, **{found.k: rows[found.medoids] for found in grid}}
    state.start([own[k] for k in sorted(own)])
    LOG.info("%s, of a sample of %d rows", state.describe(), len(rows))
    if starts:
        _prefer_starts(state, starts)
    state.refine(seed)
    LOG.info("%s, each cluster's best of its own", state.describe())
    state.rank()


def _prefer_starts(state: SearchState, starts: Mapping[int, Int64s]) -> None:
    """Begin from the medoids given instead, under each K where all rows are nearer to them."""
    chosen, losses = state.chosen, state.losses()
    state.start([starts.get(len(rows), rows) for rows in chosen])
    both = zip(losses, state.losses(), chosen, state.chosen, strict=True)
    state.start([theirs if less < loss else ours for loss, less, ours, theirs in both])


def _try(
    state: SearchState, candidates: int, checkpoint: Path, progress: ProgressCounter | None
) -> None:
    """Try rows in their order, round after round, until one changes nothing or enough are tried."""
    since = state.tried
    while state.tried < candidates and len(active := state.active()):
        place = state.tried % state.n
        batch = state.order[place : place + TILE]
        ends = state.tried + len(batch) >= candidates
        if ends or state.tried - since >= COMMIT:  # a cut batch is not committed: see `resume`
            since = state.tried
            state.commit(checkpoint)
        batch = batch[: candidates - state.tried]
        state.attempt(batch, active)
        if progress is not None:
            progress.add(len(batch), state.describe())
    if state.tried < candidates:
        state.commit(checkpoint)
