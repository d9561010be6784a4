"""The page of the study of labels, from its table of scores alone."""

import itertools
import re
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

from study.label_designs import STEPS, Design
from study.label_drawings import figure
from study.tables import markdown

SCHEMA = {
    "seed": pl.Int64,
    "choosing": pl.Boolean,  # of the half that choices are made on
    "machines": pl.Int64,  # of each modality; null = all
    "at_home": pl.Float64,
    "own_machine": pl.Float64,
    "filled": pl.Float64,  # null = as each machine does
    "wrong": pl.Float64,
    "patients": pl.Int64,
    "planted": pl.Int64,  # groups; as many labels were asked for
    "images": pl.Int64,
    "design": pl.String,
    "roles": pl.Boolean,  # null of labels that are no clusters
    "nested": pl.Boolean,
    "region": pl.Boolean,
    "facets": pl.Boolean,
    "scale": pl.String,
    "region_share": pl.Float64,
    "facets_share": pl.Float64,
    "algorithm": pl.String,
    "described": pl.Boolean,
    "weights": pl.String,
    "content": pl.Float64,  # AMI inside modality
    "part": pl.Float64,
    "machine": pl.Float64,
    "explained": pl.Float64,
    "labels": pl.Int64,  # that the images of other patients have
}
EVERY = tuple(itertools.product((False, True), repeat=len(STEPS)))
NONE, ALL_STEPS = Design(*EVERY[0]).name, Design(*EVERY[-1]).name
HABITS = (
    ("machines", "machines of each modality", "all"),
    ("own_machine", "share of exams on a machine that is the patient's own", ""),
    ("filled", "share of series with a body part", "as each machine does"),
    ("wrong", "share of these that are wrong", ""),
)
HABIT_NAMES = tuple(name for name, _, _ in HABITS)
SCORES = ("content", "part", "machine", "explained")
HEAD = """# Which labels?

Written by `make study-labels`, sentences too. All figures by archive and design:
[labels.csv](labels.csv).

![Agreement of labels with content and with machines](labels.svg)

## What is compared

Drawn archives whose hospitals have different habits: {habits}. Each combination is drawn twice: \
the first half of the archives is for choices, and **all figures below are of the other half**: \
{archives} archives of {patients} patients, {images} images on average. Labels are made of every \
second patient's images, as many as groups were planted there; scores are of the other patients' \
images. AMI is inside modality, the mean weighted by images. `explained` is the pair statistic \
inside modality on 40 principal components of pictures at 32 × 32: by how much nearer, in looks, \
an image is to other patients' images of its label than of its modality. Archives are drawn by \
this project, and the designs were made by people who know how; what holds on real pictures is \
not said here."""


