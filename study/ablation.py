"""What each choice of the distance and of the tags does to the clusters: one factor at a time.

Made in process from the tags of runs of the workflow: selection, encoding and distances anew for
each variant, and clusters by k-medoids at fixed numbers. Every figure is taken again in bootstraps
of patients, the same for all variants, so that a difference from the default is judged by the
spread of that difference, not by eye.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from study.data import CLONE, SEED, Data
from study.tables import markdown
from tagsight.clustering import k_medoids, silhouettes
from tagsight.evaluation import nulls
from tagsight.evaluation.centres import distances_to_centres, inner_products
from tagsight.gower import metric
from tagsight.interpretation import stability
from tagsight.interpretation.agreement import MODALITY_AND_BODY_PART
from tagsight.run.tables import person, scan
from tagsight.tags import encoding, fitting
from tagsight.tags.selection import selection
from tagsight.terms.body_parts import read_spellings

Array = NDArray[Any]
Labels = Mapping[str, pl.Series]

KS = (15, 50)
SHOWN_K = 15  # the article's; tables of single data sets are at this K
IMAGES = 2000
BOOTSTRAPS = 10
PERMUTATIONS = 9
CLEAR = 2.0  # standard deviations of a difference over bootstraps, from which it is clear
ALL = 10**6
DEFAULTS = yaml.safe_load((CLONE / "config/config.yaml").read_text())
BODY_PARTS = read_spellings(CLONE / "tagsight/data/body_parts.csv")
MEASURES = ("truth", "modality", "body_part", "stability", "silhouette", "explained", "beyond")
HEADS = {
    "truth": "AMI truth",
    "modality": "AMI modality",
    "body_part": "AMI body part",
    "stability": "stability",
    "silhouette": "silhouette",
    "explained": "explained",
    "beyond": "beyond modality",
}


@dataclass(frozen=True)
class Variant:
    """A change of the default config: of its sections `select` and `gower`."""

    factor: str
    setting: str
    select: dict[str, Any] = field(default_factory=dict)
    gower: dict[str, Any] = field(default_factory=dict)


DEFAULT = Variant("default", "")


@dataclass(frozen=True)
class Result:
    """A variant on one data set at one K: measure -> figure, and that in each bootstrap (b,)."""

    data: str
    variant: Variant
    k: int
    tags: int
    columns: int
    figures: dict[str, float]
    again: dict[str, Array]


def variants() -> list[Variant]:
    """Return the default, then each change of it."""
    changed = [Variant("presence weight", str(w), gower={"presence_weight": w}) for w in WEIGHTS]
    changed += [Variant("scale", s, gower={"scale": s}) for s in ("robust", "rank")]
    changed += [Variant("weights", "commensurable", gower={"weights": "commensurable"})]
    changed += [
        Variant(f"tags by {method}", said, select={"method": method, **limits})
        for method in ("missing", "entropy", "laplacian")
        for said, limits in COUNTS.items()
        if (method, said) != ("missing", "70")
    ]
    changed += [Variant("image-level tags", "kept", select={"image_level": True})]
    changed += [
        Variant("tags of a module", f"at most {n}", select={"per_module": n}) for n in (3, 6)
    ]
    return [DEFAULT, *changed]


WEIGHTS = (0, 0.25, 0.5)
COUNTS: dict[str, dict[str, Any]] = {
    **{str(count): {"count": count} for count in (20, 40, 70, 150)},
    "all": {"count": ALL, "max_missing": 1.0},
}


def results(data: Data, chosen: Sequence[Variant], bootstraps: int = BOOTSTRAPS) -> list[Result]:
    """Return each variant on one data set that has a run, at each K.

    A variant that keeps the same tags and has the same distance as one before has its figures.
    """
    assert data.run is not None
    archive = Archive(data)
    found: dict[tuple[Any, ...], list[Result]] = {}
    out = []
    for variant in chosen:
        kept, how = archive.kept(variant), {**DEFAULTS["gower"], **variant.gower}
        key = (*kept["keyword"], *how.values())
        if key not in found:
            found[key] = list(_measured(archive, variant, kept, how, bootstraps))
        out += [Result(**{**vars(each), "variant": variant}) for each in found[key]]
    return out


class Archive:
    """The tags of a run in memory, and at most IMAGES images of its tuning sample, by hash."""

    def __init__(self, data: Data) -> None:
        """Read a run's tags and frequencies."""
        assert data.run is not None
        shards = sorted((data.run / "results/tags").glob("*.parquet"))
        self.tags = scan(shards).drop("path").collect().lazy()
        self.frequencies = pl.read_parquet(data.run / "results/frequencies.parquet")
        self.data = data
        order = data.sample["image"].hash().arg_sort()
        self.rows = np.sort(order.head(IMAGES).to_numpy())
        drawn = data.sample[self.rows]
        tags = drawn.lazy().select("image").join(self.tags, on="image", maintain_order="left")
        self.drawn = tags.collect()
        self.labels = {name: label[self.rows] for name, label in data.labels().items()}
        self.people = drawn.select(person().rank("dense") - 1).to_series().to_numpy().astype(int)
        self.strata = drawn["modality"].fill_null("").rank("dense").to_numpy().astype(int)

    def kept(self, variant: Variant) -> pl.DataFrame:
        """Return the rows of `selection` that a variant keeps."""
        rules = {**DEFAULTS["select"], **variant.select}
        fates = selection(self.frequencies, self.tags, BODY_PARTS, **rules, seed=self.data.seed)
        return fates.filter(fate="kept")

    def encoded(
        self, kept: pl.DataFrame, how: Mapping[str, Any]
    ) -> tuple[pl.DataFrame, encoding.Encoding]:
        """Return the drawn images in the columns of the kept tags."""
        fitted = fitting.fit(
            self.tags,
            self.frequencies,
            kept,
            distance=how["distance"],
            presence_weight=how["presence_weight"],
            body_parts=BODY_PARTS,
            key=b"",
            scale=how["scale"],
            weights=how["weights"],
        )
        return fitting.apply(self.drawn, fitted, BODY_PARTS, b""), fitted


