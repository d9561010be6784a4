"""The results of a run that the page is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from tagsight.report.label_tree import Kind, label_tree

DOCUMENTS = (
    *("counts", "choice", "cards", "stability", "draws"),
    *("evaluation", "agreement", "nesting", "facets"),
)
TABLES = ("frequencies", "selection", "unmapped", "training")


@dataclass(frozen=True)
class Run:
    """Results of a run, as in their files.

    A run on a ready table of tags has no pixels: `evaluation` and `training` are None.
    nesting: of a flat run alone; kinds: those of encoding.json, of a tree alone.
    draws: its `untested` says in sentences what the archive is too small for.
    facets: how often the words of content agree with descriptions; None where that is not known.
    """

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
    draws: Mapping[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    facets: Mapping[str, Any] | None = None
    evaluation: Mapping[str, Any] | None = None
    training: pl.DataFrame | None = None

    @property
    def flat(self) -> bool:
        """Whether the run has clusters of all images; else it has labels by kind."""
        return not self.kinds

    @property
    def unit(self) -> str:
        """What a group of images is called."""
        return "cluster" if self.flat else "label"

    @property
    def untested(self) -> Sequence[str]:
        """What could not be tested, and why, in sentences."""
        return list(self.draws.get("untested", ()))

    @property
    def trials(self) -> int:
        """The number of trials that the test is of."""
        return 0 if self.evaluation is None else int(self.evaluation["trials"]["n"])

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
