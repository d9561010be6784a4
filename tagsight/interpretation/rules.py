"""A short rule for each cluster, from a shallow decision tree: what separates it from all others.

One cluster against the rest, a decision tree (Breiman et al., "Classification and Regression
Trees", 1984; scikit-learn's) of at most three questions. The rule is the node with the best
harmonic mean of purity (share of the rule's images that are in the cluster; precision) and coverage
(share of the cluster's images for which the rule holds; recall).

A rule reads `Modality is CT and SliceThickness <= 2.5`. Its conditions:

    NAME is VALUE, NAME is not VALUE     a category; where it is missing, it is not that value
    NAME is missing, NAME is there
    NAME <= 2.5, NAME > 2.5, 1 < NAME <= 2.5                a number that is present
    (NAME <= 2.5 or missing)                                a number, or none

A value with characters other than letters, digits and `.+-_\\/` is in quotation marks, as in JSON.
ImageType[0] is the first item of a tag that has several. A threshold has the fewest digits that
divide the images as the tree does.

A value is named, or a number divided, only with at least min_patients patients on either side.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import yaml

from tagsight.arrays import Bools, Float32s, Int64s, Integers
from tagsight.interpretation.cards import NAMING, readable
from tagsight.interpretation.conditions import (
    MISSING,
    Category,
    Condition,
    Number,
    Rule,
    numbers_of,
    written,
)
from tagsight.run.tables import counted_person
from tagsight.tags.encoding import PRESENCE, Column, Encoding

DEPTH = 3
BETTER = 0.02  # by which rules of all tags must be better than rules of SPOKEN tags
SPOKEN = frozenset({"Modality", "BodyPartExamined", "AnatomicRegionSequence", *NAMING})
DIGITS = 17  # which distinguish any two numbers
# For a cluster without an image in the sample.
NO_RULE = dict.fromkeys(("rule", "purity", "coverage", "heldout_purity", "heldout_coverage"))
HEAD = """\
# A rule a cluster, from a decision tree of at most three questions: what tells its images from all
# others. purity: share of the images that the rule holds for that are the cluster's. coverage:
# share of the cluster's images that it holds for. heldout_*: the same on images of other patients,
# which it was not made from, each in the cluster of its nearest medoid. ImageType[0] is the first
# item of a tag that has several; what is missing is not any value.
# More: tagsight/interpretation/rules.py.
"""


@dataclass(frozen=True)
class _Question:
    """A column of the tree's input: a number, or whether a category has a value."""

    column: Column
    values: Float32s  # (n,)
    code: int | None = None


def rules(
    sample: pl.DataFrame,
    clusters: pl.DataFrame,
    holdout: pl.DataFrame,
    others: pl.DataFrame,
    encoding: Encoding,
    min_patients: int = 3,
) -> list[dict[str, Any]]:
    """Return a rule for each cluster, fitted to a sample and tested on other patients.

    sample, holdout: `image`, `series`, `study`, `patient` and the encoded columns, of different
    patients; clusters, others: their `image` and `cluster`, from 1.
    Returns one row per cluster: `cluster`, `rule`, `purity`, `coverage`, `heldout_purity`,
    `heldout_coverage`. The rule is null where none holds for min_patients patients; a share is null
    where its denominator is 0.
    """
    labels, holdout_labels = _labels(sample, clusters), _labels(holdout, others)
    patients = sample.select(counted_person().rank("dense")).to_series().to_numpy()
    questions = list(_questions(sample, encoding, patients, min_patients))
    none = np.empty((len(sample), 0), np.float32)
    inputs = np.column_stack([none, *(question.values for question in questions)])
    rows = []
    for cluster in np.unique(labels[labels > 0]):
        inside = labels == cluster
        rule = _rule(inputs, inside, questions, patients, min_patients)
        fitted = _scores(rule, sample, inside, "")
        heldout = _scores(rule, holdout, holdout_labels == cluster, "heldout_")
        rows.append({"cluster": int(cluster), "rule": written(rule), **fitted, **heldout})
    return rows


def _labels(sample: pl.DataFrame, clusters: pl.DataFrame) -> Integers:
    """Cluster of each row of the sample, integers (n,); 0 = in none."""
    labelled = clusters.select("image", "cluster")
    joined = sample.select("image").join(labelled, on="image", how="left", maintain_order="left")
    labels: Integers = joined["cluster"].fill_null(0).to_numpy()
    return labels


