"""Clusters of a kind of images, one more at a time: first by region, then by technique.

A kind begins as one cluster. First regions are taken out of the rest of the kind, each as a cluster
of its own; then the images of a region, or the rest, have one cluster more by k-medoids. Of all
steps that there are the one is taken that gains most. So no cluster mixes regions once all are
taken out, but the rest: small regions stay together there with the images that state none.

The gain of a step is the fall of the mean distance of the images that it divides, times the square
root of their number: the most images alone would have all clusters, the fewest none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tagsight.arrays import Bools, Float32s, Float64s, Int32s, Int64s
from tagsight.clustering import algorithms, k_medoids
from tagsight.clustering.medoids import Clustering, nearest, numbered
from tagsight.gower.features import Features

REST = -1  # the region of images that state none
CHUNK = 256  # rows whose distances are summed at a time


@dataclass(frozen=True)
class Rows:
    """The different rows of a kind.

    features: (n,); distances: float32 (n, n); weights: float64 (n,), how many images each is;
    region: int32 (n,), code of the region, REST = none; algorithm: a name in ALGORITHMS.
    """

    features: Features
    distances: Float32s
    weights: Float64s
    region: Int32s
    algorithm: str

    @cached_property
    def sums(self) -> dict[int, Float64s]:
        """Region → the weighted sum of the distances of its rows to each row: float64 (n,).

        What all images of some regions lose to one medoid is a sum of these, so that regions are
        taken out on trial without another look at the matrix.
        """
        return {int(code): self._sum(self.region == code) for code in np.unique(self.region)}

    def _sum(self, inside: Bools) -> Float64s:
        total = np.zeros(len(self.distances))
        for some in np.array_split(np.flatnonzero(inside), max(1, int(inside.sum()) // CHUNK)):
            weighted = self.weights[some, None] * self.distances[some]
            total += weighted.sum(axis=0, dtype=np.float64)
        return total

    def take(self, rows: Int64s, weights: Float64s) -> "Rows":
        """Return some of the rows, with other weights."""
        return Rows(
            self.features.take(rows),
            np.ascontiguousarray(self.distances[np.ix_(rows, rows)]),
            weights,
            self.region[rows],
            self.algorithm,
        )


@dataclass(frozen=True)
class Grown:
    """A clustering of a kind, and how it came about.

    regions: int32 (k,), the region that each cluster is of, REST = any; gain: of the step that led
    to it, 0 of the first.
    """

    clustering: Clustering
    regions: Int32s
    gain: float


@dataclass
class _Group:
    """Some rows of a kind, and their clusterings by K as they are asked for.

    rows: int64 (m,); parts: the groups that it was divided into on trial, by region and side.
    """

    kind: Rows
    rows: Int64s
    known: dict[int, Clustering | None] = field(default_factory=dict)
    parts: dict[tuple[int, bool], "_Group"] = field(default_factory=dict)

    @property
    def region(self) -> int:
        """The region of all rows, REST where they are of several: the last one left is no rest."""
        codes = np.unique(self.kind.region[self.rows])
        return int(codes[0]) if len(codes) == 1 else REST

    @property
    def root(self) -> float:
        """The square root of the number of images."""
        return float(np.sqrt(self.kind.weights[self.rows].sum()))

    def at(self, k: int) -> Clustering | None:
        """Return k clusters of the rows, None where they cannot be divided so far."""
        if k not in self.known:
            self.known[k] = self._made(k)
        return self.known[k]

    def loss(self, k: int) -> float:
        """Return the loss of k clusters; infinite where there are none."""
        clustering = self.at(k)
        return np.inf if clustering is None else clustering.loss

    def _made(self, k: int) -> Clustering | None:
        if k > len(self.rows):
            return None
        if k == 1:
            return self._one()
        distances = np.ascontiguousarray(self.kind.distances[np.ix_(self.rows, self.rows)])
        weights = self.kind.weights[self.rows]
        build = k_medoids.build(distances, k, weights)
        if not distances[build].min(axis=0).any():
            return nearest(distances, build, weights)
        features, algorithm = self.kind.features.take(self.rows), self.kind.algorithm
        grid = algorithms.clusterings(features, distances, [k], algorithm, weights)
        return next((each for each in grid if each.k == k), None)

    def _one(self) -> Clustering:
        """All rows around the one of least distance to them; the lowest of equal ones."""
        codes = np.unique(self.kind.region[self.rows])
        totals = np.sum([self.kind.sums[int(code)][self.rows] for code in codes], axis=0)
        medoid = int(totals.argmin())
        labels = np.zeros(len(self.rows), np.int32)
        return Clustering(1, float(totals[medoid]), labels, np.array([medoid], np.int64))

    def part(self, region: int, inside: Bools) -> "_Group":
        """Return the group of some of the rows, the same each time that it is asked for.

        inside: bool (m,), those of the region, or all others.
        """
        key = region, bool((self.kind.region[self.rows[inside]] == region).all())
        return self.parts.setdefault(key, _Group(self.kind, self.rows[inside]))


def grown(kind: Rows, most: int, least: float) -> Iterator[Grown]:
    """Yield the clusterings of a kind with 1, 2, … clusters, `most` at most.

    least: images that a region has at least, to be taken out of the rest.
    It ends earlier where no step lowers the loss.
    """
    groups, numbers = {REST: _Group(kind, np.arange(len(kind.distances)))}, {REST: 1}
    large = _large(kind, least)
    yield _combined(kind, groups, numbers, 0.0)
    while sum(numbers.values()) < most:
        gain, step = _best(kind, groups, numbers, large)
        if step is None:
            return
        groups, numbers = step
        yield _combined(kind, groups, numbers, gain)


def _large(kind: Rows, least: float) -> list[int]:
    """The regions of at least so many images, in order of their code."""
    codes = np.unique(kind.region[kind.region != REST])
    return [int(c) for c in codes if kind.weights[kind.region == c].sum() >= least]


State = tuple[dict[int, _Group], dict[int, int]]


def _best(
    kind: Rows, groups: dict[int, _Group], numbers: dict[int, int], large: Sequence[int]
) -> tuple[float, State | None]:
    """The largest gain of a step, and the state after it: of the first of equal ones."""
    best: tuple[float, State | None] = (1e-9, None)
    whole = [region for region in large if _taken_out(kind, groups, numbers, region)]
    for region, group in groups.items():
        if whole:
            continue  # regions come first
        k = numbers[region]
        gain = (group.loss(k) - group.loss(k + 1)) / group.root
        if gain > best[0]:
            best = gain, (groups, {**numbers, region: k + 1})
    for region in whole:
        taken = _taken_out(kind, groups, numbers, region)
        if taken is None:
            continue
        before = groups[REST].loss(numbers[REST])
        after = taken[0][REST].loss(numbers[REST]) + taken[0][region].loss(1)
        gain = (before - after) / taken[0][region].root
        if gain > best[0]:
            best = gain, taken
    return best


def _taken_out(
    kind: Rows, groups: dict[int, _Group], numbers: dict[int, int], region: int
) -> State | None:
    """The state with a region taken out; None where it was before, or where nothing is left."""
    rest = groups[REST].rows
    inside = kind.region[rest] == region
    if region in groups or inside.all():
        return None
    left, taken = (groups[REST].part(region, rows) for rows in (~inside, inside))
    return {**groups, REST: left, region: taken}, {**numbers, region: 1}


def _combined(kind: Rows, groups: dict[int, _Group], numbers: dict[int, int], gain: float) -> Grown:
    """The clusters of all groups as one clustering, the largest cluster first."""
    labels = np.empty(len(kind.distances), np.int32)
    medoids: list[Int64s] = []
    regions: dict[int, int] = {}
    for region, group in groups.items():
        clustering = group.at(numbers[region])
        assert clustering is not None  # only steps that can be taken are
        labels[group.rows] = clustering.labels + sum(map(len, medoids))
        medoids.append(group.rows[clustering.medoids])
        regions |= dict.fromkeys(medoids[-1].tolist(), group.region)
    ordered, chosen = numbered(labels, np.concatenate(medoids), kind.weights)
    loss = sum(group.loss(numbers[region]) for region, group in groups.items())
    clustering = Clustering(len(chosen), float(loss), ordered, chosen)
    return Grown(clustering, np.array([regions[row] for row in chosen.tolist()], np.int32), gain)
