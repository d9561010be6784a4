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
from tagsight.clustering.search.state import MeasuredClustering, SearchState, drawn
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

    found: list[MeasuredClustering]
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
    resume: Path,
    starts: Mapping[int, Int64s] | None = None,
    sample: int = SAMPLE,
    progress: ProgressCounter | None = None,
) -> Outcome:
    """Find medoids of all rows for each K; K that are not below the number of rows are left out.

    weight: float64 (n,), at least 1: how often a row counts. candidates: rows to be tried, at most;
    the search ends before where a round changes nothing. starts: for some K other medoids (rows) to
    begin from, if all rows are nearer to them than to the sample's. sample: rows of the matrix.
    resume: a file, written as the search goes on, taken up if it is there and no more candidates
    were tried: a search of fewer is gone on with.

    The result depends on the arguments alone: not on the number of threads, nor on breaks.
    """
    here = SearchState(features, weight, distance)
    if here.take_up(resume, candidates):
        LOG.info("going on after %d candidates", here.tried)
    else:
        _begin(here, features, ks, distance, seed, starts or {}, sample)
        here.commit(resume)
    if progress is not None:
        progress.resume(here.tried)
    _try(here, candidates, resume, progress)
    for rows in here.chosen:
        rows.sort()  # of equally near medoids the lower row wins, whatever the way here
    here.assign()
    share = here.tried / here.n
    LOG.info("%d rows tried as medoids, %.2g of a round; swaps: %s", here.tried, share, here.swaps)
    return Outcome(here.found(), here.mean_silhouettes(), here.tried, here.swaps, share)


def _begin(
    here: SearchState,
    features: Features,
    ks: Sequence[int],
    distance: Distance,
    seed: int,
    starts: Mapping[int, Int64s],
    sample: int,
) -> None:
    """From the sample's medoids, or those given, to the best that each cluster has of its own."""
    rows, times = drawn(here.weight, sample)
    grid = k_medoids.grid(metric.matrix(features.take(rows), distance), ks, weights=times)
    own = {**starts, **{found.k: rows[found.medoids] for found in grid}}
    here.start([own[k] for k in sorted(own)])
    LOG.info("%s, of a sample of %d rows", here.said(), len(rows))
    if starts:
        _give_way(here, starts)
    here.refine(seed)
    LOG.info("%s, each cluster's best of its own", here.said())
    here.rank()


def _give_way(here: SearchState, starts: Mapping[int, Int64s]) -> None:
    """Begin from the medoids given instead, under each K where all rows are nearer to them."""
    chosen, losses = here.chosen, here.losses()
    here.start([starts.get(len(rows), rows) for rows in chosen])
    both = zip(losses, here.losses(), chosen, here.chosen, strict=True)
    here.start([theirs if less < loss else ours for loss, less, ours, theirs in both])


def _try(
    here: SearchState, candidates: int, resume: Path, progress: ProgressCounter | None
) -> None:
    """Try rows in their order, round after round, until one changes nothing or enough are tried."""
    since = here.tried
    while here.tried < candidates and len(active := here.active()):
        place = here.tried % here.n
        batch = here.order[place : place + TILE]
        ends = here.tried + len(batch) >= candidates
        if ends or here.tried - since >= COMMIT:  # a cut batch is not committed: see `take_up`
            since = here.tried
            here.commit(resume)
        batch = batch[: candidates - here.tried]
        here.attempt(batch, active)
        if progress is not None:
            progress.add(len(batch), here.said())
    if here.tried < candidates:
        here.commit(resume)
