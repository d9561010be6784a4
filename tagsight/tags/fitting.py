"""The encoding, fitted to an archive and applied to any image."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from tagsight.dicom.dictionary import attribute
from tagsight.errors import DataError
from tagsight.gower.features import Distance
from tagsight.run.hashing import keyed_hash
from tagsight.run.plain_text import counted
from tagsight.run.tables import counted_person, present
from tagsight.tags import parsers, scales, weighting
from tagsight.tags.encoding import (
    PRESENCE,
    PRESENCE_CATEGORIES,
    Column,
    Encoding,
    fit_scale,
)
from tagsight.tags.quantities import without_uncalibrated
from tagsight.terms.defined_terms import is_defined_term

log = logging.getLogger(__name__)

# Reasons of a selection for which another config would have another answer.
BY_CONFIG = (
    "left out by config",
    "too often missing",
    "beyond the count",
    "beyond the module's count",
)
# VRs of values that people type or that name a single device: a value that few patients have is
# not shown. The same holds for parsers that are `hand_typed`.
HAND_TYPED_VRS = frozenset(["AE", "CS", "LO", "SH", "SQ", "UC", "UN"])


def fit(
    tags: pl.LazyFrame,
    frequencies: pl.DataFrame,
    selection: pl.DataFrame,
    *,
    distance: Distance,
    presence_weight: float,
    body_parts: pl.DataFrame,
    key: bytes,
    min_patients: int = 3,
    scale: scales.Kind = "range",
    weights: weighting.Kind = "equal",
) -> Encoding:
    """Return the encoding of the kept tags, fitted to all images.

    tags: all shards; frequencies, selection: tables of `frequencies.frequencies` and
    `selection.selection`; body_parts: the table of spellings; key: of the hashes that replace
    values that are not shown.

    Columns without two different values are left out and logged. In tags that people type (LO, SH),
    a value of fewer than min_patients patients becomes a category named by a hash with `key`.
    Weights are 1 for values and presence_weight for presence; `commensurable` multiplies them by
    those that give all columns the same mean distance (see `weighting`).
    Raises DataError where no column is left and the config dropped tags that might be one.
    """
    tags = without_uncalibrated(tags)
    kept = selection.filter(pl.col("fate") == "kept").select("keyword")
    kept_tags = kept.join(frequencies, on="keyword", how="left", maintain_order="left")
    values = []
    for keyword in kept_tags["keyword"]:
        fitted = fit_tag(tags, keyword, scale, body_parts, key, min_patients)
        if not fitted:
            log.info("%s: no two different values after parsing, left out", keyword)
        values += fitted
    presence = [_presence(row) for row in _patterns(kept_tags)] if presence_weight else []
    columns = _weighted(values, presence, presence_weight, weights)
    if not columns:
        require_tags(selection)
    return Encoding(distance, tuple(columns), scale)


def require_tags(selection: pl.DataFrame) -> None:
    """Say that no tag tells one image from another; a few images may be all alike.

    selection: table of `selection.selection`.
    Raises DataError where the config dropped a tag that might, or no reasons are known.
    """
    if "reason" not in selection.columns or selection["reason"].is_in(BY_CONFIG).any():
        raise DataError(
            "select: no tag that is kept tells one image from another; raise select.max_missing "
            "or select.count, or see in results/selection.parquet why tags were dropped"
        )
    log.warning("no tag tells one image from another: all are in one cluster")


def apply(
    tags: pl.DataFrame | pl.LazyFrame, encoding: Encoding, body_parts: pl.DataFrame, key: bytes
) -> pl.DataFrame:
    """Return the encoded columns of images.

    tags: a table of tags; a tag without a column is missing in all images; body_parts, key: as for
    `fit`.
    Returns `image` and the encoding's columns: Float32, or Int32 codes; null = missing. A category
    that was not seen at the fit gets the code len(categories).
    """
    keywords = list(dict.fromkeys(column.keyword for column in encoding.columns))
    table = read_columns(without_uncalibrated(tags.lazy()), ["image", *keywords])
    parts = [table.select("image")]
    for keyword in keywords:
        columns = [column for column in encoding.columns if column.keyword == keyword]
        parts.append(apply_tag(table[keyword], columns, body_parts, key))
    order = [column.name for column in encoding.columns]
    return pl.concat(parts, how="horizontal").select("image", *order)


def read_columns(tags: pl.DataFrame | pl.LazyFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return these columns of a table of tags; those that the table lacks are null."""
    lazy = tags.lazy()
    stored = set(lazy.collect_schema().names())
    columns = [pl.col(n) if n in stored else pl.lit(None, pl.String).alias(n) for n in names]
    return lazy.select(columns).collect(engine="streaming")


