"""The encoding: how the kept tags become columns, fitted once, applied to any image.

A tag gives one column per item of its multi-value, numeric or categorical, and where it is filled
in some images and missing in others one more, categorical: whether it is there (`KVP?`).
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight.gower.features import Features
from tagsight.run.atomic import read_json
from tagsight.tags import scales

Array = NDArray[Any]


PRESENCE = "presence"
PRESENCE_CATEGORIES = ("absent", "present")


@dataclass(frozen=True)
class Column:
    """A column of features; `kind` says whether minimum and maximum or categories are set.

    A number that is compared by its rank has knots and ranks besides (see scales.Scale).
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


@dataclass(frozen=True)
class Encoding:
    """All columns, the distance that they are meant for, and what their numbers are scaled by."""

    distance: Literal["linear", "root"]
    columns: tuple[Column, ...]
    scale: scales.Kind = "range"

    def without(self, keywords: Collection[str]) -> Self:
        """Return the encoding less the columns of these tags."""
        left = tuple(column for column in self.columns if column.keyword not in keywords)
        return replace(self, columns=left)

    def ranged_by(self, sample: pl.DataFrame, ranges: Literal["archive", "sample"]) -> Self:
        """Return the encoding with the ranges of a sample, as the paper has it, if asked for.

        sample: the encoded columns. With other scales it is the sample's quantiles or ranks. A
        number that is missing throughout gets the range 0 to 0.
        """
        if ranges == "archive":
            return self
        fitted = tuple(
            replace(c, **scale_of(sample[c.name], self.scale)._asdict())
            if c.kind == "numeric"
            else c
            for c in self.columns
        )
        return replace(self, columns=fitted)

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and dicts; a column has minimum and maximum, or categories."""
        columns = [{k: v for k, v in asdict(c).items() if v is not None} for c in self.columns]
        listed = [_each(list, tuple, column) for column in columns]
        return {"distance": self.distance, "scale": self.scale, "columns": listed}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Undo to_json. What was stored before numbers could be scaled otherwise has `range`."""
        columns = [Column(**_each(tuple, list, column)) for column in stored["columns"]]
        return cls(stored["distance"], tuple(columns), stored.get("scale", "range"))


def _each(make: type, of: type, column: dict[str, Any]) -> dict[str, Any]:
    """A column's fields, those of a kind as another: JSON has lists only."""
    return {k: make(v) if isinstance(v, of) else v for k, v in column.items()}


def load(path: Path | str) -> Encoding:
    """Read `encoding.json`. A file that is not JSON raises DataError."""
    return Encoding.from_json(read_json(path))


def to_features(frame: pl.DataFrame, encoding: Encoding) -> Features:
    """Return the frame's rows for Gower's distance.

    Numbers are scaled to 0 … 1 as the encoding says, those outside its range as its nearer end.
    """
    numeric = [c for c in encoding.columns if c.kind == "numeric"]
    categorical = [c for c in encoding.columns if c.kind == "categorical"]
    n = len(frame)
    return Features(
        numeric=_stack([scaled(_floats(frame[c.name]), c) for c in numeric], n, np.float32),
        categorical=_stack(
            [frame[c.name].fill_null(-1).to_numpy() for c in categorical], n, np.int32
        ),
        numeric_weight=np.array([c.weight for c in numeric], dtype=np.float32),
        categorical_weight=np.array([c.weight for c in categorical], dtype=np.float32),
    )


def feature_keywords(encoding: Encoding) -> list[str]:
    """Return the tag of each column, in the order of `to_features`: numeric ones first."""
    kinds = ("numeric", "categorical")
    return [c.keyword for kind in kinds for c in encoding.columns if c.kind == kind]


def scale_of(numbers: pl.Series, kind: scales.Kind, n: pl.Series | None = None) -> scales.Scale:
    """The scale of numbers, null = missing; n: how many images have each, else one."""
    counts = np.ones(len(numbers), np.int64) if n is None else n.to_numpy()
    known = numbers.is_not_null().to_numpy()
    return scales.fit(_floats(numbers)[known], counts[known], kind)


def _floats(numbers: pl.Series) -> Array:
    """Float64 (n,); NaN = missing."""
    return numbers.cast(pl.Float64).fill_null(np.nan).to_numpy()


def scaled(values: Array, column: Column) -> Array:
    """Numbers (n,) from 0 to 1; NaN = missing."""
    low, high = column.minimum or 0.0, column.maximum or 0.0
    return scales.scaled(values, scales.Scale(low, high, column.knots, column.ranks))


def _stack(columns: Iterable[Array], n: int, dtype: type) -> Array:
    """Columns side by side, (n, columns), also where there is none."""
    several = [np.empty((n, 0)), *(column[:, None] for column in columns)]
    return np.ascontiguousarray(np.hstack(several).astype(dtype))
