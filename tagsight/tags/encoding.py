"""The encoding: how the kept tags become columns, fitted once, applied to any image.

A tag gives one column per item of its multi-value, numeric or categorical, and where it is filled
in some images and missing in others one more, categorical: whether it is there (`KVP?`).
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight.dicom.dictionary import attribute
from tagsight.errors import DataError
from tagsight.run.atomic import read_json
from tagsight.run.hashing import keyed_hash
from tagsight.tags import parsers, scales, tallies, weighting
from tagsight.tags.frequencies import present
from tagsight.tags.quantities import without_uncalibrated

if TYPE_CHECKING:
    from tagsight.gower.metric import Features

Array = NDArray[Any]

log = logging.getLogger(__name__)

PRESENCE = "presence"
PRESENCE_CATEGORIES = ("absent", "present")
# Values of these are typed by people or name single devices: not shown where few patients have
# them. The same holds of body parts that are in no table.
TYPED_VRS = frozenset(["AE", "LO", "SH", "UN"])
LABELS = {
    "modality": ["Modality"],
    "body_part": ["BodyPartExamined", "AnatomicRegionSequence"],
    "manufacturer": ["Manufacturer"],
    "model": ["ManufacturerModelName"],
    # A ready table's own column; of files, where privacy.keep lets it out.
    "site": ["site", "InstitutionName"],
}


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
            replace(c, **_scale_of(sample[c.name], self.scale)._asdict())
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


def fit(
    tags: pl.LazyFrame,
    frequencies: pl.DataFrame,
    selection: pl.DataFrame,
    *,
    distance: Literal["linear", "root"],
    presence_weight: float,
    body_parts: pl.DataFrame,
    key: bytes,
    min_patients: int = 3,
    scale: scales.Kind = "range",
    weights: Literal["equal", "commensurable"] = "equal",
) -> Encoding:
    """Return the encoding of the kept tags, fitted to all images.

    body_parts: the table of spellings. Columns without two different values are left out, and the
    log says which. In tags that people type (LO, SH), values of fewer than min_patients patients
    become categories of their own under a hash by `key`. Weights are 1 for values and
    presence_weight for presence, or in this proportion what the same mean distance asks for (see
    `commensurable`). DataError where no column is left.
    """
    tags = without_uncalibrated(tags)
    kept = selection.filter(pl.col("fate") == "kept").select("keyword")
    known = kept.join(frequencies, on="keyword", how="left", maintain_order="left")
    values = []
    for keyword in known["keyword"]:
        fitted = _fit_tag(tags, keyword, scale, body_parts, key, min_patients)
        if not fitted:
            log.info("%s: no two different values after parsing, left out", keyword)
        values += fitted
    presence = [_presence(row) for row in _patterns(known)] if presence_weight else []
    columns = _weighted(values, presence, presence_weight, weights)
    if not columns:
        raise DataError(
            "select: no tag that is kept tells one image from another; raise select.max_missing "
            "or select.count, or see in results/selection.parquet why tags were dropped"
        )
    return Encoding(distance, tuple(columns), scale)


def apply(
    tags: pl.DataFrame | pl.LazyFrame, encoding: Encoding, body_parts: pl.DataFrame, key: bytes
) -> pl.DataFrame:
    """Return `image` and the encoding's columns: Float32, or Int32 codes; null = missing.

    A category that was not there at the fit gets the code len(categories). Tags that the table
    lacks are missing in all its images.
    """
    keywords = list(dict.fromkeys(column.keyword for column in encoding.columns))
    table = _columns(without_uncalibrated(tags.lazy()), ["image", *keywords])
    made = [table.select("image")]
    for keyword in keywords:
        own = [column for column in encoding.columns if column.keyword == keyword]
        made.append(_apply_tag(table[keyword], own, body_parts, key))
    order = [column.name for column in encoding.columns]
    return pl.concat(made, how="horizontal").select("image", *order)


def labels(tags: pl.DataFrame | pl.LazyFrame, body_parts: pl.DataFrame) -> pl.DataFrame:
    """Return image, modality, body_part, manufacturer, model, site as text, spellings merged.

    A body part is taken from AnatomicRegionSequence where BodyPartExamined is missing. Sites are
    numbers, the same for the same site here: what institutions are called is for reading alone.
    """
    keywords = [keyword for several in LABELS.values() for keyword in several]
    table = _columns(tags, ["image", *keywords])
    parsed = {keyword: _merged(table[keyword], body_parts) for keyword in keywords}
    named = {
        label: pl.select(pl.coalesce([parsed[keyword] for keyword in several])).to_series()
        for label, several in LABELS.items()
    }
    named["site"] = named["site"].rank("dense").cast(pl.String)
    return table.select("image").with_columns(**named)


def to_features(frame: pl.DataFrame, encoding: Encoding) -> "Features":
    """Return the frame's rows for Gower's distance.

    Numbers are scaled to 0 … 1 as the encoding says, those outside its range as its nearer end.
    """
    from tagsight.gower.metric import Features

    numeric = [c for c in encoding.columns if c.kind == "numeric"]
    categorical = [c for c in encoding.columns if c.kind == "categorical"]
    n = len(frame)
    return Features(
        numeric=_stack([_scaled(_floats(frame[c.name]), c) for c in numeric], n, np.float32),
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


def _columns(tags: pl.DataFrame | pl.LazyFrame, names: Sequence[str]) -> pl.DataFrame:
    """Read these columns; one that the table lacks is null."""
    lazy = tags.lazy()
    held = set(lazy.collect_schema().names())
    wanted = [pl.col(n) if n in held else pl.lit(None, pl.String).alias(n) for n in names]
    return lazy.select(wanted).collect(engine="streaming")


def _fit_tag(
    tags: pl.LazyFrame,
    keyword: str,
    scale: scales.Kind,
    body_parts: pl.DataFrame,
    key: bytes,
    min_patients: int,
) -> list[tuple[Column, float]]:
    """The columns of a tag's values, each with its mean distance."""
    vr = attribute(keyword).vr
    parser = parsers.parser_of(keyword, vr)
    tally = tallies.tally(tags, keyword)
    items = parsers.item_count(tally[keyword], tally["n"])
    parsed = parsers.parse(keyword, vr, tally[keyword], items=items, spellings=body_parts)
    converted = tally.filter(parsers.converted(keyword, vr, tally[keyword]))["n"].sum()
    if converted:
        log.info("%s: %d images have it in another unit; converted", keyword, converted)
    frequent: list[set[str] | None] = [None] * items
    if vr in TYPED_VRS or parser == "body_part":
        people = tallies.people(tags, keyword)
        frequent = [tallies.frequent(people, tally, x, min_patients) for x in parsed]
    columns = []
    for x, known in zip(parsed, frequent, strict=True):
        if parser in parsers.NUMERIC:
            column = _numeric(x, tally["n"], keyword, parser, scale)
        else:
            column = _categorical(x, keyword, parser, key, known)
        if column is not None:
            columns.append((column, _mean_distance(_coded(x, column, key), tally["n"], column)))
    return columns


