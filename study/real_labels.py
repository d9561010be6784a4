"""Comparison of labels on real images: docs/labels-real.md and its table.

    python -m study.real_labels [--archive DIR …] [--splits 40] [--folder docs]

Pictures are those of ../shared/dicom, of pydicom's own test files and of each DIR together; where
package idc-index-data is installed, series of the Imaging Data Commons by words alone.
"""

import argparse
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pydicom

from study import gradients, real_archives, real_page
from study.archives import Archive
from study.data import CLONE, DICOM
from study.label_designs import Design
from study.label_scores import components
from study.real_designs import COUNT, DEFAULT, FittedTree, FlatRun, Trees, crossed, number
from tagsight.arrays import Bools, Float32s, Int64s
from tagsight.evaluation.pair_statistic import pair_statistic
from tagsight.interpretation.agreement import inside

SPLITS = 40
IDC_DRAWS, IDC_SERIES = 10, 4000  # of patients of their own; series in a fit, and as many scored
FLAT_KS = {"files": 5, "IDC": 30}  # what the flat run has by default
SEED = 17
WORDS = ("technique", "view", "region")
KNOWN = (*WORDS, "part", "maker")
CROSSED = {"maker": "maker", "body part": "part", "collection": "site"}
Measured = tuple[list[dict[str, Any]], dict[str, str]]  # rows; archive -> what it is
PARTS = ("BodyPartExamined", "AnatomicRegionSequence", "PrimaryAnatomicStructureSequence")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure labels on what real images there are, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--archive", type=Path, action="append", default=[])
    parser.add_argument("--splits", type=int, default=SPLITS)
    parser.add_argument("--folder", type=Path, default=CLONE / "docs")
    options = parser.parse_args(arguments)
    if not DICOM.is_dir():
        print("real labels: left out, since there is no folder ../shared/dicom", file=sys.stderr)
        return
    shared = sorted(folder for folder in DICOM.iterdir() if folder.is_dir())
    folders = [*shared, Path(pydicom.__file__).parent / "data/test_files", *options.archive]
    rows, about = of_files(real_archives.of_folders(folders), options.splits)
    if importlib.util.find_spec("idc_index_data"):
        of_series, about_series = of_idc(IDC_DRAWS, IDC_SERIES)
        rows, about = rows + of_series, about | about_series
    else:
        print("IDC: left out, since package idc-index-data is not installed", file=sys.stderr)
    real_page.write(options.folder, pl.DataFrame(rows, real_page.SCHEMA), about)


def of_files(archive: Archive, splits: int) -> Measured:
    """Return the rows of halves of patients of pooled folders, and what these hold."""
    designs = {"tree": DEFAULT, **without(DEFAULT)}
    trees = Trees(real_archives.withheld(archive), designs)
    described = Trees(archive, {"tree, descriptions read": DEFAULT})
    flat = FlatRun(archive)
    histograms = gradients.histograms(archive.pictures)
    rng, rows = np.random.default_rng(SEED), []
    for split in range(splits):
        fitted = half(archive.truth["person"], rng)
        looks = {"pca": components(archive, fitted), "hog": histograms}
        of_split = [t.fitted(name, fitted) for t in (trees, described) for name in t.encoded]
        named = dict(zip([*trees.encoded, *described.encoded], of_split, strict=True))
        scores = compared(archive, fitted, named, flat, FLAT_KS["files"], looks)
        rows += [{"archive": "Files", "split": split, **row} for row in scores]
        print(f"halves: {split + 1} of {splits}", file=sys.stderr, flush=True)
    every = np.ones(len(archive.tags), bool)
    whole = {"pca": components(archive, every), "hog": histograms}
    parts = [
        real_page.files(archive),
        real_page.weights(trees.encoded["tree"][0]),
        real_page.ceilings(list(known(archive, whole))),
    ]
    return rows, {"Files": "\n\n".join(parts)}


def of_idc(draws: int, series: int) -> Measured:
    """Return the rows of draws of series, and what they are.

    No patient is in two draws, or fitted and scored.
    """
    from idc_index_data import IDC_INDEX_PARQUET_FILEPATH as INDEX

    sizes = pl.scan_parquet(INDEX).group_by("PatientID").len().collect().sort("PatientID")
    order = sizes.sample(fraction=1, shuffle=True, seed=SEED)
    group = (order["len"].cum_sum() - 1) // (2 * series)
    rows: list[dict[str, Any]] = []
    about: dict[str, str] = {}
    for draw in range(draws):
        archive = real_archives.of_idc(INDEX, order["PatientID"].filter(group == draw).to_list())
        fitted = half(archive.truth["person"], np.random.default_rng(SEED + draw))
        for name, each in (
            ("IDC", real_archives.withheld(archive)),
            ("IDC, body part withheld too", _without_parts(real_archives.withheld(archive))),
        ):
            trees = Trees(each, {"tree": DEFAULT})
            named = {"tree": trees.fitted("tree", fitted)}
            scores = compared(each, fitted, named, FlatRun(each), FLAT_KS["IDC"], {})
            rows += [{"archive": name, "split": draw, **row} for row in scores]
            about.setdefault(name, real_page.weights(trees.encoded["tree"][0]))
        print(f"IDC: {draw + 1} of {draws}", file=sys.stderr, flush=True)
    return rows, about


