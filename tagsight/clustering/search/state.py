"""Where a search for medoids among all rows stands, and the steps that it can take.

Nothing of size n × n is ever there: only, of each row and each K, the two nearest medoids.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tagsight.arrays import Float32s, Float64s, Int64s
from tagsight.clustering.medoids import Clustering, numbered
from tagsight.clustering.search import kernels, swap
from tagsight.clustering.silhouettes import of_row
from tagsight.gower.features import Features
from tagsight.gower.metric import Distance
from tagsight.gower.packing import TILE, Packed, blocks, gather, pack
from tagsight.run.atomic import writing

TRIED = 128  # members that a cluster tries as its medoid, chosen by as many others
PROBE_ROWS = 4096  # rows that say which of all rows are tried first
NONE = np.empty(0, np.int64)
WIDTHS = 1024  # images whose silhouettes are made
# Changes of the loss, in units of all weight: to be looked at exactly, to be swapped for.
PROMISING, ENOUGH = 1e-7, -1e-9


@dataclass(frozen=True)
class MeasuredClustering(Clustering):
    """A clustering, with how far each row is from the two nearest medoids.

    distance, second: float32 (n,), to the nearest medoid and to the second nearest (1 where there
    is none).
    """

    distance: Float32s
    second: Float32s


class SearchState:
    """A search among the same rows: what it needs of them, and where it stands.

    rows: all of them, packed; weight: float64 (n,).
    """

    def __init__(self, features: Features, weight: Float64s, distance: Distance) -> None:
        self.n, self.weight, self.root = len(features), weight, distance == "root"
        self.total = weight.sum()
        self.rows = pack(features, blocks(features, features))
        self.chosen: list[Int64s] = []  # the medoids of each K
        self.nearest = kernels.fresh(0, self.n)
        self.order = np.arange(self.n)  # in which rows are tried
        self.tried = 0  # candidates
        self.swaps = self.last = np.zeros(0, np.int64)  # of each K; after how many tried the last

    def start(self, chosen: Sequence[Int64s]) -> None:
        """Take these medoids, each K's in an array: all rows to the nearest of them."""
        self.chosen = [np.array(rows) for rows in chosen]
        self.tried, self.swaps = 0, np.zeros(len(chosen), np.int64)
        self.last = self.swaps.copy()
        self.assign()

    def assign(self) -> None:
        """All rows to the nearest of the medoids, the lowest place where two are equally near."""
        self.nearest = kernels.fresh(len(self.chosen), self.n)
        some = gather(self.rows, np.concatenate([*self.chosen, NONE]))
        kernels.assign(self.rows, some, self.first, self.root, self.nearest)
        for g in range(len(self.chosen)):
            self._settle(g)

    @property
    def first(self) -> Int64s:
        """Where the medoids of each K begin when all are counted on: int64 (g + 1,)."""
        return np.cumsum([0, *map(len, self.chosen)]).astype(np.int64)

    def losses(self) -> list[float]:
        """The loss of each K."""
        return [float((self.weight * d).sum()) for d in self.nearest.distance]

    def describe(self) -> str:
        """The mean distance under each K, in words."""
        each = zip(self.chosen, self.losses(), strict=True)
        told = ", ".join(f"{loss / self.total:.4f} (K = {len(rows)})" for rows, loss in each)
        return f"mean distance {told}"

    def commit(self, path: Path) -> None:
        """Write where the search stands; what all rows are nearest to follows from it."""
        with writing(path) as temporary, open(temporary, "wb") as file:
            np.savez(
                file,
                medoids=np.concatenate([*self.chosen, NONE]),
                first=self.first,
                order=self.order,
                tried=self.tried,
                swaps=self.swaps,
                last=self.last,
            )

    def resume(self, path: Path, candidates: int) -> bool:
        """Go on from what was committed, if there is something and no more were tried than this.

        To be the same as a search that was not broken off, it has to go on at the end of a batch.
        """
        if not path.exists():
            return False
        with np.load(path) as kept:
            if kept["tried"] > candidates:
                return False
            self.start(np.split(kept["medoids"], kept["first"][1:-1]) if len(kept["swaps"]) else [])
            self.order, self.tried = kept["order"], int(kept["tried"])
            self.swaps, self.last = kept["swaps"], kept["last"]
        return True

    def active(self) -> Int64s:
        """The K under which not all rows were tried since the last swap."""
        return np.flatnonzero(self.tried - self.last < self.n)

    def _settle(self, g: int) -> None:
        """A medoid stays with itself, also beside its duplicate and where it lacks everything."""
        near, second, distance, farther = (part[g] for part in self.nearest)
        rows, places = self.chosen[g], np.arange(len(self.chosen[g]), dtype=np.int32)
        moved = near[rows] != places
        second[rows[moved]], farther[rows[moved]] = near[rows[moved]], distance[rows[moved]]
        near[rows], distance[rows] = places, 0

    def refine(self, seed: int) -> None:
        """Let each cluster look for a better medoid among its members; then assign anew.

        All members are compared with some of them, drawn; those that are nearest to these, and the
        medoid that there is, with all members.
        """
        self.start(
            [self._central(g, np.random.default_rng([seed, g])) for g in range(len(self.chosen))]
        )

    def _central(self, g: int, rng: np.random.Generator) -> Int64s:
        """The best medoid of each cluster of a K, of those tried: int64 (k,)."""
        near, k = self.nearest.near[g], len(self.chosen[g])
        order = np.argsort(near, kind="stable")
        members = np.split(order, np.cumsum(np.bincount(near, minlength=k))[:-1])
        packed = self._apart(members)
        drawn = _table([rng.permutation(rows)[:TRIED] for rows in members])
        nearness = np.split(self._within(packed, drawn)[0].ravel(), packed.starts[1:] * TILE)
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
        """Sums of distances, of each member to those tried of its cluster and the other way."""
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

    def _apart(self, members: Sequence[Int64s]) -> "_Clusters":
        tiles = np.array([-(-len(rows) // TILE) for rows in members])
        starts = np.cumsum(tiles) - tiles
        places = np.full(tiles.sum() * TILE, -1, np.int64)
        for start, rows in zip(starts * TILE, members, strict=True):
            places[start : start + len(rows)] = rows
        weight = np.where(places >= 0, self.weight[places], 0).reshape(-1, TILE)
        owner = np.repeat(np.arange(len(members)), tiles)
        return _Clusters(gather(self.rows, places), weight, owner, starts)

    def rank(self) -> None:
        """Put those rows first in order that promise most under any of the K.

        What they promise is what PROBE_ROWS of the rows would gain from them.
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
        for promised in out:
            rank = np.empty(self.n, np.int64)
            rank[np.argsort(promised, kind="stable")] = np.arange(self.n)
            np.minimum(best, rank, out=best)
        self.order = np.argsort(best, kind="stable")

    def attempt(self, candidates: Int64s, active: Int64s) -> None:
        """Try at most TILE rows as medoids, under the K that are active.

        How each would change the loss is found for all of them together; those that promise
        something are looked at one by one, the most promising first, against what the ones before
        have changed. ValueError where they are more.
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
        for g, some in zip(active, promising, strict=True):
            for row, place in zip(some, np.searchsorted(rows, some), strict=True):
                if self._swapped(g, row, lines[place]):
                    self.swaps[g] += 1
                    self.last[g] = self.tried

    def _promising(self, candidates: Int64s, changes: Float64s) -> Int64s:
        """Those that lower the loss in some place, the most first."""
        promised = changes.min(axis=0)
        order = np.argsort(promised, kind="stable")
        return candidates[order[promised[order] < PROMISING * self.total]]

    def _changes(self, candidates: Int64s, active: Int64s) -> list[Float64s]:
        """How each candidate would change the loss in each medoid's place: (k, c) for each K."""
        first, count = self.first, kernels.strips(self.n)
        shared = np.zeros((count, len(self.chosen), TILE))
        own = np.zeros((count, first[-1], TILE))
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
            own,
        )
        own, shared = own.sum(axis=0), shared.sum(axis=0)
        changes = []
        for g in active:
            removal = self._removal(g, self.nearest, self.weight)
            places = own[first[g] : first[g + 1]] + removal[:, None]
            changes.append((shared[g] + places)[:, : len(candidates)])
        return changes

    def _removal(self, g: int, state: kernels.NearestTwo, weight: Float64s) -> Float64s:
        """By how much the loss of these rows would rise without each medoid: float64 (k,)."""
        apart = state.second_distance[g].astype(np.float64) - state.distance[g]
        lost: Float64s = np.bincount(state.near[g], weight * apart, len(self.chosen[g])).astype(
            np.float64, copy=False
        )
        return lost

    def _swapped(self, g: int, row: int, line: Float32s) -> bool:
        """Put the row in the best place if that lowers the loss."""
        if row in self.chosen[g]:
            return False
        near, second, distance, farther = (part[g] for part in self.nearest)
        shared = np.empty(kernels.strips(self.n))
        places = np.zeros((len(shared), len(self.chosen[g])))
        swap.change(line, near, distance, farther, self.weight, shared, places)
        own = places.sum(axis=0)
        m = int(own.argmin())
        if shared.sum() + own[m] > ENOUGH * self.total:
            return False
        lost = swap.exchange(line, m, near, second, distance, farther)
        self.chosen[g][m] = row
        self._look_anew(g, lost)
        self._settle(g)
        return True

    def _look_anew(self, g: int, rows: Int64s) -> None:
        found = kernels.fresh(1, len(rows))
        k = np.array([0, len(self.chosen[g])])
        kernels.assign(
            gather(self.rows, rows), gather(self.rows, self.chosen[g]), k, self.root, found
        )
        for part, new in zip(self.nearest, found, strict=True):
            part[g, rows] = new[0]

    def clusterings(self) -> list[MeasuredClustering]:
        """Where the search stands."""
        return [self._clustering(g) for g in range(len(self.chosen))]

    def _clustering(self, g: int) -> MeasuredClustering:
        near, _, distance, second = (part[g] for part in self.nearest)
        labels, medoids = numbered(near, self.chosen[g], self.weight)
        loss = float((self.weight * distance).sum())
        return MeasuredClustering(
            len(medoids), loss, labels, medoids, distance, np.minimum(second, 1)
        )

    def mean_silhouettes(self) -> Float64s:
        """The mean over WIDTHS images of their silhouettes among all images, of each K: (g,)."""
        rows, times = systematic_sample(self.weight, WIDTHS)
        widths = self.silhouettes(rows)
        return np.array([(width * times).sum() / times.sum() for width in widths])

    def silhouettes(self, rows: Int64s) -> Float64s:
        """Silhouettes of some rows among all rows, as `silhouettes.samples` has them: (g, rows)."""
        groups = self.nearest.near + self.first[:-1, None]
        counted = np.tile(self.weight, len(groups))
        sizes = np.bincount(groups.ravel(), counted, self.first[-1]).astype(np.float64, copy=False)
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
                    of_row(line[a:b], sizes[a:b], own - a)
                    for line, own in zip(total, groups[g, rows], strict=True)
                ]
                for g, (a, b) in enumerate(itertools.pairwise(self.first))
            ]
        )


class _Clusters(NamedTuple):
    """The rows of clusters, packed so that each cluster has tiles of its own."""

    rows: Packed
    weight: Float64s  # (tiles, TILE), 0 where a tile is filled up
    owner: Int64s  # (tiles,), the cluster
    starts: Int64s  # (clusters,), its first tile


def _table(several: Sequence[Int64s]) -> Int64s:
    """At most TRIED row numbers of each cluster, filled up with -1: int64 (clusters, TRIED)."""
    table = np.full((len(several), TRIED), -1, np.int64)
    for line, rows in zip(table, several, strict=True):
        line[: len(rows)] = rows
    return table


def systematic_sample(weight: Float64s, size: int) -> tuple[Int64s, Float64s]:
    """Rows drawn in even steps of weight, so that what comes often is drawn often.

    Returns rows int64 (m,), and how often each was drawn, float64 (m,): all rows with their weight
    where there are no more than `size`.
    """
    if len(weight) <= size:
        return np.arange(len(weight)), weight
    upto = np.cumsum(weight)
    steps = (np.arange(size) + 0.5) * (upto[-1] / size)
    rows, times = np.unique(np.searchsorted(upto, steps), return_counts=True)
    return rows, times.astype(np.float64)
