"""Conditions of a rule: the images they hold for, and their text."""

import json
import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from tagsight.arrays import Bools, Float32s
from tagsight.tags.encoding import PRESENCE_CATEGORIES

MISSING = -1


@dataclass(frozen=True)
class Category:
    """The condition that a column has a value, or does not have it; code -1 = missing.

    For a presence column, `name` is the tag's with a question mark.
    """

    name: str
    code: int
    text: str
    holds: bool

    def on(self, frame: pl.DataFrame) -> Bools:
        """Return where it holds, bool (n,); frame: the encoded columns."""
        equal: Bools = frame[self.name].fill_null(MISSING).to_numpy() == self.code
        return equal == self.holds

    def __str__(self) -> str:
        if self.name.endswith("?"):
            present = (self.text == PRESENCE_CATEGORIES[1]) == self.holds
            return f"{self.name.removesuffix('?')} is {'there' if present else 'missing'}"
        if self.code == MISSING:
            return f"{self.name} is {'missing' if self.holds else 'there'}"
        return f"{self.name} is {'' if self.holds else 'not '}{quoted(self.text)}"


@dataclass(frozen=True)
class Number:
    """The condition that a number is above `low` and at most `high`, or missing where `missing`.

    An infinite `low` means that the number is missing.
    """

    name: str
    low: float
    high: float
    missing: bool

    def on(self, frame: pl.DataFrame) -> Bools:
        """Return where it holds, bool (n,); frame: the encoded columns."""
        values = numbers_of(frame[self.name])
        within: Bools = (values > np.float32(self.low)) & (values <= np.float32(self.high))
        return within | (np.isnan(values) & self.missing)

    def __str__(self) -> str:
        if self.low == np.inf:
            return f"{self.name} is missing"
        bounds = [f"{_plain(self.low)} <", f"<= {_plain(self.high)}"]
        if np.isinf([self.low, self.high]).all():
            return f"{self.name} is there"
        if np.isinf(self.low):
            text = f"{self.name} {bounds[1]}"
        elif np.isinf(self.high):
            text = f"{self.name} > {_plain(self.low)}"
        else:
            text = f"{bounds[0]} {self.name} {bounds[1]}"
        return f"({text} or missing)" if self.missing else text


Condition = Category | Number
Rule = tuple[Condition, ...]


def written(rule: Rule | None) -> str | None:
    """Return the rule as text; None where there is none."""
    return None if rule is None else " and ".join(str(condition) for condition in rule)


def quoted(text: str) -> str:
    """Return a value, in quotation marks if it could be read as part of the rule."""
    plain = re.fullmatch(r"[\w.+/\\-]+", text) and text not in ("missing", "there", "not")
    return text if plain else json.dumps(text, ensure_ascii=False)


def numbers_of(values: pl.Series) -> Float32s:
    """Return numbers as float32 (n,), NaN = missing."""
    numbers: Float32s = values.cast(pl.Float32).fill_null(np.nan).to_numpy()
    return numbers


def _plain(value: float) -> str:
    return np.format_float_positional(value, trim="-")