def without(design: Design) -> dict[str, Design]:
    """Return a design without one of its steps, by name."""
    return {
        "tree without facets": replace(design, facets=False),
        "tree without region": replace(design, region=False),
    }


def half(people: pl.Series, rng: np.random.Generator) -> Bools:
    """Return the images of a random half of the people, bool (n,)."""
    known = people.unique().sort()
    some = rng.permutation(len(known))[: len(known) // 2]
    return people.is_in(known[some].implode()).to_numpy()


def compared(
    archive: Archive,
    fitted: Bools,
    trees: dict[str, FittedTree],
    flat: FlatRun,
    k: int,
    looks: dict[str, Float32s],
) -> Iterator[dict[str, Any]]:
    """Yield the scores of each tree and of other labels, at an equal number of labels each.

    k: clusters of the flat run by default; looks: name -> float32 (n, d), ways to see pictures.
    Labels that have fewer groups than the tree are compared with a tree of as many, unless there
    are more kinds.
    """
    truth = archive.truth
    whole = {name: tree.labels(COUNT) for name, tree in trees.items()}
    most = number(whole["tree"], fitted)
    others = {f"modality × {name}": truth[column] for name, column in CROSSED.items()}
    kinds = truth["kind"].filter(pl.Series(fitted)).n_unique()
    made = {name: crossed(truth["kind"], values, fitted, most) for name, values in others.items()}
    of_flat = flat.labels(fitted, {k, most})
    made |= {f"flat, K = {k}": of_flat[k]} if k in of_flat else {}
    made |= {"flat, as many": of_flat[most]} if most in of_flat else {}
    for name, labels in whole.items():
        yield {"design": name, "against": None, **scored(archive, fitted, labels, looks)}
    for name, labels in made.items():
        yield {"design": name, "against": None, **scored(archive, fitted, labels, looks)}
        count = number(labels, fitted)
        for of, tree in trees.items():
            equal = tree.labels(count) if kinds <= count < most else whole[of]
            yield {"design": of, "against": name, **scored(archive, fitted, equal, looks)}


def scored(
    archive: Archive, fitted: Bools, labels: pl.Series, looks: dict[str, Float32s]
) -> dict[str, Any]:
    """Return the scores of labels on images of people that were not fitted.

    By each way to see, how much labels explain inside kinds; AMI inside kinds with KNOWN.
    """
    held_out = pl.Series(~fitted)
    truth, codes = archive.truth.filter(held_out), _codes(labels.filter(held_out))
    kinds, people = _codes(truth["kind"]), _codes(truth["person"])
    explained = {
        name: pair_statistic(seen[~fitted], codes, kinds, people, people).explained
        for name, seen in looks.items()
    }
    agreed = inside(codes, {name: truth[name] for name in KNOWN}, truth["kind"])
    here = truth.select(pl.concat_str("kind", "site", separator=" ")).to_series()
    at_site = inside(codes, {f"{name}_here": truth[name] for name in WORDS[:2]}, here)
    about = {"labels": number(labels, fitted), "met": met(codes, people)}
    return {**about, **explained, **agreed, **at_site}


def known(archive: Archive, looks: dict[str, Float32s]) -> Iterator[dict[str, Any]]:
    """Yield what each thing that is known of images explains of their looks, all images together.

    The interval is by leaving out one person at a time.
    """
    truth = archive.truth
    kinds, people = _codes(truth["kind"]), _codes(truth["person"])
    for name in ("site", *KNOWN):
        labels = np.where(truth[name].is_null().to_numpy(), -1, _codes(truth[name]))
        for eye, seen in looks.items():
            said = pair_statistic(seen, labels, kinds, people, people)
            yield {"known": name, "eye": eye, "explained": said.explained, "ci95": said.ci95}


def met(labels: Int64s, people: Int64s) -> float:
    """Return the share of images whose label an image of another person has too."""
    frame = pl.DataFrame({"label": labels, "person": people})
    return float(frame.select((pl.col("person").n_unique().over("label") > 1).mean()).item())


def _without_parts(archive: Archive) -> Archive:
    tags = archive.tags.drop(PARTS, strict=False)
    return Archive(archive.setting, tags, archive.truth, archive.pictures)


def _codes(texts: pl.Series) -> Int64s:
    return texts.rank("dense").fill_null(0).to_numpy().astype(np.int64)


if __name__ == "__main__":
    main()