def write(folder: Path, table: pl.DataFrame) -> None:
    """Write the page, its figure and the table of scores."""
    folder.mkdir(parents=True, exist_ok=True)
    published = table.filter(~pl.col("choosing"))
    table.write_csv(folder / "labels.csv", float_precision=4)
    (folder / "labels.svg").write_text(figure(means(published)), encoding="utf-8")
    parts = [
        _head(published),
        _designs(published),
        _steps(published),
        _habits(published),
        _choice(table),
    ]
    (folder / "labels.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def means(table: pl.DataFrame) -> pl.DataFrame:
    """Return the mean scores of each design, over archives, with standard errors."""
    errors = [(pl.col(c).std() / pl.len().sqrt()).alias(f"{c}_error") for c in SCORES]
    factors = [pl.col(step).first() for step in (*STEPS, "scale", "algorithm")]
    by_design = table.group_by("design", maintain_order=True)
    return by_design.agg(*factors, pl.col(*SCORES, "labels").mean(), *errors)


def paired(table: pl.DataFrame, ours: pl.Expr, others: pl.Expr, score: str) -> tuple[float, float]:
    """Return by how much designs are better than others on the same archives, and the 95 % reach.

    ours, others: rows that are compared; of several on an archive the mean counts.
    """
    sides = [
        table.filter(side).group_by("seed").agg(pl.col(score).mean().alias(name))
        for name, side in (("ours", ours), ("others", others))
    ]
    both = sides[0].join(sides[1], on="seed").drop_nulls()
    gains = (both["ours"] - both["others"]).to_numpy()
    if len(gains) < 2:
        return float("nan"), float("nan")
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    return float(gains.mean()), float(stats.t.ppf(0.975, len(gains) - 1) * error)


def chosen(table: pl.DataFrame) -> str:
    """Return the design that explains most of looks on the half of archives for choices."""
    clustered = table.filter(pl.col("choosing") & pl.col("roles").is_not_null())
    return str(means(clustered).sort("explained", "content", descending=True)["design"][0])


def _head(published: pl.DataFrame) -> str:
    one = published.unique("seed")
    habits = "; ".join(
        f"{text} {', '.join(_level(value, null) for value in _levels(one, column))}"
        for column, text, null in HABITS
    )
    return HEAD.format(
        habits=habits,
        archives=len(one),
        patients=int(one["patients"][0]),
        images=round(float(one["images"].mean())),  # type: ignore[arg-type]
    )


def _levels(table: pl.DataFrame, column: str) -> list[float | int | None]:
    return table[column].unique().sort(nulls_last=True).to_list()


def _level(value: float | int | None, null: str) -> str:
    return null if value is None else f"{value:g}"


def _designs(published: pl.DataFrame) -> str:
    table = means(published).sort("explained", descending=True)
    shown = table.select(
        "design",
        pl.col("content").round(3).alias("AMI content"),
        pl.col("part").round(3).alias("AMI part"),
        pl.col("machine").round(3).alias("AMI machine"),
        pl.col("explained").round(3),
        (1.96 * pl.col("explained_error")).round(3).alias("± 95 %"),
        pl.col("labels").round(1),
    )
    return (
        "## All designs\n\nSteps of the tree in the name of a design are taken, others are not: "
        "`roles`, tags of content alone; `nested`, inside each kind; `region`, one column for the "
        "region; `facets`, words for technique. Where a name says nothing else, numbers are "
        f"compared by rank, images by k-medoids (`fasterpam`), region and facets have {_shares()} "
        "of the weight, tags share the rest, and descriptions are read. With `weights looks` they "
        "are learned from pictures of fitted patients, by the eye that judges.\n\n"
        f"{markdown(shown)}"
    )


def _steps(published: pl.DataFrame) -> str:
    cells = published.filter(pl.col("design").is_in([Design(*steps).name for steps in EVERY]))
    ends = published.filter(
        pl.col("design").str.contains(f"^({re.escape(ALL_STEPS)}|none)($|, scale)")
    )
    by_scale = pl.col("scale") == "rank", pl.col("scale") == "range"
    sides = [(step, cells, pl.col(step), ~pl.col(step)) for step in STEPS]
    sides.append(("numbers by rank, not by range", ends, *by_scale))
    scores = ("content", "machine", "explained")
    rows = [
        {"step": name, **{score: _gain(*paired(rows, ours, others, score)) for score in scores}}
        for name, rows, ours, others in sides
    ]
    return (
        "## What each step does\n\nThe mean change by a step over all combinations of the other "
        "steps (of the scale: with all steps and with none), as pairs on one archive, with its "
        "95 % interval.\n\n"
        f"{markdown(pl.DataFrame(rows))}"
    )


def _gain(mean: float, reach: float) -> str:
    return "–" if np.isnan(mean) else f"{mean:+.3f} ± {reach:.3f}"


def _habits(published: pl.DataFrame) -> str:
    ends = {"none": NONE, "all": ALL_STEPS}
    rows = []
    for column, text, null in HABITS:
        for value in _levels(published, column):
            of_level = published.filter(pl.col(column).eq_missing(value))
            row: dict[str, object] = {"habit": f"{text}: {_level(value, null)}"}
            for name, design in ends.items():
                scores = of_level.filter(design=design)
                row |= {
                    f"{score}, {name}": round(float(scores[score].mean()), 3)  # type: ignore[arg-type]
                    for score in ("content", "machine", "explained")
                }
            rows.append(row)
    return (
        "## On which archives\n\nMeans by habit, for no step of the tree and for all four.\n\n"
        f"{markdown(pl.DataFrame(rows))}"
    )


def _choice(table: pl.DataFrame) -> str:
    best, published = chosen(table), table.filter(~pl.col("choosing"))
    is_default, is_flat = pl.col("design") == ALL_STEPS, pl.col("design") == NONE
    gains = {
        score: _gain(*paired(published, is_default, is_flat, score))
        for score in ("explained", "content", "machine")
    }
    text = (
        "## What to take\n\nAll four steps of the tree against none of them: explained "
        f"{gains['explained']}, AMI with content {gains['content']}, with machines "
        f"{gains['machine']}. "
    )
    if best == ALL_STEPS:
        return f"{text}No design explains more on the archives for choices: all four are taken."
    mean, reach = paired(published, pl.col("design") == best, is_default, "explained")
    text += (
        f"On the archives for choices `{best}` explains most; on the others {_gain(mean, reach)} "
    )
    if mean > reach:
        return text + "more than the default, which should follow it."
    return text + "more than the default, which is no difference that these archives show."


def _shares() -> str:
    return " and ".join(f"{share:g}".lstrip("0") for share in Design().shares)
