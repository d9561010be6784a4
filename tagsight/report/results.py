"""The results of a run that the page is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from tagsight.evaluation.labellings import LABELS
from tagsight.report.label_tree import Kind, label_tree
from tagsight.report.pair_sentences import Pair

DOCUMENTS = (
    *("counts", "choice", "cards", "stability", "draws"),
    *("evaluation", "agreement", "nesting", "facets", "sites", "worth"),
)
TABLES = ("frequencies", "selection", "unmapped", "training")


@dataclass(frozen=True)
class Run:
    """Results of a run, as in their files.

    A run on a ready table of tags has no pixels: `evaluation` and `training` are None. A small
    archive may have no trial, or no network.
    nesting: of a flat run alone; kinds: those of encoding.json, of a tree alone; learned: whether
    weights are learned from looks (`gower.weights`).
    facets: how often the words of content agree with descriptions; None where that is not known.
    sites: labels by site; None of an archive without sites.
    worth: what labels are worth; None where that was not asked for (`report.worth`).
    """

    draws: Mapping[str, Any]
    counts: Mapping[str, Any]
    choice: Mapping[str, Any]
    cards: Sequence[Mapping[str, Any]]
    stability: Mapping[str, Any]
    agreement: Mapping[str, Any]
    rules: Mapping[str, Any]
    frequencies: pl.DataFrame
    selection: pl.DataFrame
    unmapped: pl.DataFrame
    distance: str
    nesting: Sequence[Mapping[str, Any]] = ()
    kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    learned: bool = False
    facets: Mapping[str, Any] | None = None
    sites: Mapping[str, Any] | None = None
    evaluation: Mapping[str, Any] | None = None
    worth: Mapping[str, Any] | None = None
    training: pl.DataFrame | None = None

    @property
    def flat(self) -> bool:
        """Whether the run has clusters of all images; else it has labels by kind."""
        return not self.kinds

    @property
    def unit(self) -> str:
        """What a group of images is called."""
        return "cluster" if self.flat else "label"

    @cached_property
    def label_kinds(self) -> Sequence[Kind]:
        """The labels of a tree by kind and region."""
        pictures = [kind for kind, each in self.kinds.items() if each["picture"]]
        return label_tree(self.cards, pictures)

    @property
    def picture_kinds(self) -> Sequence[Kind]:
        """The kinds that are pictures, with their labels."""
        return [kind for kind in self.label_kinds if kind.picture]

    @property
    def other_kinds(self) -> Sequence[Kind]:
        """The kinds of objects that are no pictures."""
        return [kind for kind in self.label_kinds if not kind.picture]

    @property
    def has_looks(self) -> bool:
        """Whether there were pixels to look at."""
        return self.evaluation is not None

    @property
    def is_tested(self) -> bool:
        """Whether looks of two patients could be compared."""
        labels = self.pair.get(LABELS.key, {}).values()
        return any(figures["explained"] is not None for figures in labels)

    @property
    def pair(self) -> Pair:
        """What labellings explain of looks; empty without pixels."""
        found: Pair = {} if self.evaluation is None else self.evaluation["pair"]
        return found

    @property
    def scanners(self) -> Mapping[str, Any]:
        """Whether labels are scanners by looks; no verdict without pixels."""
        none: Mapping[str, Any] = {"verdict": None, "by": None, "beyond": {}}
        return none if self.evaluation is None else self.evaluation["scanners"]

    @property
    def eyes(self) -> Mapping[str, Any]:
        """What each eye sees, and what labels explain by it; empty without pixels."""
        found: Mapping[str, Any] = (
            {} if self.evaluation is None else self.evaluation.get("eyes", {})
        )
        return found

    @property
    def is_trained(self) -> bool:
        """Whether there is a network."""
        return self.training is not None and not self.training.is_empty()


def of_encoding(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a Run has of the encoding; stored: encoding.json, or weighted.json."""
    kinds, learned = stored.get("kinds", {}), stored.get("learned", False)
    return {"distance": stored["distance"], "kinds": kinds, "learned": learned}
