"""Drift: whether a delivery as a whole differs from the run that its images are assigned to.

Images of a series are similar, and so are series of a patient: the units are patients. A patient is
a row of shares: the mean over its series of the mean over their images. Five aspects are compared:
how patients are distributed over labels (in a flat run, clusters), how far they lie from the
medoids, how often each tag is filled, how often it has a category that the run does not have, and
how often a number outside the run's range. Each is a permutation test (Good, "Permutation,
Parametric, and Bootstrap Tests of Hypotheses", 2005): patients are permuted between both sides,
which is exact if these do not differ, whatever their sizes. Over tags the largest difference is
tested, so that many tags raise no more false alarms than one (Westfall & Young 1993). There is a
drift if the least of the five p-values, times five, is at most LEVEL, and the share that moved is
at least LEAST_MOVED: with many patients trivial differences are significant, too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from tagsight.arrays import Bools, Float64s
from tagsight.assigning.permutations import Sides, max_pvalues
from tagsight.tags.encoding import PRESENCE, Column

LEVEL = 0.01
LEAST_MOVED = 0.05
FEWEST_PATIENTS = 5  # patients in a delivery that can be tested
MOST_PATIENTS = 20_000  # patients of a side, drawn at random
MOST_SHOWN = 8
UNITS = ["person", "series"]
NO_LABEL = "none of them"
ASPECTS = {  # -> prefix of the columns of a profile
    "clusters": "label ",
    "distance": "distance",
    "presence": "present ",
    "unseen": "unseen ",
    "beyond": "beyond ",
}
ONE_SIDED = ("unseen", "beyond")  # fewer new values are no drift
WORDS = {
    "distance": "how far they lie from the medoids",
    "presence": "which tags are filled",
    "unseen": "categories that are new or almost",
    "beyond": "numbers beyond the run's range or at its ends",
}


class Profile:
    """Patients as rows of sums of shares, from images that come in parts.

    persons: `person`, `series` (how many), `placed` (how many of them have a distance), and the
    sums over these series of the means over their images of `distance` and of properties of an
    image that are true or false: `label c`, `present KEYWORD`, `unseen KEYWORD`, `beyond KEYWORD`.

    At most MOST_PATIENTS persons are kept, the first by name: names are keyed hashes, so this is a
    random draw, and a person who was left out stays out whatever comes later. A series that is in
    two parts counts as two; parts are made by folder, as series are.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        labels: Sequence[int],
        unseen: Mapping[str, pl.Expr],
        beyond: Mapping[str, pl.Expr],
    ) -> None:
        """Start without images; unseen, beyond: tag -> whether an image has a new value."""
        measured = [pl.col("distance").cast(pl.Float64), *_labels(labels), *_presence(columns)]
        measured += [image.alias(f"unseen {keyword}") for keyword, image in unseen.items()]
        measured += [image.alias(f"beyond {keyword}") for keyword, image in beyond.items()]
        self._measured = measured
        names = [expression.meta.output_name() for expression in measured]
        counts = {"person": pl.String, "series": pl.Int64, "placed": pl.Int64}
        schema = counts | dict.fromkeys(names, pl.Float64)
        self.persons = pl.DataFrame(schema=schema)

    def add(self, images: pl.DataFrame) -> None:
        """Add images: `person`, `series` (String, not null), `label`, `distance`, the columns.

        `label` and `distance` are null for images that have none.
        """
        series = images.select(*UNITS, *self._measured).group_by(UNITS).agg(pl.all().mean())
        sums = series.sort(UNITS).group_by("person", maintain_order=True)
        new = sums.agg(
            pl.len().cast(pl.Int64).alias("series"),
            pl.col("distance").count().cast(pl.Int64).alias("placed"),
            pl.exclude("series").sum(),
        )
        persons = pl.concat([self.persons, new]).group_by("person", maintain_order=True)
        self.persons = persons.agg(pl.all().sum()).sort("person").head(MOST_PATIENTS)


def _labels(labels: Sequence[int]) -> list[pl.Expr]:
    """Whether an image has each label, and whether it has none."""
    each = [(pl.col("label") == c).fill_null(False).alias(f"label {c}") for c in labels]
    return [*each, pl.col("label").is_null().alias(f"label {NO_LABEL}")]


def _presence(columns: Sequence[Column]) -> list[pl.Expr]:
    """Whether an image has each tag."""
    by_keyword: dict[str, list[Column]] = {}
    for column in columns:
        by_keyword.setdefault(column.keyword, []).append(column)
    return [_present(each).alias(f"present {keyword}") for keyword, each in by_keyword.items()]


def _present(columns: list[Column]) -> pl.Expr:
    presence = [pl.col(c.name) == 1 for c in columns if c.parser == PRESENCE]
    return pl.any_horizontal(presence or [pl.col(c.name).is_not_null() for c in columns])


