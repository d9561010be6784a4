"""Comparison of clusterings and distances: docs/clustering.md, its table and its figures.

    python -m study.clustering [--quick] [--folder docs]

All figures and all sentences of the page are made here, from data with a fixed seed.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from study import ablation, algorithms, data, drawings, methods, verdict
from study.data import Data
from study.tables import markdown

QUICK_KS = (5, verdict.SHOWN_K)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all algorithms on all data sets, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="planted groups alone, for tests")
    parser.add_argument("--folder", type=Path, default=data.CLONE / "docs")
    options = parser.parse_args(arguments)
    data_sets, missing = data.data_sets(options.quick)
    if options.quick:
        table = algorithms.measured(data_sets, QUICK_KS, workers=1)
    else:
        table = algorithms.measured(data_sets)
    write(options.folder, data_sets, missing, table)


def write(
    folder: Path, data_sets: Sequence[Data], missing: Sequence[str], table: pl.DataFrame
) -> None:
    """Write the page, its figures and the table."""
    (folder / "clustering-agreement.svg").write_text(drawings.agreement(table), encoding="utf-8")
    (folder / "clustering-sizes.svg").write_text(drawings.sizes(table), encoding="utf-8")
    table.write_csv(folder / "clustering.csv", float_precision=4)
    variants = [_ablation(folder, data_sets)] if any(each.run for each in data_sets) else []
    parts = [
        HEAD,
        _data_sets(data_sets, missing),
        methods.section(),
        _ranks(table),
        *(_one(each.name, table) for each in data_sets),
        _missingness(table),
        *variants,
        f"## What to take\n\n{verdict.recommendation(table)}",
    ]
    (folder / "clustering.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


HEAD = """# Which clustering?

Written by `make study-clustering`, sentences too. All figures by algorithm, data set, presence
weight and K: [clustering.csv](clustering.csv).

Its verdict is on flat runs (`labels.tree: false`), which cluster all images together: labels are
compared by `make study-labels`.

![Agreement with what is known](clustering-agreement.svg)"""


def _ablation(folder: Path, data_sets: Sequence[Data]) -> str:
    """Text of the ablation; its table is written beside the page."""
    rows, text = ablation.section(data_sets)
    rows.write_csv(folder / "clustering-ablation.csv", float_precision=4)
    return text.rstrip()


def _data_sets(data_sets: Sequence[Data], missing: Sequence[str]) -> str:
    rows = [
        {
            "data": each.name,
            "what": ABOUT[each.name],
            "images": len(each.sample),
            "columns": len(each.encoding.columns),
            "compared with": ", ".join(each.labels()),
            "seed": each.seed,
        }
        for each in data_sets
    ]
    left_out = "".join(f"\n\n{line}." for line in missing)
    return f"## The data\n\n{markdown(pl.DataFrame(rows))}{left_out}"


ABOUT = {
    "planted": "15 groups in 5 modalities; a modality lacks whole modules of tags",
    "control": "the same values, as many of them missing, but at random",
    "demo": "the demo archive; its truth: modality, body part and contrast as planted",
    "IDC": "series of the Imaging Data Commons by the tags of its index",
    "DICOM": "real files of many makers, several of a series",
}


def _ranks(table: pl.DataFrame) -> str:
    ranked = verdict.ranks(table).select(
        "algorithm",
        pl.col("overall", "agreement", "stability", "silhouette").round(2),
        pl.col("ami").round(3).alias("mean AMI"),
        pl.col("largest").round(2).alias("largest cluster"),
        pl.col("off").round(2).alias("off K"),
        pl.col("moved").round(2),
        pl.col("seconds").round(1).alias("seconds at most"),
    )
    return (
        "## Ranks\n\nMean ranks over all data sets but the control, 1 is best. Agreement: AMI of "
        "the annotations, which are what a user gets (each image in the cluster of its nearest "
        "medoid), with the planted truth, else with modality and body part, on distances without "
        "the tags that state them, the mean over K. Stability: adjusted Rand index with the "
        f"clusters found in {algorithms.BOOTSTRAPS} bootstraps of patients; few large clusters "
        "have it easier. Silhouette: on the distances clustered. Overall: the mean of agreement "
        f"and stability. At K = {verdict.SHOWN_K}, on the worst data set each: the largest "
        "cluster's share of the images; off K, how far the number of clusters is from what was "
        "asked for; moved, the share of images annotated otherwise than they were clustered. "
        "Seconds: on one core, for the whole grid of K, on the slowest data set, the distances "
        "not counted.\n\n"
        f"{markdown(ranked)}\n\n"
        "![How large the largest cluster is](clustering-sizes.svg)"
    )


def _one(name: str, table: pl.DataFrame) -> str:
    """Section of a data set at the article's K, algorithms in order of their ranks."""
    order = pl.Enum(verdict.ranks(table)["algorithm"])
    rows = table.filter(data=name, presence=1.0, asked=verdict.SHOWN_K)
    without_tags = rows.filter(~pl.col("told")).select(
        "algorithm",
        pl.selectors.starts_with("ami_"),
        annotated=pl.coalesce("placed_truth", pl.mean_horizontal(*verdict.COUNTED)),
    )
    shown = (
        rows.filter("told")
        .join(without_tags, on="algorithm", suffix=" untold")
        .sort(pl.col("algorithm").cast(order))
        .select(
            "algorithm",
            pl.col("k").alias("K"),
            *(
                _both(f"ami_{label}").alias(f"AMI {label.replace('_', ' ')}")
                for label in algorithms.LABELS
            ),
            pl.col("annotated").round(3),
            pl.col("stability", "silhouette").round(3),
            pl.col("largest").round(2).alias("largest cluster"),
            pl.col("none").round(2).alias("in none"),
            pl.col("seconds").round(1),
        )
    )
    columns = [column for column in shown.columns if shown[column].null_count() < len(shown)]
    return (
        f"## {name} at K = {verdict.SHOWN_K}\n\nAMI with all tags / without those that state the "
        "label; annotated: AMI of the annotations with the truth, else the mean with modality and "
        f"body part, without those tags.\n\n{markdown(shown.select(columns))}"
    )


def _both(column: str) -> pl.Expr:
    """Two figures in one cell, one where they are the same."""
    with_tags, without_tags = (
        pl.col(name).map_elements("{:.3f}".format, pl.String)
        for name in (column, f"{column} untold")
    )
    both = pl.format("{} / {}", with_tags, without_tags)
    return pl.when(with_tags == without_tags).then(with_tags).otherwise(both)


def _missingness(table: pl.DataFrame) -> str:
    by_data = verdict.gains(table).group_by("data", maintain_order=True)
    rows = by_data.agg(
        pl.col("without", "with", "gain").mean().round(3),
        worst=pl.col("gain").min().round(3),
        best=pl.col("gain").max().round(3),
    ).rename({"without": "AMI, weight 0", "with": "AMI, weight 1"})
    return (
        "## Does it matter which tags are missing?\n\n"
        "Neutral benchmarks of mixed data (Preud'homme et al. 2021, Costa et al. 2023) rank "
        "Gower's distance with k-medoids low, but none has whole modules missing as DICOM has. "
        "Mean AMI over all algorithms and K, by weight of the presence columns "
        "(`gower.presence_weight`), and the gain of the algorithms that gain least and most.\n\n"
        f"{markdown(rows)}\n\n"
        f"{verdict.missingness(table)}"
    )


if __name__ == "__main__":
    main()
