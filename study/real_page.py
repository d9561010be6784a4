"""The page of labels on real images, from its table of scores alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from study.archives import Archive
from study.tables import markdown
from tagsight.tags.encoding import PRESENCE, Column
from tagsight.tree.encodings import REGION, WORD, Tree

SCORES = {
    "pca": "looks (PCA)",
    "hog": "looks (HOG)",
    "technique": "technique",
    "view": "view",
    "region": "region",
    "part": "stated body part",
    "maker": "maker",
    "technique_here": "technique, in a collection",
    "view_here": "view, in a collection",
}
COLLECTION = "collection"
NOT_TOLD = (
    "\nSo these images neither confirm nor refute that the tree is better: too few patients have "
    "images of one modality, one of them many of its series, and a collection is often one maker "
    "and one subject."
)
AS_MANY, ALONE = "flat, as many", "modality × collection"
JUDGED = ("pca", "hog", "technique", "view", "region", "technique_here", "view_here")
SCHEMA = {
    "archive": pl.String,
    "split": pl.Int64,
    "design": pl.String,
    "against": pl.String,  # labels that this tree has as many labels as; null = of its own number
    "labels": pl.Int64,  # that fitted images have
    "met": pl.Float64,  # share of scored images whose label another person's image has
    **dict.fromkeys(SCORES, pl.Float64),
}
HEAD = """# Labels on real images

Written by `make study-real`, sentences too. All figures: [labels-real.csv](labels-real.csv).

Labels are made of a random half of the patients and given to the images of the other half, each \
by its nearest medoid; all scores are of those. The encodings of tags are of all headers, as in a \
run. `tree` is the default of config/config.yaml, without the merging of leaves; `flat` is the \
flat run (`labels.tree: false`, numbers by range). Modality × maker and modality × body part are \
tags as they are: while they have more labels than the tree, the rarest goes to the rest of its \
modality. \
Where they have fewer, a tree of as many is beside them; the flat run's default K on files is \
below the number of modalities, so that the whole tree is.

Looks: by how much nearer, of 1, an image is to other patients' images of its label than of its \
modality (pair statistic), on 40 principal components of pictures of 64 × 64 and on histograms of \
oriented gradients. Technique, view, region: AMI inside modality with the words that a series' \
descriptions have for them. **The labels did not read descriptions**, but where a name says so."""


def files(archive: Archive) -> str:
    """Return what the pooled files are."""
    truth = archive.truth
    rows = (
        truth.group_by("kind")
        .agg(
            pl.len().alias("series"),
            pl.col("person").n_unique().alias("patients"),
            pl.col("person").value_counts().struct.field("count").max().alias("of one patient"),
            pl.col("maker").drop_nulls().n_unique().alias("makers"),
            *(pl.col(c).count().alias(f"with {t}") for c, t in _KNOWN.items()),
        )
        .sort("series", descending=True)
    )
    return (
        f"{', '.join(truth['site'].unique().sort())}: one image of each series that can be drawn, "
        f"equal pictures once: {len(truth)} series of {truth['person'].n_unique()} patients.\n\n"
        f"{markdown(rows)}"
    )


MOST_KINDS = 8
IDC = (
    "Series of the Imaging Data Commons by the tags of its index, without pictures. Each draw is "
    "of patients of its own. A collection has its own ways to describe and to image, so labels "
    "that know the collection, by maker and model, seem to know technique (see modality × "
    "collection). Therefore words are compared inside each collection and modality too (`in a "
    "collection`); this comparison was added after the one inside modality had been seen."
    "\n\n"
)
_KNOWN = {
    "part": "body part",
    "technique": "words of technique",
    "view": "of view",
    "region": "of region",
}


def weights(tree: Tree) -> str:
    """Return what the distances of a tree are made of, in its largest kinds."""
    rows = []
    for kind in tree.pictures[:MOST_KINDS]:
        columns = tree.of(kind).columns
        total = sum(c.weight for c in columns) or 1.0
        shares = dict.fromkeys(("region", "region: any", "facets", "tags"), 0.0)
        for column in columns:
            shares[_group(column)] += column.weight / total
        tags = {c.keyword for c in columns if _group(c) == "tags"}
        rounded = {name: round(share, 2) for name, share in shares.items()}
        images = tree.branches[kind].images
        rows.append({"kind": kind, "images": images, **rounded, "number of tags": len(tags)})
    return (
        "What the tree's distance is made of, by share of the weight (`region: any` is whether "
        f"there is one), descriptions withheld:\n\n{markdown(pl.DataFrame(rows))}"
    )


def ceilings(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return how much of looks is explained by what is known, from `real_labels.known`."""
    lines: dict[str, dict[str, str]] = {}
    for row in rows:
        name = COLLECTION if row["known"] == "site" else SCORES[row["known"]]
        line = lines.setdefault(name, {"known": name})
        line[SCORES[row["eye"]]] = _interval(row["explained"], row["ci95"])
    return (
        "What can be explained at all: the share of looks, inside modality, of what is known of "
        "all images together, with its 95 % interval by leaving out one patient at a time (what "
        f"is not known explains nothing):\n\n{markdown(pl.DataFrame(list(lines.values())))}"
    )


