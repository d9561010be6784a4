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


def why_left_out(embeddings: Float32s, sample: pl.DataFrame, k: int) -> str | None:
    """Return why a trial cannot be made, in words that follow its name; None where it can.

    embeddings, sample: as in `trial`; k: the number of the sample's labels, 0 where it has no
    clustering like the one chosen.
    """
    if sample.is_empty():
        return "for which too few patients were left"
    drawn = ~np.isnan(embeddings).any(axis=1)
    if not drawn.any():
        return "of whose images none has a description of its looks"
    if len(np.unique(_units(sample.filter(pl.Series(drawn)))[1])) < 2:
        return "whose images that could be drawn are of one patient"
    if k == 0:
        return "which cannot be divided into about as many clusters as were chosen"
    return "whose images are too alike by their tags to be divided" if k == 1 else None


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
    sample: the `columns` as text, n rows. Missing counts as one more group; a missing series is the
    image alone, a missing patient the series alone.
    Returns a row for each labelling, null and centre: trial, k, labelling, centre, null, distance,
    null_distance (mean over permutations), p (one-sided: share of permutations at least as near,
    including the observed one) and draws (mean distance of each permutation). There are no rows for
    a null whose strata divide nothing, for labellings that are constant inside a null's strata, and
    for `embedding` with too few distinct images for `k`.
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
            continue  # this null would equal the null `series`
        moving = series if null.whole_series else np.arange(len(products))
        rng = np.random.default_rng([seed, zlib.crc32(name.encode()), null.stream])
        sources = nulls.permutations(moving, strata, permutations, rng)
        for labelling in [entry.key for entry in labellings.LABELLINGS if entry.key in labels]:
            if not nulls.constant_within(labels[labelling], strata):
                row = {"trial": name, "k": k, "labelling": labelling, "null": null.key}
                figures = _compared(products, labels[labelling], units, sources)
                rows += [row | by_centre for by_centre in figures]
    return pl.DataFrame(rows, schema=SCHEMA)


def clusterings(clusters: Integers, products: Float32s, k: int) -> dict[str, Int64s]:
    """Return the labellings that are clusterings, from tags and from pixels.

    clusters: integers (n,); products: float32 (n, n), inner products of the embeddings. From
    pixels: k-medoids on their cosine distances, with as many clusters as the tags have.
    """
    labels = {labellings.TAGS.key: clusters.astype(np.int64)}
    for clustering in k_medoids.grid(cosine_distances(products), [k]):
        labels[labellings.EMBEDDING.key] = clustering.labels.astype(np.int64)
    return labels


def group(images: pl.DataFrame, names: Sequence[str]) -> Int64s:
    """Return the group of each image by these columns together, int64 (n,); missing is a value.

    Without columns all images are one group.
    """
    codes = [_codes(images[name]) for name in names]
    return reduce(_crossed, codes, np.zeros(len(images), np.int64))


def _groups(images: pl.DataFrame) -> dict[str, Int64s]:
    by_columns = [labelling for labelling in labellings.LABELLINGS if labelling.columns]
    return {labelling.key: group(images, labelling.columns) for labelling in by_columns}


def _crossed(coarse: Int64s, fine: Int64s) -> Int64s:
    return coarse * (fine.max(initial=0) + 1) + fine


def _codes(texts: pl.Series) -> Int64s:
    return texts.cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.int64)


def _compared(
    products: Float32s, labels: Int64s, units: Int64s, sources: Int32s
) -> Iterator[dict[str, Any]]:
    """A labelling against one null: a row for each kind of centre."""
    all_labels = np.concatenate([labels[None], labels[sources]])  # (1 + permutations, n)
    centres = distances_to_centres(products, all_labels, units)
    for centre, distances in zip(centres._fields, centres, strict=True):
        observed, *random = distances.mean(axis=1).tolist()
        # Values that differ only by rounding count as equal.
        at_most = sum(mean <= observed + 1e-12 for mean in random)
        p = (1 + at_most) / (1 + len(random))
        mean = sum(random) / len(random)
        figures = {"distance": observed, "null_distance": mean, "p": p, "draws": random}
        yield {"centre": centre} | figures


def _units(images: pl.DataFrame) -> tuple[Int64s, Int64s]:
    """Indices of series and of patients; where one is missing, of the next finer level."""
    rows = images.select("series", "patient").with_row_index("row")
    image = pl.concat_str(pl.lit("image "), "row")
    series = pl.coalesce(pl.concat_str(pl.lit("series "), "series"), image)
    patient = pl.coalesce(pl.concat_str(pl.lit("patient "), "patient"), series)
    ranks = [rows.select(each.rank("dense")).to_series().to_numpy() for each in (series, patient)]
    return ranks[0].astype(np.int64), ranks[1].astype(np.int64)