def to_yaml(rows: Sequence[dict[str, Any]], cards: Sequence[dict[str, Any]], k: int) -> str:
    """Return rules as YAML, one cluster per card; null where the sample has no image of it.

    rows: from `rules`; cards: their `cluster` and `name`; in a tree `label` is their number.
    """
    by_cluster = {row["cluster"]: row for row in rows}
    numbered = [(card.get("label", card.get("cluster")), card["name"]) for card in cards]
    clusters = [
        {"cluster": number, "name": name} | by_cluster.get(number, NO_RULE)
        for number, name in numbered
    ]
    content = {"k": k, "clusters": clusters}
    return HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)


def _scores(rule: Rule | None, frame: pl.DataFrame, inside: Bools, prefix: str) -> dict[str, Any]:
    """Purity and coverage of a rule; inside: bool (n,), the cluster's rows of the frame."""
    if rule is None:
        return {f"{prefix}purity": None, f"{prefix}coverage": None}
    holds = _on(rule, frame)
    correct = int((holds & inside).sum())
    return {
        f"{prefix}purity": round(correct / int(holds.sum()), 4) if holds.any() else None,
        f"{prefix}coverage": round(correct / int(inside.sum()), 4) if inside.any() else None,
    }


def _on(rule: Rule, frame: pl.DataFrame) -> Bools:
    holds = np.ones(len(frame), bool)
    for condition in rule:
        holds &= condition.on(frame)
    return holds


def _questions(
    sample: pl.DataFrame, encoding: Encoding, patients: Int64s, min_patients: int
) -> Iterator[_Question]:
    """All possible questions; on presence only where no column has the tag's value."""
    valued = {column.keyword for column in encoding.columns if column.parser != PRESENCE}
    for column in encoding.columns:
        if column.parser == PRESENCE and column.keyword in valued:
            continue
        if column.kind == "numeric":
            numbers = _clipped(numbers_of(sample[column.name]), patients, min_patients)
            yield _Question(column, numbers)
            continue
        codes = sample[column.name].fill_null(MISSING).to_numpy()
        for code in np.unique(codes):
            if code == MISSING or _is_public(column, codes == code, code, patients, min_patients):
                yield _Question(column, (codes == code).astype(np.float32), int(code))


def _is_public(
    column: Column, has_value: Bools, code: int, patients: Int64s, min_patients: int
) -> bool:
    """Whether enough patients have a value that is neither hidden as rare nor new after the fit."""
    categories = column.categories or ()
    shown = code < len(categories) and not categories[code].startswith("(rare ")
    return shown and len(np.unique(patients[has_value])) >= min_patients


def _clipped(values: Float32s, patients: Int64s, min_patients: int) -> Float32s:
    """Clip numbers beyond which fewer than min_patients patients lie: no threshold can be there."""
    present = np.flatnonzero(~np.isnan(values))
    order = present[np.argsort(values[present], kind="stable")]
    low, high = (_nth_patient(rows, patients, min_patients) for rows in (order, order[::-1]))
    if low is None or high is None or values[low] >= values[high]:
        return np.where(np.isnan(values), np.float32(np.nan), np.float32(0))
    return np.clip(values, values[low], values[high])


def _nth_patient(rows: Int64s, patients: Int64s, count: int) -> int | None:
    """First row of the count-th distinct patient, of rows in order; None if there are fewer."""
    _, first = np.unique(patients[rows], return_index=True)
    return int(rows[np.sort(first)[count - 1]]) if len(first) >= count else None


def _rule(
    inputs: Float32s,
    inside: Bools,
    questions: Sequence[_Question],
    patients: Int64s,
    min_patients: int,
) -> Rule | None:
    """Conditions of the best node that holds for at least min_patients patients.

    They use SPOKEN tags only, unless rules of all tags are better by more than BETTER.
    """
    spoken = [i for i, q in enumerate(questions) if q.column.keyword in SPOKEN]
    best, rule = 0.0, None
    for columns in (spoken, range(len(questions))):
        if not columns:
            continue
        some = [questions[i] for i in columns]
        score, candidate = _node(inputs[:, list(columns)], inside, some, patients, min_patients)
        if score > best + BETTER:
            best, rule = score, candidate
    return rule