def _measured(
    archive: Archive,
    variant: Variant,
    kept: pl.DataFrame,
    how: Mapping[str, Any],
    bootstraps: int,
) -> Iterator[Result]:
    frame, fitted = archive.encoded(kept, how)
    distances = [
        metric.matrix(encoding.to_features(frame, columns), fitted.distance)
        for columns in (fitted, fitted.without(MODALITY_AND_BODY_PART))
    ]
    looks = _looks(archive)
    everyone = np.arange(len(frame))
    draws = [
        np.flatnonzero(times)
        for times in stability.bootstrap_counts(archive.people, bootstraps, archive.data.seed)
    ]
    whole = _clusters(distances, everyone)
    again = [_clusters(distances, rows) for rows in draws]
    for k in [k for k in KS if k in whole and all(k in found for found in again)]:
        figures = _figures(archive, whole[k], everyone, looks)
        parts = [
            _figures(archive, found[k], rows, looks)
            | {"stability": adjusted_rand_score(whole[k].labels[rows], found[k].labels)}
            for found, rows in zip(again, draws, strict=True)
        ]
        repeated = {name: np.array([part[name] for part in parts]) for name in parts[0]}
        figures["stability"] = float(repeated["stability"].mean())
        columns = len(fitted.columns)
        yield Result(archive.data.name, variant, k, len(kept), columns, figures, repeated)


@dataclass(frozen=True)
class _Clusters:
    """Labels with all tags and without those that tell the labels; silhouettes of the former."""

    labels: Array
    untold: Array
    silhouette: float


def _clusters(distances: Sequence[Array], rows: Array) -> dict[int, _Clusters]:
    some = [np.ascontiguousarray(each[np.ix_(rows, rows)]) for each in distances]
    grids = [{found.k: found.labels for found in k_medoids.grid(each, KS)} for each in some]
    ks = [k for k in KS if all(k in grid for grid in grids)]
    widths = silhouettes.widths(some[0], [grids[0][k] for k in ks])
    return {
        k: _Clusters(grids[0][k], grids[1][k], float(width.mean()))
        for k, width in zip(ks, widths, strict=True)
    }


