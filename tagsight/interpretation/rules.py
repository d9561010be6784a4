"""A short rule for each cluster, by a shallow decision tree: what tells its images from all others.

One cluster against the rest, a decision tree (Breiman et al., "Classification and Regression
Trees", 1984; scikit-learn's) of at most three questions. The rule is the node that has the cluster
best, by the harmonic mean of purity (share of the images that the rule holds for that are the
cluster's; precision) and coverage (share of the cluster's images that it holds for; recall).

A rule reads `Modality is CT and SliceThickness <= 2.5`. Its conditions:

    NAME is VALUE, NAME is not VALUE     a category; where it is missing, it is not that value
    NAME is missing, NAME is there
    NAME <= 2.5, NAME > 2.5, 1 < NAME <= 2.5                a number, which is there
    (NAME <= 2.5 or missing)                                a number, or none

A value of other than letters, digits and `.+-_\\/` stands in quotation marks, as JSON writes it.
ImageType[0] is the first item of a tag that has several. A threshold has as few digits as it takes
to divide the images as the tree does.

Values are named, and numbers divided, where at least min_patients patients are on either side.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import yaml
from sklearn.tree import DecisionTreeClassifier

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
from tagsight.run.tables import person
from tagsight.tags.encoding import PRESENCE, Column, Encoding

DEPTH = 3
BETTER = 0.02  # by how much other tags must be better than those that people name images by
SPOKEN = frozenset({"Modality", "BodyPartExamined", "AnatomicRegionSequence", *NAMING})
DIGITS = 17  # that tell any two numbers apart
# Of a cluster without an image in the sample.
NO_RULE = dict.fromkeys(("rule", "purity", "coverage", "heldout_purity", "heldout_coverage"))
HEAD = """\
# A rule a cluster, from a decision tree of at most three questions: what tells its images from all
# others. purity: share of the images that the rule holds for that are the cluster's. coverage:
# share of the cluster's images that it holds for. heldout_…: the same on images of other patients,
# which it was not made from, each in the cluster of its nearest medoid. ImageType[0] is the first
# item of a tag that has several; what is missing is not any value.
# More: tagsight/interpretation/rules.py.
"""


@dataclass(frozen=True)
class _Question:
    """A column of what the tree sees: a number as it is, or whether a category has a value."""

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
    """Return a rule for each cluster, made from a sample and tested on other patients.

    sample, holdout: `image`, `series`, `study`, `patient` and the encoded columns, of different
    patients; clusters, others: their `image` and `cluster`, from 1.
    Returns a row a cluster: `cluster`, `rule`, `purity`, `coverage`, and both as `heldout_…`. The
    rule is null where none holds for min_patients patients, and so is a share of nothing.
    """
    labels, holdout_labels = _labels(sample, clusters), _labels(holdout, others)
    people = sample.select(person().rank("dense")).to_series().to_numpy()
    questions = list(_questions(sample, encoding, people, min_patients))
    none = np.empty((len(sample), 0), np.float32)
    seen = np.column_stack([none, *(question.values for question in questions)])
    rows = []
    for cluster in np.unique(labels[labels > 0]):
        inside = labels == cluster
        rule = _rule(seen, inside, questions, people, min_patients)
        fitted = _scores(rule, sample, inside, "")
        heldout = _scores(rule, holdout, holdout_labels == cluster, "heldout_")
        rows.append({"cluster": int(cluster), "rule": written(rule), **fitted, **heldout})
    return rows


def _labels(sample: pl.DataFrame, clusters: pl.DataFrame) -> Integers:
    """The cluster of each row of the sample, integers (n,); 0 where it has none."""
    known = clusters.select("image", "cluster")
    joined = sample.select("image").join(known, on="image", how="left", maintain_order="left")
    labels: Integers = joined["cluster"].fill_null(0).to_numpy()
    return labels


def to_yaml(rows: Sequence[dict[str, Any]], cards: Sequence[dict[str, Any]], k: int) -> str:
    """Return rules as YAML, a cluster for each card; null where the sample has no image of it.

    rows: of `rules`; cards: their `cluster` and `name`.
    """
    by_cluster = {row["cluster"]: row for row in rows}
    clusters = [
        {"cluster": card["cluster"], "name": card["name"]}
        | by_cluster.get(card["cluster"], NO_RULE)
        for card in cards
    ]
    content = {"k": k, "clusters": clusters}
    return HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)


def _scores(rule: Rule | None, frame: pl.DataFrame, inside: Bools, prefix: str) -> dict[str, Any]:
    """Purity and coverage of a rule; inside: bool (n,), the cluster's rows of the frame."""
    if rule is None:
        return {f"{prefix}purity": None, f"{prefix}coverage": None}
    held = _on(rule, frame)
    right = int((held & inside).sum())
    return {
        f"{prefix}purity": round(right / int(held.sum()), 4) if held.any() else None,
        f"{prefix}coverage": round(right / int(inside.sum()), 4) if inside.any() else None,
    }