def compare(
    delivery: pl.DataFrame, run: pl.DataFrame, labels: Sequence[str], seed: int
) -> dict[str, Any]:
    """Return how a delivery differs from a run.

    delivery, run: Profile.persons of each; labels: names of the labels; seed: of permutations.

    Returns `drifted` (None where the delivery has fewer than FEWEST_PATIENTS patients), `patients`,
    `run_patients`, and by ASPECTS `drifted`, `pvalue` (times five, at most 1), `moved` (for
    clusters the total variation, for distances the Kolmogorov-Smirnov statistic of the patients
    who have any, for tags the largest difference of means) and `largest`, the labels or tags
    that moved most: `name`, the mean share (distance) in `run` and `delivery`, and for a tag its
    p-value.
    """
    counts = {"patients": len(delivery), "run_patients": len(run)}
    if len(delivery) < FEWEST_PATIENTS:
        return {"drifted": None, **counts}
    names = run.columns[3:]
    sides = Sides(_means(delivery), _means(run))
    places = {a: np.array([n.startswith(p) for n in names]) for a, p in ASPECTS.items()}
    statistics = [_statistics(sides, permuted, places) for permuted in sides.permutations(seed)]
    aspects = {}
    for aspect, prefix in ASPECTS.items():
        pvalues = max_pvalues(np.vstack([chunk[aspect] for chunk in statistics]))
        shown = [name.removeprefix(prefix) or name for name in names if name.startswith(prefix)]
        shown = [*labels, NO_LABEL] if aspect == "clusters" else shown
        adjusted = np.minimum(len(ASPECTS) * pvalues, 1)
        aspects[aspect] = _summary(aspect, sides, places[aspect], shown, adjusted)
    return {"drifted": any(aspect["drifted"] for aspect in aspects.values()), **counts, **aspects}


def warning(comparison: dict[str, Any], groups: str) -> str | None:
    """Return what moved if a delivery has drifted, else None.

    comparison: of `compare`; groups: what the labels are called.
    """
    if not comparison["drifted"]:
        return None
    drifted = {a: comparison[a] for a in ASPECTS if comparison[a]["drifted"]}
    words = {"clusters": f"their {groups}"} | WORDS
    moved = [f"{words[aspect]} ({_shares(aspect, summary)})" for aspect, summary in drifted.items()]
    return f"the new images as a whole differ from the run's: {'; '.join(moved)}"


def _shares(aspect: str, summary: dict[str, Any]) -> str:
    """The three that moved most; of tags only those that moved significantly."""
    rows = [row for row in summary["largest"] if row.get("pvalue", 0.0) <= LEVEL][:3]
    form = ".3f" if aspect == "distance" else ".0%"
    return ", ".join(f"{r['name']} {r['run']:{form}}, now {r['delivery']:{form}}" for r in rows)


def _means(profiles: pl.DataFrame) -> Float64s:
    """One row per patient: the mean over its series, (n, m); NaN for a distance that none has.

    Rounded, so that equal means stay equal whatever the order of their sums.
    """
    means = profiles.with_columns(
        pl.exclude("person", "series", "placed", "distance") / pl.col("series"),
        distance=pl.when(pl.col("placed") > 0).then(pl.col("distance") / pl.col("placed")),
    )
    return np.round(means.select(pl.exclude("person", "series", "placed")).to_numpy(), 9)


def _statistics(
    sides: Sides, permuted: Float64s, places: Mapping[str, Bools]
) -> dict[str, Float64s]:
    """The statistics of each permutation by aspect: (p, 1), of tags (p, tags)."""
    moved = sides.differences(permuted)
    by_aspect = {aspect: moved[:, place] for aspect, place in places.items()}
    sd, share = sides.sd, sides.rows.mean(axis=0)[places["clusters"]]
    clusters = by_aspect["clusters"]
    chi2 = np.divide(clusters**2, share, out=np.zeros_like(clusters), where=share > 0)
    return {
        "clusters": chi2.sum(axis=1, keepdims=True),
        "distance": sides.ks_statistics(permuted, int(np.flatnonzero(places["distance"])[0])),
        "presence": np.abs(by_aspect["presence"]) / sd[places["presence"]],
    } | {aspect: by_aspect[aspect] / sd[places[aspect]] for aspect in ONE_SIDED}


def _summary(
    aspect: str, sides: Sides, place: Bools, names: list[str], pvalues: Float64s
) -> dict[str, Any]:
    """An aspect as compare returns it; pvalues: (1,), of tags (tags,)."""
    delivery, run = (_mean(side[:, place]) for side in sides.parts())
    change = delivery - run if aspect in ONE_SIDED else np.abs(delivery - run)
    moved = {
        "clusters": change.sum(keepdims=True) / 2,
        "distance": sides.ks_statistics(sides.actual, int(np.flatnonzero(place)[0]))[0],
    }.get(aspect, change)
    drifted = (pvalues <= LEVEL) & (moved >= LEAST_MOVED)
    order = np.lexsort((-change, np.broadcast_to(~drifted, change.shape)))[:MOST_SHOWN]
    return {
        "drifted": bool(drifted.any()),
        "pvalue": float(pvalues.min(initial=1.0)),
        "moved": float(moved.max(initial=0.0)),
        "largest": [
            {"name": names[i], "run": float(run[i]), "delivery": float(delivery[i])}
            | ({"pvalue": float(pvalues[i])} if len(pvalues) == len(names) else {})
            for i in order
            if change[i] > 0
        ],
    }


def _mean(rows: Float64s) -> Float64s:
    """The means of columns without NaN; 0 of a column that has nothing else."""
    known = np.isfinite(rows)
    total = np.where(known, rows, 0.0).sum(axis=0)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1))
