"""State of a search for medoids among all rows, and its steps.

No array of size n × n is made: a row keeps only its two nearest medoids at each K.
"""

import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np

from tagsight.arrays import Float32s, Float64s, Int64s
from tagsight.clustering.medoids import Clustering, numbered
from tagsight.clustering.search import kernels, swap
from tagsight.clustering.silhouettes import of_row
from tagsight.gower.features import Distance, Features
from tagsight.gower.packing import TILE, Packed, blocks, gather, pack
from tagsight.run.atomic import forget_state, read_state, write_state

TRIED = 128  # members that a cluster tries as its medoid, selected by as many others
PROBE_ROWS = 4096  # rows whose loss decides which rows are tried first
NONE = np.empty(0, np.int64)
_STORED = ("medoids", "first", "order", "tried", "swaps", "last")  # of a committed state
WIDTHS = 1024  # images in the mean silhouettes
# Changes of the loss, divided by the sum of weights: below them a candidate is examined; swapped.
PROMISING, ENOUGH = 1e-7, -1e-9


@dataclass(frozen=True)
class MeasuredClustering(Clustering):
    """A clustering with the distances of each row to its two nearest medoids.

    distance, second: float32 (n,), to the nearest and to the second nearest (1 where there is
    none).
    """

    distance: Float32s
    second: Float32s


