"""Ablation: what each choice of the distance and of the tags does to the clusters, one at a time.

Computed in one process from the tags of runs of the workflow: selection, encoding and distances for
each variant, and k-medoids at fixed K. Every figure is repeated in bootstraps of patients, the same
for all variants, so that a difference from the default can be compared with its own spread.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import yaml
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from study.data import CLONE, SEED, Data
from study.left_out import distance_to_others, permutations
from study.tables import markdown
from tagsight.arrays import Float32s, Float64s, Int64s, Integers
from tagsight.clustering import k_medoids, silhouettes
from tagsight.evaluation.centres import inner_products
from tagsight.gower import metric
from tagsight.interpretation import stability
from tagsight.interpretation.agreement import MODALITY_AND_BODY_PART
from tagsight.run.tables import person, scan
from tagsight.tags import encoding, fitting
from tagsight.tags.selection import selection
from tagsight.terms.body_parts import read_spellings

Labels = Mapping[str, pl.Series]

KS = (15, 50)
SHOWN_K = 15  # the article's, in tables of single data sets
IMAGES = 2000
BOOTSTRAPS = 10
PERMUTATIONS = 9
CLEAR = 2.0  # standard deviations over bootstraps above which a difference is clear
ALL = 10**6
DEFAULTS = yaml.safe_load((CLONE / "config/config.yaml").read_text(encoding="utf-8"))
DEFAULTS["gower"]["scale"] = "range"  # as in the runs of study/*.yaml, which are flat
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
    """A change of the sections `select` and `gower` of the default config."""

    factor: str
    setting: str
    select: dict[str, Any] = field(default_factory=dict)
    gower: dict[str, Any] = field(default_factory=dict)


DEFAULT = Variant("default", "")


@dataclass(frozen=True)
class Result:
    """A variant on one data set at one K: measure -> figure; measure -> its bootstraps (b,)."""

    data: str
    variant: Variant
    k: int
    tags: int
    columns: int
    figures: dict[str, float]
    bootstraps: dict[str, Float64s]


def variants() -> list[Variant]:
    """Return the default, then each change of it."""
    changed = [Variant("presence weight", str(w), gower={"presence_weight": w}) for w in WEIGHTS]
    changed += [Variant("scale", s, gower={"scale": s}) for s in ("robust", "rank")]
    changed += [Variant("weights", "commensurable", gower={"weights": "commensurable"})]
    changed += [
        Variant(f"tags by {method}", count, select={"method": method, **limits})
        for method in ("missing", "entropy", "laplacian")
        for count, limits in COUNTS.items()
        if (method, count) != ("missing", "70")
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


def results(data: Data, variants: Sequence[Variant], bootstraps: int = BOOTSTRAPS) -> list[Result]:
    """Return each variant on one data set that has a run, at each K.

    Variants with the same tags and the same distance are computed once.
    """
    assert data.run is not None
    archive = Archive(data)
    computed: dict[tuple[Any, ...], list[Result]] = {}
    out = []
    for variant in variants:
        tags, gower = archive.tags_of(variant), {**DEFAULTS["gower"], **variant.gower}
        key = (*tags["keyword"], *gower.values())
        if key not in computed:
            computed[key] = list(_measure(archive, variant, tags, gower, bootstraps))
        out += [Result(**{**vars(result), "variant": variant}) for result in computed[key]]
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
        sample = data.sample[self.rows]
        tags = sample.lazy().select("image").join(self.tags, on="image", maintain_order="left")
        self.sample_tags = tags.collect()
        self.labels = {name: label[self.rows] for name, label in data.labels().items()}
        self.patients = sample.select(person().rank("dense") - 1).to_series().to_numpy().astype(int)
        self.strata = sample["modality"].fill_null("").rank("dense").to_numpy().astype(int)

    def tags_of(self, variant: Variant) -> pl.DataFrame:
        """Return the rows of `selection` that a variant keeps."""
        rules = {**DEFAULTS["select"], **variant.select}
        fates = selection(self.frequencies, self.tags, BODY_PARTS, **rules, seed=self.data.seed)
        return fates.filter(fate="kept")

    def encoded(
        self, tags: pl.DataFrame, gower: Mapping[str, Any]
    ) -> tuple[pl.DataFrame, encoding.Encoding]:
        """Return the sample in the encoded columns of these tags, and the encoding."""
        fitted = fitting.fit(
            self.tags,
            self.frequencies,
            tags,
            distance=gower["distance"],
            presence_weight=gower["presence_weight"],
            body_parts=BODY_PARTS,
            key=b"",
            scale=gower["scale"],
            weights=gower["weights"],
        )
        return fitting.apply(self.sample_tags, fitted, BODY_PARTS, b""), fitted


def _measure(
    archive: Archive,
    variant: Variant,
    tags: pl.DataFrame,
    gower: Mapping[str, Any],
    bootstraps: int,
) -> Iterator[Result]:
    frame, fitted = archive.encoded(tags, gower)
    distances = [
        metric.matrix(encoding.to_features(frame, columns), fitted.distance)
        for columns in (fitted, fitted.without(MODALITY_AND_BODY_PART))
    ]
    looks = _looks(archive)
    all_rows = np.arange(len(frame))
    samples = [
        np.flatnonzero(times)
        for times in stability.bootstrap_counts(archive.patients, bootstraps, archive.data.seed)
    ]
    clusters = _cluster(distances, all_rows)
    replicates = [_cluster(distances, rows) for rows in samples]
    for k in [k for k in KS if k in clusters and all(k in each for each in replicates)]:
        figures = _figures(archive, clusters[k], all_rows, looks)
        parts = [
            _figures(archive, replicate[k], rows, looks)
            | {"stability": adjusted_rand_score(clusters[k].labels[rows], replicate[k].labels)}
            for replicate, rows in zip(replicates, samples, strict=True)
        ]
        repeated = {name: np.array([part[name] for part in parts]) for name in parts[0]}
        figures["stability"] = float(repeated["stability"].mean())
        columns = len(fitted.columns)
        yield Result(archive.data.name, variant, k, len(tags), columns, figures, repeated)


@dataclass(frozen=True)
class _Clusters:
    """Labels from all tags, and without the tags that state the outside labels; mean silhouette."""

    labels: Integers
    labels_without: Integers
    silhouette: float  # of `labels`


def _cluster(distances: Sequence[Float32s], rows: Int64s) -> dict[int, _Clusters]:
    matrices = [np.ascontiguousarray(each[np.ix_(rows, rows)]) for each in distances]
    grids = [{c.k: c.labels for c in k_medoids.grid(matrix, KS)} for matrix in matrices]
    ks = [k for k in KS if all(k in grid for grid in grids)]
    widths = silhouettes.widths(matrices[0], [grids[0][k] for k in ks])
    return {
        k: _Clusters(grids[0][k], grids[1][k], float(width.mean()))
        for k, width in zip(ks, widths, strict=True)
    }


def _figures(
    archive: Archive, clusters: _Clusters, rows: Int64s, looks: Float32s | None
) -> dict[str, float]:
    figures = {"silhouette": clusters.silhouette}
    for name in [name for name in MEASURES if name in archive.labels]:
        label = archive.labels[name][rows]
        known = label.is_not_null().to_numpy()
        figures[name] = adjusted_mutual_info_score(
            label.filter(known).to_list(), clusters.labels_without[known]
        )
    if looks is not None:
        figures |= _explained(archive, clusters.labels, rows, looks)
    return figures


def _looks(archive: Archive) -> Float32s | None:
    """Embeddings of the sample, float32 (n, d); NaN rows where there is no picture."""
    pictures = archive.data.embeddings
    return None if pictures is None else pictures[archive.rows]


def _explained(
    archive: Archive, labels: Integers, rows: Int64s, looks: Float32s
) -> dict[str, float]:
    """Explained share of the distance to the cluster's centre: 1 - distance / null distance.

    Each null permutes the clusters: among all images, and within a modality.
    """
    has_picture = ~np.isnan(looks[rows]).any(axis=1)
    labels, rows, explained = labels[has_picture], rows[has_picture], {}
    products, patients = inner_products(looks[rows]), archive.patients[rows]
    strata = archive.strata[rows]
    for name, within in (("explained", np.zeros_like(strata)), ("beyond", strata)):
        rng = np.random.default_rng([archive.data.seed, 7])
        sources = permutations(within, PERMUTATIONS, rng)
        distance, *null = [
            distance_to_others(products, each, patients) for each in (labels, *labels[sources])
        ]
        explained[name] = float(1 - distance / np.mean(null))
    return explained


def section(data: Sequence[Data], bootstraps: int = BOOTSTRAPS) -> tuple[pl.DataFrame, str]:
    """Return the rows of the ablation on all data that have a run, and its text in markdown."""
    computed = [
        result for each in data if each.run for result in results(each, variants(), bootstraps)
    ]
    rows = compared(computed)
    parts = [HEAD.format(bootstraps=bootstraps, seed=SEED, ks=" and ".join(map(str, KS)))]
    parts += [_summary(rows), CLEARLY, "\n".join(_verdicts(rows))]
    for name in dict.fromkeys(result.data for result in computed):
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


def compared(results: Sequence[Result]) -> pl.DataFrame:
    """Return one row per data set, variant, K and measure.

    Returns `figure` and `sd` (over bootstraps), `difference` from the default on the same data at
    the same K and `difference_sd`, and `clear`: 1 or -1 where the difference is above CLEAR of its
    sd, else 0. A K without a clustering of the default is left out.
    """
    defaults = {(each.data, each.k): each for each in results if each.variant == DEFAULT}
    rows = []
    for each in [each for each in results if (each.data, each.k) in defaults]:
        default = defaults[each.data, each.k]
        for measure in [name for name in MEASURES if name in each.figures]:
            difference = each.figures[measure] - default.figures[measure]
            spread = float((each.bootstraps[measure] - default.bootstraps[measure]).std(ddof=1))
            clear = int(np.sign(difference)) if abs(difference) > CLEAR * spread else 0
            figure = each.figures[measure], float(each.bootstraps[measure].std(ddof=1))
            setting = each.variant.factor, each.variant.setting, each.tags, each.columns
            rows.append((each.data, *setting, each.k, measure, *figure, difference, spread, clear))
    schema = dict.fromkeys(("data", "factor", "setting"), pl.String) | dict.fromkeys(
        ("tags", "columns", "k"), pl.Int64
    )
    schema |= {"measure": pl.String} | dict.fromkeys(
        ("figure", "sd", "difference", "difference_sd"), pl.Float64
    )
    return pl.DataFrame(rows, schema | {"clear": pl.Int64}, orient="row")


def _summary(rows: pl.DataFrame) -> str:
    """Mean difference (times clearly better and worse) by variant and measure."""
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
    counts = f" (+{better} −{worse} of {len(part)})" if better or worse else ""
    return f"{part['difference'].mean():+.3f}{counts}".replace("-", "−")


def _verdicts(rows: pl.DataFrame) -> list[str]:
    """Variants that are clearly better in something and worse in nothing, and the reverse."""
    better, worse = [], []
    changed = rows.filter(pl.col("factor") != DEFAULT.factor, pl.col("measure") != "silhouette")
    for (factor, setting), part in changed.group_by("factor", "setting", maintain_order=True):
        signs = {sign for sign in part["clear"].to_list() if sign}
        on_several = part.filter(pl.col("clear") != 0)["data"].n_unique() > 1
        if len(signs) == 1 and on_several:
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
    """Figures with their sd on one data set at one K; bold where clearly unlike the default's.

    Settings with the same figures share a row; those with the default's have none.
    """
    shown = [name for name in MEASURES if name in rows["measure"]]
    by_figures: dict[tuple[str, ...], list[str]] = {}
    keys = ["factor", "setting", "tags", "columns"]
    for key, part in rows.group_by(keys, maintain_order=True):
        factor, setting, *size = map(str, key)
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
    text = f"{row['figure']:.3f}".replace("-", "−")
    return (f"**{text}**" if row["clear"] else text) + f" ± {row['sd']:.3f}"


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return markdown(pl.DataFrame(rows, schema=dict.fromkeys(heads, pl.String), orient="row"))
