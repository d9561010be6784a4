"""The encodings of all kinds of images, fitted to an archive and applied to any image.

Three groups of columns share the weight of a kind's distance: the region, the words of technique
(facets), and the tags of its content. What a group lacks in a kind goes to the others, since
Gower's distance is a weighted mean.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from tagsight.arrays import Integers
from tagsight.gower.features import Distance
from tagsight.tags import fitting, scales, weighting
from tagsight.tags.encoding import PRESENCE, PRESENCE_CATEGORIES, Column, Encoding, fit_scale
from tagsight.tags.kind_frequencies import sizes, tally
from tagsight.tags.quantities import without_uncalibrated
from tagsight.terms.name_words import order_of
from tagsight.tree.encodings import REGION, WORD, Branch, Tree

log = logging.getLogger(__name__)

# A word's presence counts half of the word: without it a row that states nothing would be near to
# all others, and become the medoid of a cluster that means nothing.
PRESENCE_OF_WORDS = 0.5


@dataclass(frozen=True)
class Shares:
    """How the weight of a kind's distance is divided; the tags of content have what is left.

    region: share of the region; facets: of all words of technique together; presence: weight of the
    presence of a tag of content, relative to that of its values.
    """

    region: float
    facets: float
    presence: float


def fit_tree(
    tags: pl.LazyFrame,
    by_kind: pl.DataFrame,
    selection: pl.DataFrame,
    words: pl.DataFrame,
    *,
    distance: Distance,
    scale: scales.Kind,
    shares: Shares,
    body_parts: pl.DataFrame,
    key: bytes,
    min_patients: int = 3,
    weights: weighting.Kind = "equal",
) -> Tree:
    """Return the encodings of all kinds, fitted to all images.

    tags: all shards with their content; by_kind: of `kind_frequencies.kind_frequencies`; selection:
    of `kind_selection.kind_selection`; words: of `kind_frequencies.words`; body_parts, key,
    min_patients: see `fitting.fit`; weights: of the tags among each other, `equal` or such that
    each adds the same to the mean distance of its kind.

    A column has the same categories in all kinds. It is left out of a kind in which it does not
    have two different values.
    """
    tags, kinds = without_uncalibrated(tags), sizes(tags)
    kept = selection.filter(pl.col("fate") == "kept").join(by_kind, on=["kind", "keyword"])
    values: dict[str, list[Column]] = {kind: [] for kind in kinds["kind"]}
    for (keyword,), where in kept.group_by("keyword", maintain_order=True):
        of_kinds = tags.filter(pl.col("kind").is_in(where["kind"].to_list()))
        fitted = fitting.fit_tag(of_kinds, str(keyword), scale, body_parts, key, min_patients)
        columns = [column for column, _ in fitted]
        by_kinds = _by_kind(of_kinds, str(keyword), columns, scale, body_parts, key)
        for kind, of_kind in by_kinds.items():
            values[kind] += [_weighing(column, mean, weights) for column, mean in of_kind]
    branches = {}
    for kind, picture, images in kinds.select("kind", "picture", "images").iter_rows():
        stated = _stated(words, kind) / images
        groups = _Groups(
            _words(words, kind, images, [REGION]),
            _words(words, kind, images, _facets(words)),
            values[kind],
            _presence(kept.filter(pl.col("kind") == kind), weights),
        )
        weighted = groups.weighted(shares, stated) if picture else []
        branches[kind] = Branch(images, picture, Encoding(distance, tuple(weighted), scale))
    return Tree(branches)


def apply_tree(
    tags: pl.DataFrame | pl.LazyFrame,
    content: pl.DataFrame,
    tree: Tree,
    body_parts: pl.DataFrame,
    key: bytes,
) -> pl.DataFrame:
    """Return the encoded columns of images.

    tags: a table of tags; content: of the same images, in the same order; body_parts, key: see
    `fitting.apply`.
    Returns `image`, `kind` and the columns of all kinds of pictures: Float32, or Int32 codes; null
    = missing. A word that was not seen at the fit gets the code len(categories).
    """
    of_words = [c for c in tree.columns if c.keyword in content.columns]
    of_tags = [c for c in tree.columns if c.keyword not in content.columns]
    table = fitting.apply(tags, Encoding("linear", tuple(of_tags)), body_parts, key)
    coded = [_coded_words(content[c.keyword], c) for c in of_words]
    frame = pl.concat([table, pl.DataFrame(coded)], how="horizontal") if coded else table
    order = [column.name for column in tree.columns]
    return frame.with_columns(content["kind"]).select("image", "kind", *order)


@dataclass(frozen=True)
class _Groups:
    """The columns of a kind, in the groups that share the weight."""

    region: list[Column]
    facets: list[Column]
    values: list[Column]
    presence: list[Column]

    def weighted(self, shares: Shares, stated: float) -> list[Column]:
        """Return all columns with their weights; they add up to 1 where no group is empty.

        stated: share of the images with a region. So much of the region's share counts: whether
        a region is stated says nothing of what was imaged.
        """
        region = shares.region * stated
        content = 1 - region - shares.facets
        tags = [
            *self.values,
            *(_times(c, c.weight * shares.presence) for c in self.presence),
        ]
        groups = [(self.region, region), (self.facets, shares.facets), (tags, content)]
        return [column for group, share in groups for column in _shared(group, share)]


def _times(column: Column, weight: float) -> Column:
    return replace(column, weight=weight)


def _shared(columns: Sequence[Column], share: float) -> list[Column]:
    """Columns whose weights, in the same proportions, add up to `share`."""
    total = sum(column.weight for column in columns)
    return [_times(c, c.weight / total * share) for c in columns if c.weight and share]


def _by_kind(
    tags: pl.LazyFrame,
    keyword: str,
    columns: list[Column],
    scale: scales.Kind,
    body_parts: pl.DataFrame,
    key: bytes,
) -> dict[str, list[tuple[Column, float]]]:
    """Kind → its columns of two values or more, on its scales, each with its mean distance."""
    if not columns:
        return {}
    counts = tally(tags, keyword)
    distinct = counts["value"].unique().alias(keyword)
    coded = fitting.apply_tag(distinct, columns, body_parts, key)
    meanings = pl.concat([distinct.to_frame("value"), coded], how="horizontal")
    joined = counts.join(meanings, on="value", how="left", maintain_order="left")
    return {
        str(kind): [c for column in columns if (c := _within(column, rows, scale)) is not None]
        for (kind,), rows in joined.group_by("kind", maintain_order=True)
    }


def _weighing(column: Column, mean: float, weights: weighting.Kind) -> Column:
    """The column with its weight among tags; mean: its mean distance."""
    if weights != "commensurable":  # those of `looks` are learned later
        return column
    return _times(column, column.weight / max(mean, weighting.LEAST_MEAN))


def _within(column: Column, rows: pl.DataFrame, scale: scales.Kind) -> tuple[Column, float] | None:
    """The column with a kind's scale and its mean distance; None without two different values.

    rows: the kind's distinct values, coded, and `n`.
    """
    coded = rows[column.name]
    if coded.drop_nulls().n_unique() < 2:
        return None
    if column.categories is None:
        column = replace(column, **fit_scale(coded, scale, rows["n"])._asdict())
    return column, fitting.mean_distance(coded, rows["n"], column)


def _facets(words: pl.DataFrame) -> list[str]:
    return [c for c in words["column"].unique(maintain_order=True) if c != REGION]


def _words(words: pl.DataFrame, kind: str, images: int, names: Sequence[str]) -> list[Column]:
    """The columns of words in a kind: the words, and whether there is one.

    Each weighs what it divides, the share of pairs of images that differ in it: of a word that
    nearly all images share, or that few have, little of the facets' share is taken. And the sooner
    it is spoken of images of this kind, the more it weighs (see `_salience`). Of a facet with
    a single word, such as a localizer, it counts in full whether there is one; a single region
    tells nothing.
    """
    columns = []
    for name in names:
        every = words.filter(pl.col("column") == name)
        here = every.filter(pl.col("kind") == kind)["images"].to_numpy()
        filled = int(here.sum())
        salience = _salience(kind, name)
        known = _divided(np.array([images - filled, filled])) * salience
        if len(here) > 1:
            categories = tuple(every["word"].unique().sort())
            column = Column(f"{WORD}.{name}", name, "categorical", WORD, categories=categories)
            columns.append(_times(column, _divided(here) * salience))
            known *= PRESENCE_OF_WORDS
        if known and (len(here) > 1 or name != REGION):
            columns.append(_times(_is_present(f"{WORD}.{name}", name), known))
    return columns


def _salience(kind: str, name: str) -> float:
    """The weight of a facet by its place in the order in which a name of this kind has its words.

    A weighting says more of an MR image than its plane does; see data/name_order.csv.
    """
    order = order_of(kind).columns
    place = order.index(name) if name in order else len(order)
    return float(1 / np.sqrt(1 + place))


def _stated(words: pl.DataFrame, kind: str) -> int:
    """How many images of a kind have a region."""
    of_region = words.filter((pl.col("column") == REGION) & (pl.col("kind") == kind))
    return int(of_region["images"].sum())


def _divided(counts: Integers) -> float:
    """The share of pairs of images that differ, of classes of so many images each."""
    return weighting.share_unequal(np.arange(len(counts)), counts)


def _is_present(name: str, keyword: str) -> Column:
    return Column(f"{name}?", keyword, "categorical", PRESENCE, categories=PRESENCE_CATEGORIES)


def _presence(kept: pl.DataFrame, weights: weighting.Kind) -> list[Column]:
    """The presence of tags that some images of a kind lack, one for each distinct set of images."""
    partly = kept.filter((pl.col("present") > 0) & (pl.col("present") < pl.col("images")))
    distinct = partly.unique("presence", keep="first", maintain_order=True)
    rows = distinct.select("keyword", "present", "images").iter_rows()
    return [
        _weighing(
            _is_present(keyword, keyword),
            weighting.share_unequal(np.arange(2), np.array([images - filled, filled])),
            weights,
        )
        for keyword, filled, images in rows
    ]


def _coded_words(words: pl.Series, column: Column) -> pl.Series:
    """Codes of words (n,), null where there is none; or whether there is one."""
    if column.parser == PRESENCE:
        return words.is_not_null().cast(pl.Int32).alias(column.name)
    code: Mapping[str, int] = {word: i for i, word in enumerate(column.categories or ())}
    coded = words.replace_strict(code, default=len(code), return_dtype=pl.Int32)
    return pl.select(pl.when(words.is_not_null()).then(coded)).to_series().alias(column.name)