def _figures(
    archive: Archive, found: _Clusters, rows: Array, looks: Array | None
) -> dict[str, float]:
    figures = {"silhouette": found.silhouette}
    for name in [name for name in MEASURES if name in archive.labels]:
        label = archive.labels[name][rows]
        there = label.is_not_null().to_numpy()
        figures[name] = adjusted_mutual_info_score(
            label.filter(there).to_list(), found.untold[there]
        )
    if looks is not None:
        figures |= _explained(archive, found.labels, rows, looks)
    return figures


def _looks(archive: Archive) -> Array | None:
    """Embeddings of the drawn images, float32 (n, d); NaN rows where there is no picture."""
    pictures = archive.data.embeddings
    return None if pictures is None else pictures[archive.rows]


def _explained(archive: Archive, labels: Array, rows: Array, looks: Array) -> dict[str, float]:
    """Share of the null's distance to the centre that is gone: 1 - distance / null distance.

    Each null deals the same clusters to other images: among all, and within a modality.
    """
    seen = ~np.isnan(looks[rows]).any(axis=1)
    products, people = inner_products(looks[rows][seen]), archive.people[rows][seen]
    labels, explained = labels[seen], {}
    strata = archive.strata[rows][seen]
    every = np.arange(len(labels))
    for name, within in (("explained", np.zeros_like(strata)), ("beyond", strata)):
        rng = np.random.default_rng([archive.data.seed, 7])
        sources = nulls.draws(every, within, PERMUTATIONS, rng)
        several = np.concatenate([labels[None], labels[sources]])
        own, *null = distances_to_centres(products, several, people).left_out.mean(axis=1)
        explained[name] = float(1 - own / np.mean(null))
    return explained


def section(data: Sequence[Data], bootstraps: int = BOOTSTRAPS) -> tuple[pl.DataFrame, str]:
    """Return the rows of the ablation on all data that have a run, and its text in markdown."""
    found = [
        result for each in data if each.run for result in results(each, variants(), bootstraps)
    ]
    rows = compared(found)
    parts = [HEAD.format(bootstraps=bootstraps, seed=SEED, ks=" and ".join(map(str, KS)))]
    parts += [_summary(rows), CLEARLY, "\n".join(_verdicts(rows))]
    for name in dict.fromkeys(result.data for result in found):
        parts += [f"### {name}, K = {SHOWN_K}", _of_one(rows.filter(data=name, k=SHOWN_K))]
    return rows, "\n\n".join(parts) + "\n"


HEAD = """## What the distance and the choice of tags do

One factor at a time is changed from the default (70 tags least often missing, presence weight 1,
range, equal weights, no image-level tags); clusters by k-medoids at K = {ks}, on at most 2,000
images of the tuning sample, seed {seed}. AMI: agreement with the planted truth, modality and body
part, of clusters made without the tags that tell these. Stability: adjusted Rand index with the
clusters of {bootstraps} bootstraps of patients. Explained: share of the visual distance to the
cluster's centre that is gone beside the same clusters dealt at random, beyond modality: dealt
within a modality (the demo alone has pictures here). Silhouettes are on each variant's own
distance: they say how apart its clusters are there, not which distance is better.

A cell is the difference from the default, as the mean over data sets and K; in brackets in how
many of them it is clearly better and clearly worse: by more than two standard deviations of that
difference over the bootstraps. Of 20 differences by chance alone, one looks clear. In the tables of
single data sets a figure is followed by its standard deviation over the bootstraps, bold where it
is clearly unlike the default's; settings that keep the same tags share a row. All figures:
[clustering-ablation.csv](clustering-ablation.csv)."""
CLEARLY = "What is clear, over all data sets and K, silhouettes aside:"