def _interval(value: float | None, ends: tuple[float, float] | None) -> str:
    if value is None or ends is None:
        return "–"
    return f"{value:.3f} ({ends[0]:.3f} to {ends[1]:.3f})"


def _group(column: Column) -> str:
    if column.keyword == REGION:
        return "region: any" if column.parser == PRESENCE else "region"
    return "facets" if column.name.startswith(f"{WORD}.") else "tags"


def write(folder: Path, table: pl.DataFrame, about: Mapping[str, str]) -> None:
    """Write the page and the table of scores; about: archive -> what it is."""
    folder.mkdir(parents=True, exist_ok=True)
    table.write_csv(folder / "labels-real.csv", float_precision=4)
    parts = [HEAD]
    for (name,), rows in table.group_by("archive", maintain_order=True):
        intro = IDC if str(name) == "IDC" else ""
        parts.append(f"## {name}\n\n{intro}{about[str(name)]}\n\n{_section(str(name), rows)}")
    (folder / "labels-real.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def paired(rows: pl.DataFrame, ours: str, other: str, score: str) -> tuple[float, float]:
    """Return how much better a tree is than other labels of as many, and the standard error.

    Halves of one archive share patients, so their scores vary less than those of new patients: the
    variance of splits counts 1 + 1 / splits times. Draws of patients of their own are independent.
    Source: Nadeau & Bengio (2003), Mach. Learn. 52:239.
    """
    of_tree = rows.filter(pl.col("design") == ours, pl.col("against") == other)
    of_other = rows.filter(pl.col("design") == other, pl.col("against").is_null())
    both = of_tree.select("split", a=score).join(of_other.select("split", b=score), on="split")
    gains = (both["a"] - both["b"]).drop_nulls().to_numpy()
    if len(gains) < 2:
        return float("nan"), float("nan")
    shared = 0.0 if str(rows["archive"][0]).startswith("IDC") else 1.0
    return float(gains.mean()), float(np.sqrt(gains.var(ddof=1) * (1 / len(gains) + shared)))


def _section(name: str, rows: pl.DataFrame) -> str:
    scores = [score for score in SCORES if rows[score].count()]
    own = rows.filter(pl.col("against").is_null())
    means = own.group_by("design", maintain_order=True).agg(
        pl.col("labels").mean().round(1),
        *([pl.col("met").mean().round(2).alias("met")] if rows["met"].count() else []),
        *(_mean(score) for score in scores),
    )
    return (
        f"### {name}: scores\n\nMeans of {own['split'].n_unique()} splits ± their standard "
        f"deviation.{MET if rows['met'].count() else ''}\n\n{markdown(means)}\n\n"
        f"### {name}: the tree against others of as many labels\n\nDifferences ± standard error; "
        "in bold where the tree is better by more than twice that, in italics where it is "
        f"worse.\n\n{markdown(_differences(rows, scores))}\n\n{_verdict(rows, scores)}"
    )


MET = " `met`: share of scored images whose label an image of another patient has too."


def _mean(score: str) -> pl.Expr:
    mean, sd = pl.col(score).mean(), pl.col(score).std()
    text = pl.format("{} ± {}", _digits(mean), _digits(sd))
    return pl.when(mean.is_not_null()).then(text).otherwise(pl.lit("–")).alias(SCORES[score])


def _digits(value: pl.Expr) -> pl.Expr:
    return value.map_elements(lambda x: f"{x:.3f}", return_dtype=pl.String)


def _pairs(rows: pl.DataFrame) -> list[tuple[str, str]]:
    named = rows.drop_nulls("against").unique(["design", "against"], maintain_order=True)
    return sorted(named.select("design", "against").iter_rows())


def _differences(rows: pl.DataFrame, scores: Sequence[str]) -> pl.DataFrame:
    lines = []
    for ours, other in _pairs(rows):
        of_pair = rows.filter(pl.col("design") == ours, pl.col("against") == other)
        line: dict[str, object] = {"tree": ours, "against": other}
        line["labels"] = round(float(of_pair["labels"].mean()), 1)  # type: ignore[arg-type]
        lines.append(line | {SCORES[s]: _gain(*paired(rows, ours, other, s)) for s in scores})
    return pl.DataFrame(lines)


def _gain(mean: float, error: float) -> str:
    if np.isnan(mean):
        return "–"
    text = f"{mean:+.3f} ± {error:.3f}"
    return f"**{text}**" if mean > 2 * error else f"*{text}*" if mean < -2 * error else text


def _verdict(rows: pl.DataFrame, scores: Sequence[str]) -> str:
    """In words: where the default tree is better, where worse, and what these data can show."""
    judged = [s for s in scores if s in JUDGED]
    sentences, told = [_resolution(rows, judged)], 0
    for ours, other in _pairs(rows):
        if ours != "tree":
            continue
        gains = {s: paired(rows, ours, other, s) for s in judged}
        better = [SCORES[s] for s, (mean, error) in gains.items() if mean > 2 * error]
        worse = [SCORES[s] for s, (mean, error) in gains.items() if mean < -2 * error]
        open_ = [SCORES[s] for s, (mean, error) in gains.items() if abs(mean) <= 2 * error]
        parts = [
            f"{text} {'; '.join(found)}"
            for text, found in (("better:", better), ("worse:", worse), ("not told apart:", open_))
            if found
        ]
        told += len(better) + len(worse)
        sentences.append(f"- Against {other} – {'. '.join(parts)}.")
    none = [] if told else [NOT_TOLD]
    return "\n".join([*sentences, *none, *_tried(rows, judged), *_collections(rows)])


def _tried(rows: pl.DataFrame, judged: Sequence[str]) -> list[str]:
    """In words: how the other trees that were tried stand against the same rivals."""
    lines = []
    for tree in sorted({ours for ours, _ in _pairs(rows)} - {"tree"}):
        gains = [
            paired(rows, tree, other, score)
            for ours, other in _pairs(rows)
            for score in judged
            if ours == tree
        ]
        told = [(mean, error) for mean, error in gains if not np.isnan(mean)]
        better = sum(mean > 2 * error for mean, error in told)
        worse = sum(mean < -2 * error for mean, error in told)
        lines.append(f"- {tree}: better in {better}, worse in {worse} of {len(told)} comparisons.")
    return (
        ["\nTried besides, against the same rivals and by the same scores:\n", *lines]
        if lines
        else []
    )


def _collections(rows: pl.DataFrame) -> list[str]:
    """In words: whether the collection alone says more of technique than labels do."""
    own = rows.filter(pl.col("against").is_null()).group_by("design").agg(pl.col(*SCORES).mean())
    means = {design: own.filter(design=design) for design in ("tree", AS_MANY, ALONE)}
    if not all(len(mean) for mean in means.values()):
        return []
    said = {name: _figure(mean["technique"][0]) for name, mean in means.items()}
    here = {name: _figure(mean["technique_here"][0]) for name, mean in means.items()}
    if max(means, key=lambda name: means[name]["technique"][0] or 0.0) != ALONE:
        return []
    return [
        f"\nNothing says more of words of technique than the collection alone ({said[ALONE]}; tree "
        f"{said['tree']}, {AS_MANY} {said[AS_MANY]}), perhaps since it has few protocols. Of "
        f"what is left inside collections the tree says {here['tree']}, {AS_MANY} {here[AS_MANY]}."
    ]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _resolution(rows: pl.DataFrame, scores: Sequence[str]) -> str:
    """What difference such data show: twice the largest standard error of the default tree."""
    others = [other for ours, other in _pairs(rows) if ours == "tree"]
    seen = {s: max(2 * paired(rows, "tree", other, s)[1] for other in others) for s in scores}
    texts = [f"{SCORES[s]} {reach:.2f}" for s, reach in seen.items() if not np.isnan(reach)]
    return f"A difference can be told from chance from about these on: {', '.join(texts)}.\n"
