"""The results of a run that the page is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

DOCUMENTS = ("draws", "counts", "choice", "cards", "evaluation", "agreement", "nesting")
TABLES = ("frequencies", "selection", "unmapped", "training")


@dataclass(frozen=True)
class Run:
    """Results of a run, as in their files.

    A run on a ready table of tags has no pixels: `evaluation` and `training` are None. A small
    archive may have no trial, or no network.
    """

    draws: Mapping[str, Any]

    counts: Mapping[str, Any]
    choice: Mapping[str, Any]
    cards: Sequence[Mapping[str, Any]]
    agreement: Mapping[str, Any]
    nesting: Sequence[Mapping[str, Any]]
    rules: Mapping[str, Any]
    frequencies: pl.DataFrame
    selection: pl.DataFrame
    unmapped: pl.DataFrame
    distance: str
    evaluation: Mapping[str, Any] | None = None
    training: pl.DataFrame | None = None

    @property
    def has_looks(self) -> bool:
        """Whether there were pixels to look at."""
        return self.evaluation is not None

    @property
    def is_tested(self) -> bool:
        """Whether a trial could be made."""
        return self.evaluation is not None and self.evaluation["trials"]["n"] > 0

    @property
    def is_trained(self) -> bool:
        """Whether there is a network."""
        return self.training is not None and not self.training.is_empty()