def _node(
    inputs: Float32s,
    inside: Bools,
    questions: Sequence[_Question],
    patients: Int64s,
    min_patients: int,
) -> tuple[float, Rule | None]:
    """Best node of a tree, with the harmonic mean of its purity and coverage.

    Of nodes within BETTER of the best, the one with the fewest questions.
    """
    from sklearn.tree import DecisionTreeClassifier  # a second to load

    tree = DecisionTreeClassifier(max_depth=DEPTH, random_state=0).fit(inputs, inside)
    nodes = tree.decision_path(inputs).toarray().astype(bool)  # (n, nodes)
    scores = 2 * nodes[inside].sum(axis=0) / (nodes.sum(axis=0) + inside.sum())
    enough = [len(np.unique(patients[images])) >= min_patients for images in nodes.T]
    enough[0] = False  # the root, which holds for all
    scores = np.where(enough, scores, 0)
    if not scores.any():
        return 0.0, None
    paths = [_path(tree.tree_, node, inputs, questions) for node in range(len(scores))]
    good = np.flatnonzero(scores >= scores.max() - BETTER)
    best = min(good, key=lambda node: (len(paths[node]), -scores[node], node))
    return float(scores[best]), _merged(paths[best])


def _path(
    tree: Any, node: int, inputs: Float32s, questions: Sequence[_Question]
) -> list[Condition]:
    """Conditions on the path from the root to a node."""
    parents = {}
    for parent in range(tree.node_count):
        parents[int(tree.children_left[parent])] = (parent, True)
        parents[int(tree.children_right[parent])] = (parent, False)
    steps = []
    while node:
        node, left = parents[node]
        steps.append((node, left))
    conditions: list[Condition] = []
    inside = np.ones(len(inputs), bool)
    for node, left in reversed(steps):
        values = inputs[:, tree.feature[node]]
        cut, missing_left = tree.threshold[node], bool(tree.missing_go_to_left[node])
        goes_left = np.where(np.isnan(values), missing_left, values <= cut)
        question = questions[tree.feature[node]]
        conditions.append(_condition(question, values[inside], cut, left, missing_left))
        inside &= goes_left == left
    return conditions


def _condition(
    question: _Question, values: Float32s, cut: float, left: bool, missing_left: bool
) -> Condition:
    """One side of a question; values: those of the images at the node."""
    column = question.column
    if question.code is not None:
        text = readable((column.categories or ())[question.code]) if question.code >= 0 else ""
        return Category(column.name, question.code, text, holds=not left)
    missing = missing_left == left and bool(np.isnan(values).any())
    limit = _between(values, cut)
    low, high = (-np.inf, limit) if left else (limit, np.inf)
    return Number(column.name, low, high, missing)


def _between(values: Float32s, cut: float) -> float:
    """Number of fewest digits that divides the values as `cut` does.

    It does so for the stored float32 and for their decimal text: 0.1 is stored as 0.10000000149.
    Returns the lower value where no number lies between.
    """
    present = values[~np.isnan(values)]
    if np.isinf(cut):
        return float(cut)
    lower, upper = present[present <= cut].max(), present[present > cut].min()
    below = max(float(lower), float(str(lower)))
    above = min(float(upper), float(str(upper)))
    rounded = (float(f"{(below + above) / 2:.{digits}g}") for digits in range(1, DIGITS + 1))
    return next((x for x in rounded if below <= x < above and np.float32(x) < upper), below)


def _merged(path: Sequence[Condition]) -> Rule:
    """Conditions merged by column, where one can replace several."""
    by_column: dict[str, list[Condition]] = {}
    for condition in path:
        by_column.setdefault(condition.name, []).append(condition)
    return tuple(c for same in by_column.values() for c in _joined(same))


def _joined(conditions: Sequence[Condition]) -> list[Condition]:
    """Merged conditions of one column: to be one value is to be no other."""
    numbers = [condition for condition in conditions if isinstance(condition, Number)]
    if numbers:
        low, high = max(c.low for c in numbers), min(c.high for c in numbers)
        return [Number(numbers[0].name, low, high, all(c.missing for c in numbers))]
    return [c for c in conditions if isinstance(c, Category) and c.holds] or list(conditions)