def _numeric(
    parsed: pl.Series, n: pl.Series, keyword: str, parser: str, scale: scales.Kind
) -> Column | None:
    # As features are stored, so that no image lies outside by rounding.
    fitted = _scale_of(parsed.cast(pl.Float32), scale, n)
    if fitted.minimum == fitted.maximum:
        return None
    return Column(parsed.name, keyword, "numeric", parser, **fitted._asdict())


def _categorical(
    parsed: pl.Series, keyword: str, parser: str, key: bytes, frequent: Collection[str] | None
) -> Column | None:
    found = parsed.drop_nulls().unique().to_list()
    shown = sorted({v if frequent is None or v in frequent else _hidden(v, key) for v in found})
    if len(shown) < 2:
        return None
    return Column(parsed.name, keyword, "categorical", parser, categories=tuple(shown))


def _scale_of(numbers: pl.Series, kind: scales.Kind, n: pl.Series | None = None) -> scales.Scale:
    """The scale of numbers, null = missing; n: how many images have each, else one."""
    counts = np.ones(len(numbers), np.int64) if n is None else n.to_numpy()
    known = numbers.is_not_null().to_numpy()
    return scales.fit(_floats(numbers)[known], counts[known], kind)


def _mean_distance(coded: pl.Series, n: pl.Series, column: Column) -> float:
    """Mean distance of two images in a column; coded: its values, n: how many images have each."""
    known = coded.is_not_null()
    values, counts = coded.filter(known).to_numpy(), n.filter(known).to_numpy()
    if column.categories is not None:
        return weighting.share_unequal(values, counts)
    return weighting.mean_difference(_scaled(values, column), counts)