def _on(rule: Rule, frame: pl.DataFrame) -> Bools:
    held = np.ones(len(frame), bool)
    for condition in rule:
        held &= condition.on(frame)
    return held


def _questions(
    sample: pl.DataFrame, encoding: Encoding, people: Int64s, min_patients: int
) -> Iterator[_Question]:
    """What may be asked; of presence only where no column has the tag's value."""
    valued = {column.keyword for column in encoding.columns if column.parser != PRESENCE}
    for column in encoding.columns:
        if column.parser == PRESENCE and column.keyword in valued:
            continue
        if column.kind == "numeric":
            numbers = _clipped(numbers_of(sample[column.name]), people, min_patients)
            yield _Question(column, numbers)
            continue
        codes = sample[column.name].fill_null(MISSING).to_numpy()
        for code in np.unique(codes):
            if code == MISSING or _may_be_named(column, codes == code, code, people, min_patients):
                yield _Question(column, (codes == code).astype(np.float32), int(code))


def _may_be_named(
    column: Column, held: Bools, code: int, people: Int64s, min_patients: int
) -> bool:
    """Whether enough patients have a value: not a rare, hidden one, nor one new after the fit."""
    categories = column.categories or ()
    shown = code < len(categories) and not categories[code].startswith("(rare ")
    return shown and len(np.unique(people[held])) >= min_patients


def _clipped(values: Float32s, people: Int64s, min_patients: int) -> Float32s:
    """Clip numbers where fewer than min_patients patients lie beyond: no threshold can be there."""
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    low, high = (_nth_patient(rows, people, min_patients) for rows in (order, order[::-1]))
    if low is None or high is None or values[low] >= values[high]:
        return np.where(np.isnan(values), np.float32(np.nan), np.float32(0))
    return np.clip(values, values[low], values[high])


def _nth_patient(rows: Int64s, people: Int64s, count: int) -> int | None:
    """The row in which the count-th different patient comes, of rows in this order."""
    _, first = np.unique(people[rows], return_index=True)
    return int(rows[np.sort(first)[count - 1]]) if len(first) >= count else None


def _rule(
    seen: Float32s, inside: Bools, questions: Sequence[_Question], people: Int64s, min_patients: int
) -> Rule | None:
    """The best node that holds for enough patients, as conditions.

    Made of SPOKEN tags alone, unless all tags together describe the cluster better.
    """
    spoken = [i for i, q in enumerate(questions) if q.column.keyword in SPOKEN]
    best, rule = 0.0, None
    for chosen in (spoken, range(len(questions))):
        if not chosen:
            continue
        asked = [questions[i] for i in chosen]
        score, candidate = _node(seen[:, list(chosen)], inside, asked, people, min_patients)
        if score > best + BETTER:
            best, rule = score, candidate
    return rule


