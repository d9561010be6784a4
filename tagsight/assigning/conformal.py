"""Whether an image fits its cluster: conformal p-values, with patients as the units.

Source: Lee, Barber & Willett, "Distribution-free inference with hierarchical data" (2023). The
images of a patient are alike, so patients are what is exchangeable, and each of the K patients
whose images are in a cluster has one vote, divided among its images there. Of a new image at
distance d from the cluster's medoid

    p = (1 + sum over patients of the share of their images at least as far as d) / (K + 1)

so that of the images of new patients that are like the run's at most a share a has p <= a. In a
cluster of few patients no p can be small: images there are held to those of all clusters.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[Any]

LEVEL = 0.01  # an image with a p-value of at most this fits none
ENOUGH = round(1 / LEVEL) - 1  # patients with whom a p-value can be as small as LEVEL


@dataclass(frozen=True)
class Members:
    """Distances of some images to their medoid.

    distances (n,) float32, rising; pvalues (n + 1,) float64: of an image as far as each of them,
    and of one that is farther than all; patients: whose images they are.
    """

    distances: Array
    pvalues: Array
    patients: int

    @classmethod
    def of(cls, images: pl.DataFrame) -> Self:
        """Take `person` and `distance` of images; each person counts once."""
        ordered = images.with_columns(vote=1 / pl.len().over("person")).sort("distance", "vote")
        votes, people = ordered["vote"].to_numpy(), images["person"].n_unique()
        farther = np.append(np.cumsum(votes[::-1])[::-1], 0.0)
        pvalues = (1 + farther) / (people + 1)
        return cls(ordered["distance"].to_numpy(), np.minimum(pvalues, 1.0), people)

    @property
    def level(self) -> float:
        """LEVEL, or the least p-value that so few patients can give."""
        return max(LEVEL, 1 / (self.patients + 1))

    @property
    def limit(self) -> float:
        """The largest distance of these images that still fits."""
        return float(self.distances[self.pvalues[:-1] > self.level][-1])

    def pvalue(self, distances: Array) -> Array:
        """Return p of images at these distances: float64, the same shape."""
        return self.pvalues[np.searchsorted(self.distances, distances, side="left")]


class Limits:
    """What the images of a run say of how far its clusters' members lie from their medoids."""

    def __init__(self, images: pl.DataFrame, k: int) -> None:
        """Take `person`, `cluster` (1 to k) and `distance` of images that no medoid was fitted on.

        A cluster with images of fewer than ENOUGH patients is held to the images of all clusters.
        """
        self.pooled = Members.of(images)
        own = {c: Members.of(rows) for (c,), rows in images.group_by("cluster")}
        self.clusters = [
            own[c] if c in own and own[c].patients >= ENOUGH else self.pooled
            for c in range(1, k + 1)
        ]

    def judge(self, placed: pl.DataFrame) -> pl.DataFrame:
        """Return `placed` (with `cluster` and `distance`) with `pvalue` and `fits`."""
        cluster, distance = placed["cluster"].to_numpy(), placed["distance"].to_numpy()
        pvalue = np.ones(len(placed))
        levels = np.array([members.level for members in self.clusters])
        for c in np.unique(cluster):
            pvalue[cluster == c] = self.clusters[c - 1].pvalue(distance[cluster == c])
        return placed.with_columns(
            pvalue=pl.Series(pvalue.astype(np.float32)),
            fits=pl.Series(pvalue > levels[cluster - 1]),
        )

    def told(self) -> list[dict[str, Any]]:
        """Return a row a cluster: `cluster`, `limit`, `level`, `patients`, `pooled`."""
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
