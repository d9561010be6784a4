"""Whether a delivery as a whole differs from the run that its images are put into.

The images of a series are alike, and so are the series of a patient: patients are the units. Each
is a row of shares: of its series, the mean over their images. Five things are compared: how
patients spread over clusters, how far they lie from the medoids, how often each tag is filled, how
often it has a category that the run does not have, and how often a number outside the run's range.
Each by a permutation test (Good, "Permutation, Parametric, and Bootstrap Tests of Hypotheses",
2005): patients of both sides are shuffled between them, which is exact where they are alike,
whatever their numbers. Over tags the largest difference is what is tested, so that many tags raise
no more alarms than one (Westfall & Young 1993). A drift is told where the least of the five
p-values, times five, is at most LEVEL, and the share that moved is at least MATTERS: among many
patients trifles are significant too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight.assigning.permutations import Sides, largest_of
from tagsight.tags.encoding import PRESENCE, Column, Encoding

Array = NDArray[Any]

LEVEL = 0.01
MATTERS = 0.05
FEWEST = 5  # patients in a delivery of which something can be told
MOST = 20_000  # patients of a side, drawn at random
SHOWN = 8
UNITS = ["person", "series"]
ASPECTS = {  # -> how the columns of a profile begin
    "clusters": "cluster ",
    "distance": "distance",
    "presence": "present ",
    "unseen": "unseen ",
    "beyond": "beyond ",
}
RISING = ("unseen", "beyond")  # fewer of what is new is no drift
WORDS = {
    "clusters": "their clusters",
    "distance": "how far they lie from the medoids",
    "presence": "which tags are filled",
    "unseen": "categories that are new or almost",
    "beyond": "numbers beyond the run's range or at its ends",
}


class Profile:
    """Patients as rows of shares, from images that come in parts.

    persons: `person`, `series` (how many), and the sums over them of the means over their images of
    `distance` and of what is yes or no of an image: `cluster c`, `present KEYWORD`, `unseen
    KEYWORD`, `beyond KEYWORD`. At most MOST persons, those first by name: names are keyed hashes,
    so this is a random draw, and who is once left out stays out whatever is still to come. A series
    that is in two parts counts as two; parts are made by folder, as series are.
    """

    def __init__(
        self,
        encoding: Encoding,
        k: int,
        unseen: Mapping[str, pl.Expr],
        beyond: Mapping[str, pl.Expr],
    ) -> None:
        """unseen, beyond: tag -> whether an image has a new one (see `novelty`)."""
        measured = [pl.col("distance").cast(pl.Float64), *_measures(encoding, k)]
        measured += [image.alias(f"unseen {keyword}") for keyword, image in unseen.items()]
        measured += [image.alias(f"beyond {keyword}") for keyword, image in beyond.items()]
        self._measured = measured
        names = [expression.meta.output_name() for expression in measured]
        schema = {"person": pl.String, "series": pl.Int64} | dict.fromkeys(names, pl.Float64)
        self.persons = pl.DataFrame(schema=schema)

    def add(self, images: pl.DataFrame) -> None:
        """Add images: `person`, `series` (String, not null), `cluster`, `distance`, the columns."""
        series = images.select(*UNITS, *self._measured).group_by(UNITS).agg(pl.all().mean())
        sums = series.sort(UNITS).group_by("person", maintain_order=True)
        new = sums.agg(pl.len().cast(pl.Int64).alias("series"), pl.exclude("series").sum())
        both = pl.concat([self.persons, new]).group_by("person", maintain_order=True)
        self.persons = both.agg(pl.all().sum()).sort("person").head(MOST)


def _measures(encoding: Encoding, k: int) -> list[pl.Expr]:
    """Yes or no of an image: in a cluster, with a tag."""
    by_keyword: dict[str, list[Column]] = {}
    for column in encoding.columns:
        by_keyword.setdefault(column.keyword, []).append(column)
    made = [(pl.col("cluster") == c).alias(f"cluster {c}") for c in range(1, k + 1)]
    return made + [_present(own).alias(f"present {keyword}") for keyword, own in by_keyword.items()]


def _present(columns: list[Column]) -> pl.Expr:
    told = [pl.col(c.name) == 1 for c in columns if c.parser == PRESENCE]
    return pl.any_horizontal(told or [pl.col(c.name).is_not_null() for c in columns])


def compare(
    delivery: pl.DataFrame, run: pl.DataFrame, clusters: Sequence[str], seed: int
) -> dict[str, Any]:
    """Compare the `persons` of a delivery with those of a run; clusters: their names.

    Returns `drifted` (None where the delivery has fewer than FEWEST patients), `patients`,
    `run_patients`, and by ASPECTS `drifted`, `pvalue` (times five, at most 1), `moved` (a share: of
    clusters the total variation, of distances Kolmogorov and Smirnov's, of tags the largest
    difference of means) and `largest`, what moved most: its `name`, the mean share (distance) in
    `run` and `delivery`, and of a tag its p-value.
    """
    counts = {"patients": len(delivery), "run_patients": len(run)}
    if len(delivery) < FEWEST:
        return {"drifted": None, **counts}
    names = run.columns[2:]
    sides = Sides(_means(delivery), _means(run))
    places = {a: np.array([n.startswith(p) for n in names]) for a, p in ASPECTS.items()}
    draws = [_statistics(sides, chosen, places) for chosen in sides.draws(seed)]
    told = {}
    for aspect, prefix in ASPECTS.items():
        pvalues = np.minimum(len(ASPECTS) * largest_of(np.vstack([d[aspect] for d in draws])), 1)
        own = [name.removeprefix(prefix) or name for name in names if name.startswith(prefix)]
        own = list(clusters) if aspect == "clusters" else own
        told[aspect] = _told(aspect, sides, places[aspect], own, pvalues)
    return {"drifted": any(aspect["drifted"] for aspect in told.values()), **counts, **told}


def warning(told: dict[str, Any]) -> str | None:
    """Say what moved, where a delivery has drifted; told: see compare."""
    if not told["drifted"]:
        return None
    moved = [f"{WORDS[a]} ({_shares(a, told[a])})" for a in ASPECTS if told[a]["drifted"]]
    return f"the new images as a whole differ from the run's: {'; '.join(moved)}"


def _shares(aspect: str, told: dict[str, Any]) -> str:
    """The three that moved most, of tags those alone that did so by more than chance."""
    rows = [row for row in told["largest"] if row.get("pvalue", 0.0) <= LEVEL][:3]
    form = ".3f" if aspect == "distance" else ".0%"
    return ", ".join(f"{r['name']} {r['run']:{form}}, now {r['delivery']:{form}}" for r in rows)


def _means(profiles: pl.DataFrame) -> Array:
    """A row a patient: the mean over its series, (n, m); rounded, so that the order in which sums
    were made parts no two that are equal."""
    sums = profiles.select(pl.exclude("person", "series")).to_numpy()
    return np.round(sums / profiles["series"].to_numpy()[:, None], 9)


def _statistics(sides: Sides, chosen: Array, places: Mapping[str, Array]) -> dict[str, Array]:
    """What is tested of each draw: (draws, 1), of tags (draws, tags)."""
    moved = sides.differences(chosen)
    of = {aspect: moved[:, place] for aspect, place in places.items()}
    spread, share = sides.spread, sides.rows.mean(axis=0)[places["clusters"]]
    chi2 = np.divide(of["clusters"] ** 2, share, out=np.zeros_like(of["clusters"]), where=share > 0)
    return {
        "clusters": chi2.sum(axis=1, keepdims=True),
        "distance": sides.kolmogorov(chosen, int(np.flatnonzero(places["distance"])[0])),
        "presence": np.abs(of["presence"]) / spread[places["presence"]],
    } | {aspect: of[aspect] / spread[places[aspect]] for aspect in RISING}


def _told(
    aspect: str, sides: Sides, place: Array, names: list[str], pvalues: Array
) -> dict[str, Any]:
    """What compare returns of an aspect; pvalues: (1,), of tags (tags,)."""
    delivery, run = (side[:, place].mean(axis=0) for side in sides.parts())
    change = delivery - run if aspect in RISING else np.abs(delivery - run)
    moved = {
        "clusters": change.sum(keepdims=True) / 2,
        "distance": sides.kolmogorov(sides.actual, int(np.flatnonzero(place)[0]))[0],
    }.get(aspect, change)
    told = (pvalues <= LEVEL) & (moved >= MATTERS)
    order = np.lexsort((-change, np.broadcast_to(~told, change.shape)))[:SHOWN]
    return {
        "drifted": bool(told.any()),
        "pvalue": float(pvalues.min(initial=1.0)),
        "moved": float(moved.max(initial=0.0)),
        "largest": [
            {"name": names[i], "run": float(run[i]), "delivery": float(delivery[i])}
            | ({"pvalue": float(pvalues[i])} if len(pvalues) == len(names) else {})
            for i in order
            if change[i] > 0
        ],
    }