def _node(
    seen: Float32s, inside: Bools, questions: Sequence[_Question], people: Int64s, min_patients: int
) -> tuple[float, Rule | None]:
    """The best node of a tree, with the harmonic mean of its purity and coverage.

    Among nodes that are about as good, the one with the fewest questions.
    """
    tree = DecisionTreeClassifier(max_depth=DEPTH, random_state=0).fit(seen, inside)
    nodes = tree.decision_path(seen).toarray().astype(bool)  # (n, nodes)
    scores = 2 * nodes[inside].sum(axis=0) / (nodes.sum(axis=0) + inside.sum())
    enough = [len(np.unique(people[held])) >= min_patients for held in nodes.T]
    enough[0] = False  # the root, which holds for all
    scores = np.where(enough, scores, 0)
    if not scores.any():
        return 0.0, None
    paths = [_path(tree.tree_, node, seen, questions) for node in range(len(scores))]
    good = np.flatnonzero(scores >= scores.max() - BETTER)
    best = min(good, key=lambda node: (len(paths[node]), -scores[node], node))
    return float(scores[best]), _merged(paths[best])


def _path(tree: Any, node: int, seen: Float32s, questions: Sequence[_Question]) -> list[Condition]:
    """The conditions on the way from the root to a node."""
    above = {}
    for parent in range(tree.node_count):
        above[int(tree.children_left[parent])] = (parent, True)
        above[int(tree.children_right[parent])] = (parent, False)
    steps = []
    while node:
        node, left = above[node]
        steps.append((node, left))
    conditions: list[Condition] = []
    inside = np.ones(len(seen), bool)
    for node, left in reversed(steps):
        values = seen[:, tree.feature[node]]
        cut, missing_left = tree.threshold[node], bool(tree.missing_go_to_left[node])
        goes_left = np.where(np.isnan(values), missing_left, values <= cut)
        question = questions[tree.feature[node]]
        conditions.append(_condition(question, values[inside], cut, left, missing_left))
        inside &= goes_left == left
    return conditions


def _condition(
    question: _Question, values: Float32s, cut: float, left: bool, missing_left: bool
) -> Condition:
    """One side of a question; values: of the images that it is asked of."""
    column = question.column
    if question.code is not None:
        text = readable((column.categories or ())[question.code]) if question.code >= 0 else ""
        return Category(column.name, question.code, text, holds=not left)
    missing = missing_left == left and bool(np.isnan(values).any())
    limit = _between(values, cut)
    low, high = (-np.inf, limit) if left else (limit, np.inf)
    return Number(column.name, low, high, missing)


def _between(values: Float32s, cut: float) -> float:
    """The number of fewest digits that divides the values as `cut` does.

    So it does for values as float32, as which they are kept, and as decimals, as which they are
    written: 0.1 is also 0.10000000149. The lower value itself where nothing lies between.
    """
    known = values[~np.isnan(values)]
    if np.isinf(cut):
        return float(cut)
    lower, upper = known[known <= cut].max(), known[known > cut].min()
    below = max(float(lower), float(str(lower)))
    above = min(float(upper), float(str(upper)))
    rounded = (float(f"{(below + above) / 2:.{digits}g}") for digits in range(1, DIGITS + 1))
    return next((x for x in rounded if below <= x < above and np.float32(x) < upper), below)


def _merged(path: Sequence[Condition]) -> Rule:
    """One condition a column, where it can be said in one."""
    by_column: dict[str, list[Condition]] = {}
    for condition in path:
        by_column.setdefault(condition.name, []).append(condition)
    return tuple(c for several in by_column.values() for c in _joined(several))


def _joined(several: Sequence[Condition]) -> list[Condition]:
    """Conditions of one column: that it is a value says that it is no other."""
    numbers = [condition for condition in several if isinstance(condition, Number)]
    if numbers:
        low, high = max(c.low for c in numbers), min(c.high for c in numbers)
        return [Number(numbers[0].name, low, high, all(c.missing for c in numbers))]
    return [c for c in several if isinstance(c, Category) and c.holds] or list(several)
