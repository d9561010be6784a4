"""One trial: a sample's clusterings, each against nulls of its own (the paper, §3).

Beside the clusters from tags stand yardsticks: the groups that modality, modality and body part,
or manufacturer alone make, and k-medoids on the embeddings themselves (the best to be had).
"""

import zlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight.clustering import k_medoids
from tagsight.evaluation.centres import cosine_distances, distances_to_centres, inner_products
from tagsight.evaluation.nulls import NULLS, STRATA, constant_within, draws

Integers = NDArray[np.int64]

LABELLINGS = ("tags", "modality", "modality_body_part", "manufacturer", "embedding")


def trial(
    name: str,
    embeddings: NDArray[np.float32],
    clusters: NDArray[np.integer],
    *,
    series: pl.Series,
    patient: pl.Series,
    modality: pl.Series,
    body_part: pl.Series,
    manufacturer: pl.Series,
    k: int,
    permutations: int,
    seed: int,
) -> pl.DataFrame:
    """Distances to centres of every labelling, and under every null: rows of `trials/{sample}`.

    `embeddings` (n, d) float32, NaN rows (images that could not be drawn) are left out;
    `clusters` (n,) from the tags at `k`; the others String (n,), null = missing, which counts as a
    group of its own (a missing series: the image alone; a missing patient: its series alone).
    Columns: trial, k, labelling, centre, null, distance, null_distance (mean over permutations),
    p (one-sided: share of permutations at least as near, the observed one among them) and draws
    (mean distance of each permutation). A null whose strata divide nothing has no rows; labellings
    that are constant inside a null's strata have no row for it; nor has `embedding` where there are
    too few distinct images for `k`.
    """
    seen = ~np.isnan(embeddings).any(axis=1)
    products = inner_products(embeddings[seen])  # (n, n)
    texts = [
        s.filter(pl.Series(seen)) for s in (series, patient, modality, body_part, manufacturer)
    ]
    of_series, units = _units(texts[0], texts[1])
    groups = _groups(*texts[2:])
    labellings = {"tags": clusters[seen].astype(np.int64), **groups, **_nearest(products, k)}
    out = []
    for number, null in enumerate(NULLS):
        strata = _strata(null, groups, len(products))
        if null in STRATA and len(np.unique(strata)) == 1:
            continue  # it would be the null `series` under another name
        moving = np.arange(len(products)) if null == "images" else of_series
        rng = np.random.default_rng([seed, zlib.crc32(name.encode()), number])
        sources = draws(moving, strata, permutations, rng)
        for labelling in [q for q in LABELLINGS if q in labellings]:
            labels = labellings[labelling]
            if not constant_within(labels, strata):
                one = {"trial": name, "k": k, "labelling": labelling, "null": null}
                out += [one | each for each in _compare(products, labels, units, sources)]
    return pl.DataFrame(out, schema=SCHEMA)


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


def _compare(
    products: NDArray[np.float32], labels: Integers, units: Integers, sources: NDArray[np.int32]
) -> list[dict[str, object]]:
    """A labelling against one null: a row for each kind of centre."""
    found = distances_to_centres(products, np.concatenate([labels[None], labels[sources]]), units)
    out: list[dict[str, object]] = []
    for centre, distances in zip(found._fields, found, strict=True):
        observed, *random = distances.mean(axis=1).tolist()
        # Equal but for rounding counts as equal.
        near = sum(each <= observed + 1e-12 for each in random)
        p = (1 + near) / (1 + len(random))
        mean = sum(random) / len(random)
        figures = {"distance": observed, "null_distance": mean, "p": p, "draws": random}
        out.append({"centre": centre} | figures)
    return out


def _units(series: pl.Series, patient: pl.Series) -> tuple[Integers, Integers]:
    """Numbers of series and of patients; what is missing falls back on the next finer level."""
    frame = pl.DataFrame({"series": series, "patient": patient}).with_row_index("row")
    own = pl.concat_str(pl.lit("image "), "row")
    one = pl.coalesce(pl.concat_str(pl.lit("series "), "series"), own)
    two = pl.coalesce(pl.concat_str(pl.lit("patient "), "patient"), one)
    first, second = (frame.select(each.rank("dense")).to_series() for each in (one, two))
    return first.to_numpy().astype(np.int64), second.to_numpy().astype(np.int64)


def _groups(
    modality: pl.Series, body_part: pl.Series, manufacturer: pl.Series
) -> dict[str, Integers]:
    """Labellings by outside labels; missing is a group of its own."""
    a, b, c = (_numbers(each) for each in (modality, body_part, manufacturer))
    return {
        "modality": a,
        "modality_body_part": a * (b.max(initial=0) + 1) + b,
        "manufacturer": c,
    }


def _numbers(texts: pl.Series) -> Integers:
    return texts.cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.int64)


def _strata(null: str, groups: dict[str, Integers], n: int) -> Integers:
    return groups["_".join(STRATA[null])] if null in STRATA else np.zeros(n, np.int64)


def _nearest(products: NDArray[np.float32], k: int) -> dict[str, Integers]:
    """k-medoids on the embeddings' cosine distances, with as many clusters as the tags have."""
    found = k_medoids.grid(cosine_distances(products), [k])
    return {"embedding": found[0].labels.astype(np.int64)} if found else {}
