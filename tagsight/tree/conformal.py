"""Conformal p-values: whether an image fits its cluster, with patients as the units.

Source: Lee, Barber & Willett, "Distribution-free inference with hierarchical data" (2023). Images
of a patient are similar, so the exchangeable units are patients: each of the K patients with images
in a cluster has one vote, divided among these images. For a new image at distance d from the
cluster's medoid

    p = (1 + sum over patients of the share of their images at least as far as d) / (K + 1)

so that if new patients are like those of the run, at most a fraction alpha of their images has
p ≤ alpha. In a cluster of few patients no p can be small: images there are compared with those of
all clusters.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from tagsight.arrays import Float32s, Float64s, Floats

LEVEL = 0.01  # an image with a p-value of at most this fits no cluster
ENOUGH_PATIENTS = round(1 / LEVEL) - 1  # patients with whom a p-value can be as small as LEVEL


@dataclass(frozen=True)
class Members:
    """Distances of images to their medoid, as the calibration set of conformal p-values.

    distances: float32 (n,), rising; pvalues: float64 (n + 1,), of an image at each of these
    distances, and of one beyond them all; patients: how many have these images.
    """

    distances: Float32s
    pvalues: Float64s
    patients: int

    @classmethod
    def of(cls, images: pl.DataFrame) -> Self:
        """Return the members that images are: `person`, `distance`; each person has one vote."""
        ordered = images.with_columns(vote=1 / pl.len().over("person")).sort("distance", "vote")
        votes, people = ordered["vote"].to_numpy(), images["person"].n_unique()
        farther = np.append(np.cumsum(votes[::-1])[::-1], 0.0)
        pvalues = (1 + farther) / (people + 1)
        return cls(ordered["distance"].to_numpy(), np.minimum(pvalues, 1.0), people)

    @property
    def level(self) -> float:
        """LEVEL, or the least p-value that is possible with these patients if that is larger."""
        return max(LEVEL, 1 / (self.patients + 1))

    @property
    def limit(self) -> float:
        """The largest distance of these images that fits."""
        return float(self.distances[self.pvalues[:-1] > self.level][-1])

    def pvalue(self, distances: Floats) -> Float64s:
        """Return the p-values of images at these distances (n,), float64 (n,)."""
        return self.pvalues[np.searchsorted(self.distances, distances, side="left")]


class Limits:
    """The distances at which an image fits each cluster of a run."""

    def __init__(self, images: pl.DataFrame, k: int) -> None:
        """Set the limits by images of a run that no medoid was fitted to.

        images: `person`, `cluster` (1 to k) and `distance`. For a cluster with images of fewer than
        ENOUGH_PATIENTS patients the limits are those of all clusters together.
        """
        self.pooled = Members.of(images)
        members = {c: Members.of(rows) for (c,), rows in images.group_by("cluster")}
        self.clusters = [
            members[c] if c in members and members[c].patients >= ENOUGH_PATIENTS else self.pooled
            for c in range(1, k + 1)
        ]

    def assess(self, placed: pl.DataFrame) -> pl.DataFrame:
        """Return images with `pvalue` and `fits`; placed: images with `cluster` and `distance`."""
        cluster, distance = placed["cluster"].to_numpy(), placed["distance"].to_numpy()
        pvalue = np.ones(len(placed))
        levels = np.array([members.level for members in self.clusters])
        for c in np.unique(cluster):
            pvalue[cluster == c] = self.clusters[c - 1].pvalue(distance[cluster == c])
        return placed.with_columns(
            pvalue=pl.Series(pvalue.astype(np.float32)),
            fits=pl.Series(pvalue > levels[cluster - 1]),
        )

    def table(self) -> list[dict[str, Any]]:
        """Return one row per cluster: `cluster`, `limit`, `level`, `patients`, `pooled`."""
        return [
            {
                "cluster": c,
                "limit": members.limit,
                "level": members.level,
                "patients": members.patients,
                "pooled": members is self.pooled,
            }
            for c, members in enumerate(self.clusters, start=1)
        ]