def compared(found: Sequence[Result]) -> pl.DataFrame:
    """Return a row a data set, variant, K and measure: figure, sd, difference and its sd.

    sd over bootstraps; difference from the default on the same data at the same K, and `clear`:
    1 or -1 where it is above CLEAR of its sd, else 0. A K that the default cannot have is left out.
    """
    base = {(each.data, each.k): each for each in found if each.variant == DEFAULT}
    rows = []
    for each in [each for each in found if (each.data, each.k) in base]:
        default = base[each.data, each.k]
        for measure in [name for name in MEASURES if name in each.figures]:
            difference = each.figures[measure] - default.figures[measure]
            spread = float((each.again[measure] - default.again[measure]).std(ddof=1))
            clear = int(np.sign(difference)) if abs(difference) > CLEAR * spread else 0
            figure = each.figures[measure], float(each.again[measure].std(ddof=1))
            what = each.variant.factor, each.variant.setting, each.tags, each.columns
            rows.append((each.data, *what, each.k, measure, *figure, difference, spread, clear))
    schema = dict.fromkeys(("data", "factor", "setting"), pl.String) | dict.fromkeys(
        ("tags", "columns", "k"), pl.Int64
    )
    schema |= {"measure": pl.String} | dict.fromkeys(
        ("figure", "sd", "difference", "difference_sd"), pl.Float64
    )
    return pl.DataFrame(rows, schema | {"clear": pl.Int64}, orient="row")


def _summary(rows: pl.DataFrame) -> str:
    """A row a variant, a column a measure: mean difference (clearly better, clearly worse)."""
    shown = [name for name in MEASURES if name in rows["measure"]]
    table = []
    changed = rows.filter(pl.col("factor") != DEFAULT.factor)
    for (factor, setting), part in changed.group_by("factor", "setting", maintain_order=True):
        cells = [_difference(part.filter(measure=name)) for name in shown]
        table.append([str(factor), str(setting), *cells])
    return _markdown(["factor", "setting", *(HEADS[name] for name in shown)], table)


def _difference(part: pl.DataFrame) -> str:
    if not len(part):
        return "–"
    better, worse = ((part["clear"] == sign).sum() for sign in (1, -1))
    said = f" (+{better} −{worse} of {len(part)})" if better or worse else ""
    return f"{part['difference'].mean():+.3f}{said}".replace("-", "−")


def _verdicts(rows: pl.DataFrame) -> list[str]:
    """Which variants are clearly better in something and worse in nothing, and the reverse."""
    better, worse = [], []
    changed = rows.filter(pl.col("factor") != DEFAULT.factor, pl.col("measure") != "silhouette")
    for (factor, setting), part in changed.group_by("factor", "setting", maintain_order=True):
        signs = {sign for sign in part["clear"].to_list() if sign}
        several = part.filter(pl.col("clear") != 0)["data"].n_unique() > 1
        if len(signs) == 1 and several:
            (better if signs == {1} else worse).append(f"{factor} {setting}")
    return [
        f"- Better in some and worse in none, on more than one data set: {_listed(better)}.",
        f"- Worse in some and better in none, on more than one data set: {_listed(worse)}.",
        "- All others are clearly better in one thing and worse in another, or differ on one data "
        "set at most.",
    ]


def _listed(names: Sequence[str]) -> str:
    return "; ".join(names) or "none"


def _of_one(rows: pl.DataFrame) -> str:
    """One data set at one K: figures with their sd; bold where clearly unlike the default's.

    Settings that keep the same tags stand in one row; where they keep the default's, in none.
    """
    shown = [name for name in MEASURES if name in rows["measure"]]
    by_figures: dict[tuple[str, ...], list[str]] = {}
    for what, part in rows.group_by("factor", "setting", "tags", "columns", maintain_order=True):
        factor, setting, *size = map(str, what)
        cells = [_figure(part.filter(measure=name).row(0, named=True)) for name in shown]
        by_figures.setdefault((factor, *size, str(SEED), *cells), []).append(setting)
    default = next(iter(by_figures))[1:]
    table = [
        [factor, ", ".join(settings), *cells]
        for (factor, *cells), settings in by_figures.items()
        if factor == DEFAULT.factor or tuple(cells) != default
    ]
    heads = ["factor", "setting", "tags", "columns", "seed", *(HEADS[name] for name in shown)]
    return _markdown(heads, table)


def _figure(row: Mapping[str, Any]) -> str:
    said = f"{row['figure']:.3f}".replace("-", "−")
    return (f"**{said}**" if row["clear"] else said) + f" ± {row['sd']:.3f}"


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return markdown(pl.DataFrame(rows, schema=dict.fromkeys(heads, pl.String), orient="row"))