class SearchState:
    """A search for medoids among n rows, for several K.

    weight: float64 (n,), at least 1: how often a row counts.
    """

    def __init__(self, features: Features, weight: Float64s, distance: Distance) -> None:
        self.n, self.weight, self.root = len(features), weight, distance == "root"
        self.total = weight.sum()
        self.rows = pack(features, blocks(features, features))
        self.chosen: list[Int64s] = []  # medoids (rows) of each K
        self.nearest = kernels.fresh(0, self.n)
        self.order = np.arange(self.n)  # of trying rows
        self.tried = 0  # candidates
        self.swaps = self.last = np.zeros(0, np.int64)  # per K: swaps; `tried` at the last swap

    def start(self, chosen: Sequence[Int64s]) -> None:
        """Start from these medoids: for each K int64 (K,), rows."""
        self.chosen = [np.array(rows) for rows in chosen]
        self.tried, self.swaps = 0, np.zeros(len(chosen), np.int64)
        self.last = self.swaps.copy()
        self.assign()

    def assign(self) -> None:
        """Find the two nearest medoids of all rows; of equally near ones the lower index wins."""
        self.nearest = kernels.fresh(len(self.chosen), self.n)
        medoids = gather(self.rows, np.concatenate([*self.chosen, NONE]))
        kernels.assign(self.rows, medoids, self.first, self.root, self.nearest)
        for g in range(len(self.chosen)):
            self._assign_medoids(g)

    @property
    def first(self) -> Int64s:
        """Start of each K among the medoids of all K: int64 (g + 1,)."""
        return np.cumsum([0, *map(len, self.chosen)]).astype(np.int64)

    def losses(self) -> list[float]:
        """Return the loss at each K."""
        return [float((self.weight * d).sum()) for d in self.nearest.distance]

    def describe(self) -> str:
        """Return the mean distance at each K, in words."""
        pairs = zip(self.chosen, self.losses(), strict=True)
        means = ", ".join(f"{loss / self.total:.4f} (K = {len(rows)})" for rows, loss in pairs)
        return f"mean distance {means}"

    def commit(self, path: Path) -> None:
        """Write the state; the nearest medoids of all rows can be recomputed from it."""
        content = io.BytesIO()
        np.savez(
            content,
            medoids=np.concatenate([*self.chosen, NONE]),
            first=self.first,
            order=self.order,
            tried=self.tried,
            swaps=self.swaps,
            last=self.last,
        )
        write_state(content.getvalue(), path)

    def resume(self, path: Path, candidates: int) -> bool:
        """Load a committed state, if there is one with at most this many candidates tried.

        States are committed at the end of a batch only, so that a search gives the same result
        whether or not it was interrupted.
        Returns whether it was loaded.
        """
        if (content := read_state(path)) is None:
            return False
        try:
            with np.load(io.BytesIO(content)) as file:
                stored = {name: file[name] for name in _STORED}
        except (KeyError, ValueError, OSError, BadZipFile):  # of another version
            forget_state(path)
            return False
        if stored["tried"] > candidates:
            return False
        self.start(
            np.split(stored["medoids"], stored["first"][1:-1]) if len(stored["swaps"]) else []
        )
        self.order, self.tried = stored["order"], int(stored["tried"])
        self.swaps, self.last = stored["swaps"], stored["last"]
        return True

    def active(self) -> Int64s:
        """Return the indices of the K at which not all rows were tried since the last swap."""
        return np.flatnonzero(self.tried - self.last < self.n)

    def _assign_medoids(self, g: int) -> None:
        """Assign each medoid to itself, even beside an equal one, and if it is empty."""
        near, second, distance, farther = (part[g] for part in self.nearest)
        rows, places = self.chosen[g], np.arange(len(self.chosen[g]), dtype=np.int32)
        moved = near[rows] != places
        second[rows[moved]], farther[rows[moved]] = near[rows[moved]], distance[rows[moved]]
        near[rows], distance[rows] = places, 0

    def refine(self, seed: int) -> None:
        """Replace each medoid by the best of some members of its cluster, and reassign all rows.

        All members are compared with a random sample of them. The members nearest to the sample,
        and the medoid, are then compared with all members.
        """
        self.start(
            [self._central(g, np.random.default_rng([seed, g])) for g in range(len(self.chosen))]
        )

    def _central(self, g: int, rng: np.random.Generator) -> Int64s:
        """Best medoid of each cluster at one K, of the members tried: int64 (k,)."""
        near, k = self.nearest.near[g], len(self.chosen[g])
        order = np.argsort(near, kind="stable")
        members = np.split(order, np.cumsum(np.bincount(near, minlength=k))[:-1])
        packed = self._by_cluster(members)
        sample = _table([rng.permutation(rows)[:TRIED] for rows in members])
        nearness = np.split(self._within(packed, sample)[0].ravel(), packed.starts[1:] * TILE)
        tried = _table(
            [
                np.append(medoid, rows[np.argsort(score[: len(rows)], kind="stable")[: TRIED - 1]])
                for medoid, rows, score in zip(self.chosen[g], members, nearness, strict=True)
            ]
        )
        sums = np.add.reduceat(self._within(packed, tried)[1], packed.starts)  # (k, TRIED)
        best = np.where(tried >= 0, sums, np.inf).argmin(axis=1)
        return tried[np.arange(k), best]

    def _within(self, clusters: "_Clusters", tried: Int64s) -> tuple[Float64s, Float64s]:
        """Sums of distances from each member to those tried of its cluster, and back."""
        to_probes, to_rows = np.zeros(clusters.weight.shape), np.zeros((len(clusters.owner), TRIED))
        kernels.within(
            clusters.rows,
            gather(self.rows, tried.ravel()),
            clusters.owner,
            clusters.weight,
            np.where(tried >= 0, self.weight[tried], 0),
            self.root,
            to_probes,
            to_rows,
        )
        return to_probes, to_rows

    def _by_cluster(self, members: Sequence[Int64s]) -> "_Clusters":
        tiles = np.array([-(-len(rows) // TILE) for rows in members])
        starts = np.cumsum(tiles) - tiles
        places = np.full(tiles.sum() * TILE, -1, np.int64)
        for start, rows in zip(starts * TILE, members, strict=True):
            places[start : start + len(rows)] = rows
        weight = np.where(places >= 0, self.weight[places], 0).reshape(-1, TILE)
        owner = np.repeat(np.arange(len(members)), tiles)
        return _Clusters(gather(self.rows, places), weight, owner, starts)

    def rank(self) -> None:
        """Order the rows to be tried: those first that lower the loss most at any K.

        The loss is that of PROBE_ROWS of the rows.
        """
        rows, times = systematic_sample(self.weight, PROBE_ROWS)
        probes = kernels.NearestTwo._make(
            np.ascontiguousarray(part[:, rows]) for part in self.nearest
        )
        first, out = self.first, np.empty((len(self.chosen), self.n), np.float32)
        removal = [self._removal(g, probes, times) for g in range(len(self.chosen))]
        kernels.screen(
            self.rows,
            gather(self.rows, rows),
            times,
            probes,
            first,
            np.concatenate([*removal, np.empty(0)]),
            self.root,
            out,
        )
        best = np.full(self.n, self.n)
        for change in out:
            rank = np.empty(self.n, np.int64)
            rank[np.argsort(change, kind="stable")] = np.arange(self.n)
            np.minimum(best, rank, out=best)
        self.order = np.argsort(best, kind="stable")

    def attempt(self, candidates: Int64s, active: Int64s) -> None:
        """Try at most TILE rows as medoids, at the active K.

        The changes of the loss are computed for all of them together. Those that would lower it are
        then examined one by one, the largest change first, since each swap affects the next.
        Raises ValueError where there are more than TILE.
        """
        if len(candidates) > TILE:
            raise ValueError(f"at most {TILE} rows are tried at a time, not {len(candidates)}")
        self.tried += len(candidates)
        promising = [
            self._promising(candidates, changes) for changes in self._changes(candidates, active)
        ]
        rows = np.unique(np.concatenate([*promising, NONE]))
        lines = np.empty((len(rows), self.n), np.float32)
        kernels.distances_from(gather(self.rows, rows), rows, self.rows, self.root, lines)
        for g, best in zip(active, promising, strict=True):
            for row, place in zip(best, np.searchsorted(rows, best), strict=True):
                if self._swap(g, row, lines[place]):
                    self.swaps[g] += 1
                    self.last[g] = self.tried

    def _promising(self, candidates: Int64s, changes: Float64s) -> Int64s:
        """Candidates that lower the loss in some place, the largest change first."""
        least = changes.min(axis=0)
        order = np.argsort(least, kind="stable")
        return candidates[order[least[order] < PROMISING * self.total]]

    def _changes(self, candidates: Int64s, active: Int64s) -> list[Float64s]:
        """Change of the loss by each candidate in place of each medoid: (k, c) per active K."""
        first, count = self.first, kernels.strips(self.n)
        shared = np.zeros((count, len(self.chosen), TILE))
        by_medoid = np.zeros((count, first[-1], TILE))
        kernels.changes(
            self.rows,
            self.weight,
            gather(self.rows, candidates),
            candidates,
            self.nearest,
            first,
            active,
            self.root,
            shared,
            by_medoid,
        )
        by_medoid, shared = by_medoid.sum(axis=0), shared.sum(axis=0)
        changes = []
        for g in active:
            removal = self._removal(g, self.nearest, self.weight)
            places = by_medoid[first[g] : first[g + 1]] + removal[:, None]
            changes.append((shared[g] + places)[:, : len(candidates)])
        return changes

    def _removal(self, g: int, state: kernels.NearestTwo, weight: Float64s) -> Float64s:
        """Rise of the loss of some rows without each medoid: float64 (k,)."""
        margin = state.second_distance[g].astype(np.float64) - state.distance[g]
        rise: Float64s = np.bincount(state.near[g], weight * margin, len(self.chosen[g])).astype(
            np.float64, copy=False
        )
        return rise

    def _swap(self, g: int, row: int, line: Float32s) -> bool:
        """Swap the row for the best medoid if that lowers the loss, and return whether it does."""
        if row in self.chosen[g]:
            return False
        near, second, distance, farther = (part[g] for part in self.nearest)
        shared = np.empty(kernels.strips(self.n))
        by_medoid = np.zeros((len(shared), len(self.chosen[g])))
        swap.change(line, near, distance, farther, self.weight, shared, by_medoid)
        changes = by_medoid.sum(axis=0)
        m = int(changes.argmin())
        if shared.sum() + changes[m] > ENOUGH * self.total:
            return False
        stale = swap.exchange(line, m, near, second, distance, farther)
        self.chosen[g][m] = row
        self._recompute(g, stale)
        self._assign_medoids(g)
        return True

    def _recompute(self, g: int, rows: Int64s) -> None:
        update = kernels.fresh(1, len(rows))
        k = np.array([0, len(self.chosen[g])])
        kernels.assign(
            gather(self.rows, rows), gather(self.rows, self.chosen[g]), k, self.root, update
        )
        for part, new in zip(self.nearest, update, strict=True):
            part[g, rows] = new[0]

    def clusterings(self) -> list[MeasuredClustering]:
        """Return the clustering at each K."""
        return [self._clustering(g) for g in range(len(self.chosen))]

    def _clustering(self, g: int) -> MeasuredClustering:
        near, _, distance, second = (part[g] for part in self.nearest)
        labels, medoids = numbered(near, self.chosen[g], self.weight)
        loss = float((self.weight * distance).sum())
        return MeasuredClustering(
            len(medoids), loss, labels, medoids, distance, np.minimum(second, 1)
        )

    def mean_silhouettes(self) -> Float64s:
        """Return the mean silhouette at each K, float64 (g,): of WIDTHS images, each among all."""
        rows, times = systematic_sample(self.weight, WIDTHS)
        widths = self.silhouettes(rows)
        return np.array([(width * times).sum() / times.sum() for width in widths])

    def silhouettes(self, rows: Int64s) -> Float64s:
        """Return the silhouettes of some rows among all, as `silhouettes.widths`: (g, rows)."""
        groups = self.nearest.near + self.first[:-1, None]
        weights = np.tile(self.weight, len(groups))
        sizes = np.bincount(groups.ravel(), weights, self.first[-1]).astype(np.float64, copy=False)
        parts = [rows[i : i + TILE] for i in range(0, len(rows), TILE)]
        widths = [self._widths(part, groups, sizes) for part in parts]
        return np.concatenate(widths, axis=-1)

    def _widths(self, rows: Int64s, groups: Int64s, sizes: Float64s) -> Float64s:
        sums = np.zeros((kernels.strips(self.n), len(sizes), TILE))
        kernels.to_clusters(
            self.rows, self.weight, gather(self.rows, rows), rows, groups, self.root, sums
        )
        total = np.ascontiguousarray(sums.sum(axis=0)[:, : len(rows)].T)  # (rows, clusters)
        return np.array(
            [
                [
                    of_row(line[a:b], sizes[a:b], cluster - a)
                    for line, cluster in zip(total, groups[g, rows], strict=True)
                ]
                for g, (a, b) in enumerate(itertools.pairwise(self.first))
            ]
        )


class _Clusters(NamedTuple):
    """The rows of clusters, packed so that each cluster has its own tiles."""

    rows: Packed
    weight: Float64s  # (tiles, TILE), 0 in the padding of a tile
    owner: Int64s  # (tiles,), the cluster
    starts: Int64s  # (clusters,), its first tile


def _table(clusters: Sequence[Int64s]) -> Int64s:
    """At most TRIED rows of each cluster, padded with -1: int64 (clusters, TRIED)."""
    table = np.full((len(clusters), TRIED), -1, np.int64)
    for line, rows in zip(table, clusters, strict=True):
        line[: len(rows)] = rows
    return table


def systematic_sample(weight: Float64s, size: int) -> tuple[Int64s, Float64s]:
    """Return a systematic sample: rows at even steps of cumulative weight.

    Returns rows int64 (m,) and how often each is drawn, float64 (m,); all rows with their weight
    where there are at most `size`.
    """
    if len(weight) <= size:
        return np.arange(len(weight)), weight
    cumulative = np.cumsum(weight)
    steps = (np.arange(size) + 0.5) * (cumulative[-1] / size)
    rows, times = np.unique(np.searchsorted(cumulative, steps), return_counts=True)
    return rows, times.astype(np.float64)
