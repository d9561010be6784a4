"""Scores of a finished run on the demo against what was planted in it.

    python -m study.demo_scores RUN [RUN …]

A line for each figure: how much the labels explain of looks inside a modality (the pair statistic,
on the images of all trials), how they agree with the planted parts and with the makers of machines,
and what share of the trial images with a label are what its name says.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path

import numpy as np
import polars as pl

from tagsight.arrays import Float32s, Int64s
from tagsight.evaluation.pair_statistic import pair_statistic
from tagsight.interpretation.agreement import inside
from tagsight.run.package_data import rows_of
from tagsight.terms.name_words import Words

ARCHIVE = "results/demo/archive/"
# What a word of a name says of the truth: column of the truth → values that it holds for.
TECHNIQUE: Mapping[str, tuple[str, frozenset[str]]] = {
    "T1": ("contrast", frozenset(["T1", "T1CE"])),
    "T2": ("contrast", frozenset(["T2"])),
    "FLAIR": ("contrast", frozenset(["FLAIR"])),
    "PD": ("contrast", frozenset(["PDFS"])),
    "FS": ("contrast", frozenset(["PDFS", "DWI", "STIR"])),
    "STIR": ("contrast", frozenset(["STIR"])),
    "DWI": ("contrast", frozenset(["DWI"])),
    "SSFP": ("contrast", frozenset(["SSFP"])),
    "lung": ("contrast", frozenset(["LUNG"])),
    "bone": ("contrast", frozenset(["BONE"])),
    "soft tissue": ("contrast", frozenset(["PLAIN", "CE"])),
    "scout": ("contrast", frozenset(["SCOUT"])),
    "bone scan": ("contrast", frozenset(["MDP"])),
    "MIBI": ("contrast", frozenset(["MIBI"])),
    "FDG": ("contrast", frozenset(["FDG"])),
    "DSA": ("contrast", frozenset(["DSA"])),
    "PA": ("view", frozenset(["PA"])),
    "AP": ("view", frozenset(["AP"])),
    "lateral": ("view", frozenset(["LL"])),
    "axial": ("view", frozenset(["AX"])),
    "sagittal": ("view", frozenset(["SAG"])),
    "coronal": ("view", frozenset(["COR"])),
    "CC": ("view", frozenset(["R CC", "L CC"])),
    "MLO": ("view", frozenset(["R MLO", "L MLO"])),
    "left": ("view", frozenset(["L CC", "L MLO"])),
    "right": ("view", frozenset(["R CC", "R MLO"])),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the scores of each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Verbatim)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    for run in parser.parse_args(arguments).runs:
        print(f"{run}: " + ", ".join(f"{name} {value:.3f}" for name, value in scores(run)))


class _Verbatim(argparse.RawDescriptionHelpFormatter):
    """Help with the lines of the docstring as they are."""


def scores(run: Path) -> Iterator[tuple[str, float]]:
    """Yield the figures of a run by name; run: the folder that holds its `results`."""
    images, embeddings = trial_images(run)
    explained = pair_statistic(
        embeddings,
        *(_codes(images, [name]) for name in ("label", "modality")),
        _codes(images, ["person"]),
        _codes(images, ["trial"]),
    )
    yield "labels", float(images["label"].n_unique())
    yield "explained within modality", explained.explained or 0.0
    yield "half of its interval", float(np.diff(explained.ci95 or (0.0, 0.0))[0] / 2)
    planted = images.drop_nulls("planted modality")
    codes = planted["label"].fill_null(0).to_numpy().astype(np.int64)
    outside = {name: planted[f"planted {name}"] for name in ("maker", "body_part")}
    for name, value in inside(codes, outside, planted["planted modality"]).items():
        yield f"AMI {name} inside modality", value or 0.0
    yield "AMI modality x part", _ami(planted, ["planted modality", "planted body_part"])
    yield "part purity", _purity(planted)
    shares = [share for _, share in name_shares(planted)]
    yield "names hold, median", float(np.median(shares))
    yield "names hold, least", float(min(shares))


def trial_images(run: Path) -> tuple[pl.DataFrame, Float32s]:
    """Return the images of all trials with their labels and what was planted, and embeddings."""
    results = run / "results"
    annotations = pl.read_parquet(results / "annotations/*.parquet", columns=_ANNOTATED)
    truth = pl.read_parquet(results / "demo/truth.parquet")
    truth = truth.rename({name: f"planted {name}" for name in truth.columns if name != "path"})
    samples, embeddings = [], []
    for sample in sorted((results / "samples").glob("trial-*.parquet")):
        rows = pl.read_parquet(sample, columns=["image", "patient", "series", "modality", "path"])
        samples.append(rows.with_columns(trial=pl.lit(sample.stem)))
        embeddings.append(np.load(results / "embeddings" / f"{sample.stem}.npy"))
    images = pl.concat(samples).with_columns(
        person=pl.coalesce("patient", "series", "image"),
        path=pl.col("path").str.split(ARCHIVE).list.last(),
    )
    joined = images.join(annotations, on="image", how="left", maintain_order="left").join(
        truth, on="path", how="left", maintain_order="left"
    )
    return joined, np.concatenate([part for part in embeddings if len(part)])


_ANNOTATED = ["image", "label", "name"]


def name_shares(images: pl.DataFrame) -> list[tuple[str, float]]:
    """Return the names of labels, each with the share of its images that are what it says."""
    rows = images.drop_nulls("name").group_by("name", maintain_order=True)
    return [(str(name), float(of_name.select(_holds(str(name))).to_series().mean() or 0.0))
            for (name,), of_name in rows]  # fmt: skip


def _holds(name: str) -> pl.Expr:
    """Whether all words of a name that say something of the truth hold of an image."""
    kind, *pieces = name.split(" · ")
    conditions = [_any_of(piece.split(" / ")) for piece in pieces]
    kinds = kind.split("/")
    known = all(len(one.strip()) <= 2 for one in kinds)
    modality = pl.col("planted modality").is_in(kinds) if known else pl.lit(value=True)
    return reduce(pl.Expr.__and__, [c for c in conditions if c is not None], modality)


def _any_of(words: Sequence[str]) -> pl.Expr | None:
    """Whether one of several words holds; None where the truth says nothing of them."""
    tests = [test for word in words if (test := _test(word)) is not None]
    return reduce(pl.Expr.__or__, tests) if len(tests) == len(words) else None


def _test(word: str) -> pl.Expr | None:
    if word in TECHNIQUE:
        column, values = TECHNIQUE[word]
        return pl.col(f"planted {column}").is_in(sorted(values))
    parts = _parts().get(word)
    return None if parts is None else pl.col("planted body_part").is_in(sorted(parts))


def _parts() -> dict[str, set[str]]:
    """Word of a region → the planted parts that it names.

    A hip is part of a pelvis, and a heart of a chest: its images state either.
    """
    words, parts = Words(), {}
    for row in rows_of("regions.csv"):
        shown = words.shown(None, "region", row["region"]) if row["region"] else None
        if shown:
            parts.setdefault(shown, set()).update({row["region"], row["term"]})
    parts.setdefault("hip", set()).add("PELVIS")
    parts.setdefault("chest", set()).add("HEART")
    return parts


def _codes(images: pl.DataFrame, names: Sequence[str]) -> Int64s:
    text = pl.concat_str([pl.col(name).cast(pl.String).fill_null("?") for name in names])
    return images.select(text.rank("dense")).to_series().to_numpy().astype(np.int64)


def _ami(images: pl.DataFrame, names: Sequence[str]) -> float:
    from sklearn.metrics import adjusted_mutual_info_score

    return float(adjusted_mutual_info_score(_codes(images, names), _codes(images, ["label"])))


def _purity(images: pl.DataFrame) -> float:
    """The share of images that have the most frequent planted part of their label."""
    counts = images.group_by("label", "planted body_part").len()
    return float(counts.group_by("label").agg(pl.col("len").max())["len"].sum() / len(images))


if __name__ == "__main__":
    main()