def fit_tag(
    tags: pl.LazyFrame,
    keyword: str,
    scale: scales.Kind,
    body_parts: pl.DataFrame,
    key: bytes,
    min_patients: int,
) -> list[tuple[Column, float]]:
    """Return the columns of a tag's values, of weight 1, each with its mean distance.

    Columns without two different values are left out; other parameters: see `fit`.
    """
    vr = attribute(keyword).vr
    parser = parsers.parser_of(keyword, vr)
    tally = _value_counts(tags, keyword)
    items = parsers.item_count(tally[keyword], tally["n"])
    parsed = parsers.parse(keyword, vr, tally[keyword], items=items, spellings=body_parts)
    converted = tally.filter(parsers.converted(keyword, vr, tally[keyword]))["n"].sum()
    if converted:
        log.info("%s: converted from another unit in %s", keyword, counted(int(converted), "image"))
    frequent: list[set[str] | None] = [None] * items
    if vr in HAND_TYPED_VRS or parser.hand_typed:
        people = _people_by_value(tags, keyword)
        frequent = [_frequent_categories(people, tally, x, min_patients) for x in parsed]
    columns = []
    for x, shown in zip(parsed, frequent, strict=True):
        if parser.numeric:
            column = _numeric(x, tally["n"], keyword, parser.name, scale)
        else:
            column = _categorical(x, keyword, parser.name, key, shown)
        if column is not None:
            columns.append((column, mean_distance(_coded(x, column, key), tally["n"], column)))
    return columns


def _value_counts(tags: pl.LazyFrame, keyword: str) -> pl.DataFrame:
    """The distinct values of a tag, sorted, and `n`, the images that have each."""
    counts = tags.filter(present(keyword)).group_by(keyword).agg(n=pl.len())
    return counts.collect(engine="streaming").sort(keyword)


def _people_by_value(tags: pl.LazyFrame, keyword: str) -> pl.DataFrame:
    """The distinct pairs of a tag's value and a person who has it."""
    pairs = tags.filter(present(keyword)).select(keyword, person=counted_person().hash()).unique()
    return pairs.collect(engine="streaming")


def _frequent_categories(
    people: pl.DataFrame, tally: pl.DataFrame, parsed: pl.Series, min_patients: int
) -> set[str]:
    """Categories of at least min_patients patients, over all spellings, and those that are known.

    Known are those of our tables, and the terms that the standard defines for the attribute.

    parsed: the category of each row of `tally`, null = none.
    """
    keyword = tally.columns[0]
    meaning = tally.select(keyword, category=parsed)
    counts = (
        people.join(meaning, on=keyword)
        .drop_nulls("category")
        .group_by("category")
        .agg(pl.col("person").n_unique())
    )
    frequent = set(counts.filter(pl.col("person") >= min_patients)["category"])
    defined = {c for c in meaning["category"].drop_nulls() if is_defined_term(keyword, str(c))}
    return frequent | parsers.vocabulary() | defined


def _numeric(
    parsed: pl.Series, n: pl.Series, keyword: str, parser: str, scale: scales.Kind
) -> Column | None:
    # In the precision of stored features, so that rounding puts no image outside the range.
    fitted = fit_scale(parsed.cast(pl.Float32), scale, n)
    if fitted.minimum == fitted.maximum:
        return None
    return Column(parsed.name, keyword, "numeric", parser, **fitted._asdict())


def _categorical(
    parsed: pl.Series, keyword: str, parser: str, key: bytes, frequent: Collection[str] | None
) -> Column | None:
    distinct = parsed.drop_nulls().unique().to_list()
    shown = sorted({v if frequent is None or v in frequent else _hidden(v, key) for v in distinct})
    if len(shown) < 2:
        return None
    return Column(parsed.name, keyword, "categorical", parser, categories=tuple(shown))


