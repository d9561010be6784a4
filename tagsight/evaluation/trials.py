"""One trial: the labellings of a sample, each tested against the null models (the paper, §3)."""

import zlib
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

import numpy as np
import polars as pl

from tagsight.arrays import Float32s, Int32s, Int64s, Integers
from tagsight.clustering import k_medoids
from tagsight.evaluation import labellings, nulls
from tagsight.evaluation.centres import cosine_distances, distances_to_centres, inner_products

SCHEMA = pl.Schema(
    {
        "trial": pl.String(),
        "k": pl.Int64(),
        "labelling": pl.String(),
        "centre": pl.String(),
        "null": pl.String(),
        "distance": pl.Float64(),
        "null_distance": pl.Float64(),
        "p": pl.Float64(),
        "draws": pl.List(pl.Float64()),
    }
)


def columns() -> list[str]:
    """Return the columns of a sample that trials read: ids, strata and groups."""
    strata = [name for null in nulls.NULLS for name in null.strata]
    groups = [name for labelling in labellings.LABELLINGS for name in labelling.columns]
    return list(dict.fromkeys(["series", "patient", *strata, *groups]))


def trial(
    name: str,
    embeddings: Float32s,
    clusters: Integers,
    sample: pl.DataFrame,
    *,
    k: int,
    permutations: int,
    seed: int,
) -> pl.DataFrame:
    """Return the distances to centres of every labelling, and under every null.

    embeddings: float32 (n, d); NaN rows (images that could not be drawn) are left out.
    clusters: integers (n,), from the tags at `k`.
    sample: the `columns` as text, n rows. Missing counts as a group of its own; a missing series
    is the image alone, a missing patient its series alone.
    Returns a row for each labelling, null and centre: trial, k, labelling, centre, null, distance,
    null_distance (mean over permutations), p (one-sided: share of permutations at least as near,
    the observed one among them) and draws (mean distance of each permutation). A null whose strata
    divide nothing has no rows; labellings that are constant inside a null's strata have no row for
    it; nor has `embedding` where there are too few distinct images for `k`.
    """
    drawn = ~np.isnan(embeddings).any(axis=1)
    products = inner_products(embeddings[drawn])  # (n, n)
    images = sample.select(columns()).filter(pl.Series(drawn))
    series, units = _units(images)
    labels = {**clusterings(clusters[drawn], products, k), **_groups(images)}
    rows: list[dict[str, Any]] = []
    for null in sorted(nulls.NULLS, key=lambda null: null.stream):
        strata = group(images, null.strata)
        if null.strata and len(np.unique(strata)) == 1:
            continue  # it would be the null `series` under another name
        moving = series if null.whole_series else np.arange(len(products))
        rng = np.random.default_rng([seed, zlib.crc32(name.encode()), null.stream])
        sources = nulls.permutations(moving, strata, permutations, rng)
        for labelling in [each.key for each in labellings.LABELLINGS if each.key in labels]:
            if not nulls.constant_within(labels[labelling], strata):
                row = {"trial": name, "k": k, "labelling": labelling, "null": null.key}
                figures = _compared(products, labels[labelling], units, sources)
                rows += [row | each for each in figures]
    return pl.DataFrame(rows, schema=SCHEMA)


def clusterings(clusters: Integers, products: Float32s, k: int) -> dict[str, Int64s]:
    """Return the labellings that are not made of columns, those from tags and from pixels.

    clusters: integers (n,); products: float32 (n, n), inner products of the embeddings. From
    pixels: k-medoids on their cosine distances, with as many clusters as the tags have.
    """
    labels = {labellings.TAGS.key: clusters.astype(np.int64)}
    for clustering in k_medoids.grid(cosine_distances(products), [k]):
        labels[labellings.EMBEDDING.key] = clustering.labels.astype(np.int64)
    return labels


def group(images: pl.DataFrame, names: Sequence[str]) -> Int64s:
    """Return the group of each image by some columns together, int64 (n,); missing is a value.

    Without columns all images are one group.
    """
    codes = [_codes(images[name]) for name in names]
    return reduce(_crossed, codes, np.zeros(len(images), np.int64))


def _groups(images: pl.DataFrame) -> dict[str, Int64s]:
    known = [labelling for labelling in labellings.LABELLINGS if labelling.columns]
    return {labelling.key: group(images, labelling.columns) for labelling in known}


def _crossed(coarse: Int64s, fine: Int64s) -> Int64s:
    return coarse * (fine.max(initial=0) + 1) + fine


def _codes(texts: pl.Series) -> Int64s:
    return texts.cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.int64)


def _compared(
    products: Float32s, labels: Int64s, units: Int64s, sources: Int32s
) -> Iterator[dict[str, Any]]:
    """A labelling against one null: a row for each kind of centre."""
    every = np.concatenate([labels[None], labels[sources]])  # (1 + permutations, n)
    centres = distances_to_centres(products, every, units)
    for centre, distances in zip(centres._fields, centres, strict=True):
        observed, *random = distances.mean(axis=1).tolist()
        # Equal but for rounding counts as equal.
        near = sum(each <= observed + 1e-12 for each in random)
        p = (1 + near) / (1 + len(random))
        mean = sum(random) / len(random)
        figures = {"distance": observed, "null_distance": mean, "p": p, "draws": random}
        yield {"centre": centre} | figures


def _units(images: pl.DataFrame) -> tuple[Int64s, Int64s]:
    """Numbers of series and of patients; what is missing falls back on the next finer level."""
    rows = images.select("series", "patient").with_row_index("row")
    image = pl.concat_str(pl.lit("image "), "row")
    series = pl.coalesce(pl.concat_str(pl.lit("series "), "series"), image)
    patient = pl.coalesce(pl.concat_str(pl.lit("patient "), "patient"), series)
    ranks = [rows.select(each.rank("dense")).to_series().to_numpy() for each in (series, patient)]
    return ranks[0].astype(np.int64), ranks[1].astype(np.int64)