def _weighted(
    values: list[tuple[Column, float]],
    presence: list[tuple[Column, float]],
    presence_weight: float,
    weights: Literal["equal", "commensurable"],
) -> list[Column]:
    """The columns with their weights; given each with its mean distance."""
    own, others = np.ones(len(values)), np.ones(len(presence))
    if weights == "commensurable":
        own, others = weighting.weights([d for _, d in values], [d for _, d in presence])
    every = [*own, *(others * presence_weight)]
    columns = [column for column, _ in (*values, *presence)]
    return [replace(c, weight=float(w)) for c, w in zip(columns, every, strict=True)]


def _hidden(category: str, key: bytes) -> str:
    """Name a category without showing it: nobody without the key can try guesses."""
    return f"(rare {keyed_hash(key, category)[:12]})"


def _presence(tag: dict[str, Any]) -> tuple[Column, float]:
    """A tag's column of presence, with its mean distance; tag: its row of frequencies."""
    keyword, filled = tag["keyword"], tag["present"]
    images = round(filled / (1 - tag["missing_share"]))
    mean = weighting.share_unequal(np.arange(2), np.array([images - filled, filled]))
    name = f"{keyword}?"
    return Column(name, keyword, "categorical", PRESENCE, categories=PRESENCE_CATEGORIES), mean


def _patterns(kept: pl.DataFrame) -> list[dict[str, Any]]:
    """Tags filled in some images only, one for each set of images."""
    some = kept.filter((pl.col("missing_share") > 0) & (pl.col("present") > 0))
    return some.unique("presence", keep="first", maintain_order=True).to_dicts()


def _apply_tag(
    stored: pl.Series, columns: list[Column], body_parts: pl.DataFrame, key: bytes
) -> pl.DataFrame:
    """The tag's columns of features, (n, columns); each distinct value is parsed once."""
    keyword, value_columns = stored.name, [c for c in columns if c.parser != PRESENCE]
    made = []
    if value_columns:
        distinct = stored.unique()
        vr = attribute(keyword).vr
        items = max(_items(keyword, c.name) for c in value_columns)
        parsed = parsers.parse(keyword, vr, distinct, items=items, spellings=body_parts)
        coded = [_coded(parsed[column.name], column, key) for column in value_columns]
        made.append(_spread(stored, distinct, coded))
    filled = pl.DataFrame(stored).select(present(keyword).fill_null(False).cast(pl.Int32))
    made += [filled.rename({keyword: c.name}) for c in columns if c.parser == PRESENCE]
    return pl.concat(made, how="horizontal")


def _spread(stored: pl.Series, distinct: pl.Series, coded: list[pl.Series]) -> pl.DataFrame:
    """Give each image what its value stands for, (n, columns); coded: a row per distinct value."""
    key = "stored value"  # no column of features has a blank in its name
    rows = pl.DataFrame(stored.alias(key))
    meant = pl.DataFrame([distinct.alias(key), *coded])
    joined = rows.join(meant, on=key, how="left", maintain_order="left", nulls_equal=True)
    return joined.drop(key)


def _items(keyword: str, name: str) -> int:
    """The least number of items that has a column of this name."""
    return 1 if name == keyword else max(2, int(name[len(keyword) + 1 : -1]) + 1)


def _coded(parsed: pl.Series, column: Column, key: bytes) -> pl.Series:
    if column.categories is None:
        return parsed.cast(pl.Float32)
    code = {category: i for i, category in enumerate(column.categories)}
    unseen = len(code)
    texts = parsed.to_list()
    codes = [None if t is None else code.get(t, code.get(_hidden(t, key), unseen)) for t in texts]
    return pl.Series(column.name, codes, dtype=pl.Int32)


def _merged(stored: pl.Series, body_parts: pl.DataFrame) -> pl.Series:
    """The first item of a tag as text, spellings merged, (n,)."""
    distinct = stored.unique()
    vr = attribute(stored.name).vr
    parsed = parsers.parse(stored.name, vr, distinct, items=1, spellings=body_parts)
    return _spread(stored, distinct, parsed.get_columns()).to_series()


def _floats(numbers: pl.Series) -> Array:
    """Float64 (n,); NaN = missing."""
    return numbers.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _scaled(values: Array, column: Column) -> Array:
    """Numbers (n,) from 0 to 1; NaN = missing."""
    low, high = column.minimum or 0.0, column.maximum or 0.0
    return scales.scaled(values, scales.Scale(low, high, column.knots, column.ranks))


def _stack(columns: Iterable[Array], n: int, dtype: type) -> Array:
    """Columns side by side, (n, columns), also where there is none."""
    several = [np.empty((n, 0)), *(column[:, None] for column in columns)]
    return np.ascontiguousarray(np.hstack(several).astype(dtype))