def mean_distance(coded: pl.Series, n: pl.Series, column: Column) -> float:
    """Return the mean distance of two images in a column.

    coded: (m,), its distinct values as in features; n: (m,), how many images have each.
    """
    filled = coded.is_not_null()
    values, counts = coded.filter(filled).to_numpy(), n.filter(filled).to_numpy()
    if column.categories is not None:
        return weighting.share_unequal(values, counts)
    return weighting.mean_difference(scales.scaled(values, column.scale), counts)


def _weighted(
    values: list[tuple[Column, float]],
    presence: list[tuple[Column, float]],
    presence_weight: float,
    weights: weighting.Kind,
) -> list[Column]:
    """The columns with their weights; values, presence: each column with its mean distance."""
    of_values, of_presence = np.ones(len(values)), np.ones(len(presence))
    if weights == "commensurable":
        of_values, of_presence = weighting.weights(
            [mean for _, mean in values], [mean for _, mean in presence]
        )
    all_weights = [*of_values, *(of_presence * presence_weight)]
    columns = [column for column, _ in (*values, *presence)]
    return [replace(c, weight=float(w)) for c, w in zip(columns, all_weights, strict=True)]


def _hidden(category: str, key: bytes) -> str:
    """A name that hides the category: without the key nobody can test guesses."""
    return f"(rare {keyed_hash(key, category)[:12]})"


def _presence(tag: dict[str, Any]) -> tuple[Column, float]:
    """A tag's column of presence, with its mean distance; tag: its row of frequencies."""
    keyword, filled = tag["keyword"], tag["present"]
    images = round(filled / (1 - tag["missing_share"]))
    mean = weighting.share_unequal(np.arange(2), np.array([images - filled, filled]))
    name = f"{keyword}?"
    return Column(name, keyword, "categorical", PRESENCE, categories=PRESENCE_CATEGORIES), mean


def _patterns(kept: pl.DataFrame) -> list[dict[str, Any]]:
    """Tags filled in some but not all images, one for each distinct set of images."""
    partly_filled = kept.filter((pl.col("missing_share") > 0) & (pl.col("present") > 0))
    return partly_filled.unique("presence", keep="first", maintain_order=True).to_dicts()


def apply_tag(
    stored: pl.Series, columns: list[Column], body_parts: pl.DataFrame, key: bytes
) -> pl.DataFrame:
    """Return the tag's columns of features, (n, columns); each distinct value is parsed once.

    stored: String (n,), its values, with the tag's keyword as a name; columns: those of the tag.
    """
    keyword, value_columns = stored.name, [c for c in columns if c.parser != PRESENCE]
    parts = []
    if value_columns:
        distinct = stored.unique()
        vr = attribute(keyword).vr
        items = max(_items(keyword, c.name) for c in value_columns)
        parsed = parsers.parse(keyword, vr, distinct, items=items, spellings=body_parts)
        coded = [_coded(parsed[column.name], column, key) for column in value_columns]
        parts.append(expand_to_rows(stored, distinct, coded))
    filled = pl.DataFrame(stored).select(present(keyword).fill_null(False).cast(pl.Int32))
    parts += [filled.rename({keyword: c.name}) for c in columns if c.parser == PRESENCE]
    return pl.concat(parts, how="horizontal")


def expand_to_rows(stored: pl.Series, distinct: pl.Series, coded: list[pl.Series]) -> pl.DataFrame:
    """Return columns over all images from columns over the distinct values.

    stored: String (n,), the values of images; distinct: String (m,); coded: columns (m,), the
    meaning of each distinct value.
    Returns the columns (n,).
    """
    key = "stored value"  # no column of features has a blank in its name
    rows = pl.DataFrame(stored.alias(key))
    meanings = pl.DataFrame([distinct.alias(key), *coded])
    joined = rows.join(meanings, on=key, how="left", maintain_order="left", nulls_equal=True)
    return joined.drop(key)


def _items(keyword: str, name: str) -> int:
    """The least number of items for which there is a column of this name."""
    return 1 if name == keyword else max(2, int(name[len(keyword) + 1 : -1]) + 1)


def _coded(parsed: pl.Series, column: Column, key: bytes) -> pl.Series:
    if column.categories is None:
        return parsed.cast(pl.Float32)
    code = {category: i for i, category in enumerate(column.categories)}
    unseen = len(code)
    texts = parsed.to_list()
    codes = [None if t is None else code.get(t, code.get(_hidden(t, key), unseen)) for t in texts]
    return pl.Series(column.name, codes, dtype=pl.Int32)
