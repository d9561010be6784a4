"""The encoding: how the kept tags become columns, fitted once, applied to any image.

A tag gives one column per item of its multi-value, numeric or categorical. If it is filled in some
images and missing in others, it gives one more, categorical: whether it is present (`KVP?`).
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight.arrays import Float64s
from tagsight.gower.features import Distance, Features
from tagsight.run.atomic import read_json
from tagsight.tags import scales

Ranges = Literal["archive", "sample"]

PRESENCE = "presence"
PRESENCE_CATEGORIES = ("absent", "present")


@dataclass(frozen=True)
class Column:
    """A column of features: numeric with minimum and maximum, or categorical with categories.

    keyword: the tag that it comes from; parser: the name of its parser, or PRESENCE; knots, ranks:
    of a number that is compared by its rank, see scales.Scale.
    """

    name: str
    keyword: str
    kind: Literal["numeric", "categorical"]
    parser: str
    weight: float = 1.0
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None
    knots: tuple[float, ...] | None = None
    ranks: tuple[float, ...] | None = None

    @property
    def scale(self) -> scales.Scale:
        """The scale of a numeric column."""
        low, high = self.minimum or 0.0, self.maximum or 0.0
        return scales.Scale(low, high, self.knots, self.ranks)


@dataclass(frozen=True)
class Encoding:
    """All columns, the distance that they are meant for, and what their numbers are scaled by."""

    distance: Distance
    columns: tuple[Column, ...]
    scale: scales.Kind = "range"

    def without(self, keywords: Collection[str]) -> Self:
        """Return the encoding without the columns of these tags."""
        remaining = tuple(column for column in self.columns if column.keyword not in keywords)
        return replace(self, columns=remaining)

    def ranged_by(self, sample: pl.DataFrame, ranges: Ranges) -> Self:
        """Return the encoding with the ranges of the archive, or of a sample as in the paper.

        sample: the encoded columns. For other scales than `range` the sample's quantiles or ranks
        are taken. A column without any number gets the range 0 to 0.
        """
        if ranges == "archive":
            return self
        fitted = tuple(
            replace(c, **fit_scale(sample[c.name], self.scale)._asdict())
            if c.kind == "numeric"
            else c
            for c in self.columns
        )
        return replace(self, columns=fitted)

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and dicts; a column has minimum and maximum, or categories."""
        columns = [{k: v for k, v in asdict(c).items() if v is not None} for c in self.columns]
        plain = [_converted(column, tuple, list) for column in columns]
        return {"distance": self.distance, "scale": self.scale, "columns": plain}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the encoding that `to_json` returned; without a stored `scale` it is `range`."""
        columns = [Column(**_converted(column, list, tuple)) for column in stored["columns"]]
        return cls(stored["distance"], tuple(columns), stored.get("scale", "range"))


def _converted(column: dict[str, Any], before: type, after: type) -> dict[str, Any]:
    """A column's fields, those of one type converted to another: JSON has lists only."""
    return {k: after(v) if isinstance(v, before) else v for k, v in column.items()}


def load(path: Path | str) -> Encoding:
    """Return the encoding that `encoding.json` holds.

    Raises DataError where the file is not JSON.
    """
    return Encoding.from_json(read_json(path))


def to_features(frame: pl.DataFrame, encoding: Encoding) -> Features:
    """Return the encoded columns as Features (n,) for Gower's distance.

    Numbers are scaled to 0 … 1 as the encoding says; a number outside its range counts as the
    nearer end.
    """
    numeric = [c for c in encoding.columns if c.kind == "numeric"]
    categorical = [c for c in encoding.columns if c.kind == "categorical"]
    numbers = [scales.scaled(_floats(frame[c.name]), c.scale) for c in numeric]
    codes = [frame[c.name].fill_null(-1).to_numpy() for c in categorical]
    return Features(
        numeric=_stack(numbers, len(frame), np.float32),
        categorical=_stack(codes, len(frame), np.int32),
        numeric_weight=np.array([c.weight for c in numeric], dtype=np.float32),
        categorical_weight=np.array([c.weight for c in categorical], dtype=np.float32),
    )


def feature_keywords(encoding: Encoding) -> list[str]:
    """Return the tag of each column, in the order of `to_features`: numeric ones first."""
    kinds = ("numeric", "categorical")
    return [c.keyword for kind in kinds for c in encoding.columns if c.kind == kind]


def fit_scale(numbers: pl.Series, kind: scales.Kind, n: pl.Series | None = None) -> scales.Scale:
    """Return the scale of numbers.

    numbers: numeric (m,), null = missing; n: int (m,), how many images have each; by default one.
    """
    counts = np.ones(len(numbers), np.int64) if n is None else n.to_numpy()
    present = numbers.is_not_null().to_numpy()
    return scales.fit(_floats(numbers)[present], counts[present], kind)


def _floats(numbers: pl.Series) -> Float64s:
    """Float64 (n,); NaN = missing."""
    return numbers.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _stack(columns: Iterable[NDArray[Any]], n: int, dtype: type) -> NDArray[Any]:
    """Columns side by side, (n, columns), even if there is none."""
    parts = [np.empty((n, 0)), *(column[:, None] for column in columns)]
    return np.ascontiguousarray(np.hstack(parts).astype(dtype))
