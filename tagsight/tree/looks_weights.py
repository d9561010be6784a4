"""Weights of columns learned from looks: what makes two images of a kind look unlike.

For pairs of images of different patients, the distance of their looks is regressed on their
distances in single columns, with coefficients of 0 at least (Lawson & Hanson, "Solving least
squares problems", 1974, ch. 23). A column in which either image has nothing counts as 0, as it does
in Gower's distance. The coefficients are the weights.

Labels made so are no longer of tags alone: what they explain of looks is partly what they were
taught. The patients that weights are learned from are in no trial.
"""

from dataclasses import replace

import numpy as np
import polars as pl
from scipy.optimize import nnls

from tagsight.arrays import Bools, Float32s, Float64s, Int64s
from tagsight.gower.features import Features
from tagsight.run.progress import LOG
from tagsight.run.tables import person
from tagsight.tags.encoding import Encoding, to_features
from tagsight.tree.encodings import REGION, Tree

PAIRS = 50_000  # of a kind at most
LEAST_PAIRS = 200  # of a kind; with fewer its weights stay as they are


def with_learned_weights(tree: Tree, sample: pl.DataFrame, embeddings: Float32s, seed: int) -> Tree:
    """Return the tree with weights learned from looks, in each kind that has enough pairs.

    sample: `image`, `kind`, `patient`, … and the encoded columns; embeddings: float32 (n, d) of the
    same images; NaN rows are left out; seed: of the pairs.
    Columns that nothing is learned for have weight 0, and are left out.
    """
    drawn = np.isfinite(embeddings).all(axis=1)
    rows = sample.with_row_index("row").filter(pl.Series(drawn))
    branches = dict(tree.branches)
    for kind, part in tree.parts(rows):
        first, second = _pairs(part, seed)
        if len(first) < LEAST_PAIRS:
            LOG.info("%s: too few pairs of patients to learn weights from", kind)
            continue
        units = _units(embeddings[part["row"].to_numpy()])
        distance = 1 - np.einsum("ij,ij->i", units[first], units[second])
        apart = _apart(to_features(part, tree.of(kind)), first, second)
        learned = _weighted(tree.of(kind), _coefficients(apart, distance))
        branches[kind] = replace(branches[kind], encoding=learned)
    return replace(tree, branches=branches)


def _pairs(sample: pl.DataFrame, seed: int) -> tuple[Int64s, Int64s]:
    """Rows of pairs of images of different patients: of all, or of PAIRS drawn with replacement."""
    people = sample.select(person().rank("dense")).to_series().to_numpy()
    n = len(people)
    rng = np.random.default_rng(seed)
    if n * (n - 1) // 2 <= PAIRS:
        first, second = np.triu_indices(n, 1)
    else:
        first, second = rng.integers(0, n, (2, PAIRS))
    apart = people[first] != people[second]
    return first[apart].astype(np.int64), second[apart].astype(np.int64)


def _units(vectors: Float32s) -> Float64s:
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    units: Float64s = wide / np.maximum(lengths, 1e-30)
    return units


def _apart(features: Features, first: Int64s, second: Int64s) -> Float64s:
    """Distances of pairs in single columns, float64 (pairs, q + c): numeric ones first."""
    numbers = np.abs(features.numeric[first] - features.numeric[second])
    codes = features.categorical[first] != features.categorical[second]
    known: Bools = (features.categorical[first] >= 0) & (features.categorical[second] >= 0)
    return np.hstack([np.nan_to_num(numbers, nan=0.0), codes & known]).astype(np.float64)


def _coefficients(apart: Float64s, distance: Float64s) -> Float64s:
    """The coefficient of each column, at least 0; the first column of the fit is a constant."""
    solution, _ = nnls(np.hstack([np.ones((len(apart), 1)), apart]), distance)
    coefficients: Float64s = solution[1:]
    return coefficients


def _weighted(encoding: Encoding, coefficients: Float64s) -> Encoding:
    """The encoding with these weights, which add up to 1; as it is where all are 0."""
    total = coefficients.sum()
    if not total:
        return encoding
    kinds = ("numeric", "categorical")
    order = [column for kind in kinds for column in encoding.columns if column.kind == kind]
    weight = {column.name: float(c / total) for column, c in zip(order, coefficients, strict=True)}
    # The region stays whatever it weighs: a kind is divided by it first.
    columns = [
        replace(c, weight=weight[c.name])
        for c in encoding.columns
        if weight[c.name] > 0 or c.keyword == REGION
    ]
    return replace(encoding, columns=tuple(columns))
