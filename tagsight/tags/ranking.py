"""The order of tags by information: by entropy, or by the Laplacian score of neighbours.

Both use a random sample of images. `entropy`: H(value | present) times the share of images that
have the tag, with numbers and categories in at most 16 levels, as a fraction of the entropy of 16
equal levels. `laplacian`: 1 - the Laplacian score (He, Cai & Niyogi, "Laplacian score for feature
selection", NIPS 2005) on the graph of each image's 5 nearest by Gower's distance, times that share;
higher is better. 1 - score is how similar a tag is between neighbours, from 1 (equal) over 0 (as
between any two images) down to -1.

Tags that nearly repeat others are found by symmetric uncertainty (mutual information
over the mean entropy, 0 to 1), as in Yu & Liu, "Feature selection for high-dimensional data: a fast
correlation-based filter solution" (ICML 2003). Missing counts as one more value.
"""

import zlib
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl

from tagsight.arrays import Bools, Float64s, Floats, Int32s, Int64s, Integers
from tagsight.gower.features import Features
from tagsight.tags import encoding, fitting

Method = Literal["entropy", "laplacian"]

IMAGES = 5000  # in the sample, one per series
LEVELS = 16
NEIGHBOURS = 5


class Ranking(NamedTuple):
    """Scores of tags: keywords (t,); score (t,), the higher the better; repeats (t, t).

    repeats[a, b]: how nearly tag a repeats tag b, 0 to 1; the minimum over a's items.
    """

    keywords: list[str]
    score: Float64s
    repeats: Float64s


class Graph(NamedTuple):
    """A graph of neighbours: undirected edges a[e] to b[e] of similarity s[e] > 0; (e,)."""

    a: Int64s
    b: Int64s
    s: Float64s


def rank(
    method: Method,
    tags: pl.LazyFrame,
    frequencies: pl.DataFrame,
    keywords: Sequence[str],
    body_parts: pl.DataFrame,
    seed: int,
) -> Ranking:
    """Return the scores of tags by a sample of the archive.

    tags, frequencies, body_parts: as for fitting.fit; keywords: the tags; seed: of the sample.

    A tag that has no two different values in the sample scores 0 and repeats nothing. The result
    does not depend on the order of the rows.
    """
    sample = draw_images(tags, IMAGES, seed)
    fitted = fitting.fit(
        sample.lazy(),
        frequencies,
        pl.DataFrame({"keyword": keywords}, {"keyword": pl.String}).with_columns(
            fate=pl.lit("kept"), reason=pl.lit("kept")
        ),
        distance="linear",
        presence_weight=0,
        body_parts=body_parts,
        key=b"",  # nothing is hidden, since nothing is written
        min_patients=1,
        scale="rank",
    )
    if not fitted.columns:
        return Ranking(list(keywords), np.zeros(len(keywords)), np.zeros((len(keywords),) * 2))
    frame = fitting.apply(sample, fitted, body_parts, b"")
    features = encoding.to_features(frame, fitted)
    levels = _levels(features)
    scores = entropy(levels) if method == "entropy" else laplacian(features, neighbours(features))
    numbers = {keyword: i for i, keyword in enumerate(keywords)}
    kinds = ("numeric", "categorical")
    owner = [numbers[c.keyword] for kind in kinds for c in fitted.columns if c.kind == kind]
    return _of_tags(list(keywords), np.array(owner), scores, symmetric_uncertainty(levels))


def draw_images(tags: pl.LazyFrame, images: int, seed: int) -> pl.DataFrame:
    """Return the rows of at most `images` images, drawn by `seed`, in order of `image`.

    At most one image of a series is drawn, its first by name; an image without a series counts as a
    series. The result does not depend on the order of the rows. The archive is read twice.
    """
    unit, image = pl.coalesce("series", "image"), pl.col("image")
    series = tags.group_by(unit=unit).agg(first=image.min()).collect(engine="streaming")
    rng = np.random.default_rng([seed, zlib.crc32(b"ranking")])
    chosen = series.sort("unit")["first"].gather(rng.permutation(len(series))[:images])
    return tags.filter(image.is_in(chosen.implode())).collect(engine="streaming").sort("image")


def entropy(levels: Int64s) -> Float64s:
    """Return H(level | present) x share present / log LEVELS of each column, (q,).

    levels: int64 (n, q), 0 to LEVELS - 1; LEVELS = missing.
    """
    counts = np.array([np.bincount(x, minlength=LEVELS + 1)[:LEVELS] for x in levels.T])
    filled = counts.sum(axis=1)
    return _entropy(counts) * filled / max(len(levels), 1) / np.log(LEVELS)


def symmetric_uncertainty(levels: Int64s) -> Float64s:
    """Return 2 I(a; b) / (H(a) + H(b)) of all pairs of columns, (q, q); 0 where neither varies.

    levels: int64 (n, q), 0 to LEVELS; missing is a level like any other.
    """
    q = levels.shape[1]
    size = LEVELS + 1
    single = np.array([_entropy(np.bincount(x, minlength=size)) for x in levels.T])
    out = np.zeros((q, q))
    for a in range(q):
        shifted = levels[:, a] * size
        for b in range(a + 1):
            joint = _entropy(np.bincount(shifted + levels[:, b]))
            shared, total = single[a] + single[b] - joint, single[a] + single[b]
            out[a, b] = out[b, a] = 2 * shared / total if total > 0 else 0.0
    return out


def neighbours(features: Features) -> Graph:
    """Return the graph that joins each row with its NEIGHBOURS nearest rows.

    In a tie the first rows are joined; rows at distance 1 are not. Similarity is 1 - distance.
    """
    from tagsight.gower import metric  # imports numba, which `entropy` does not need

    distances = metric.matrix(features)
    np.fill_diagonal(distances, np.inf)
    near = np.argsort(distances, axis=1, kind="stable")[:, :NEIGHBOURS]  # (n, 5)
    rows = np.repeat(np.arange(len(near)), near.shape[1])
    pairs = np.sort(np.stack([rows, near.ravel()]), axis=0)
    a, b = np.unique(pairs, axis=1)
    s = 1 - distances[a, b].astype(np.float64)
    return Graph(a[s > 0], b[s > 0], s[s > 0])


def laplacian(features: Features, graph: Graph) -> Float64s:
    """Return (1 - Laplacian score) x share present of each column, numbers first, (q,).

    The graph of a column is that of the rows that have it. A category's score is that of its
    indicator variables together: sums of their numerators over sums of their denominators.
    0 where a column does not vary among rows that are joined.
    """
    scores = [_autocorrelation(x, np.isfinite(x), graph, _squares) for x in features.numeric.T] + [
        _autocorrelation(x, x >= 0, graph, _unlike) for x in features.categorical.T
    ]
    return np.array(scores)


# From x, degree (n,), xa, xb, similarity (e,): the variance of a column x weighted by degree, and
# that between joined rows, whose values are xa and xb.
_Variances = Callable[..., tuple[float, float]]


def _autocorrelation(x: Any, present: Bools, graph: Graph, variances: _Variances) -> float:
    """1 - L_r = 1 - f'Lf / f'Df, f centred by its mean by degree, times the share present."""
    both_present = present[graph.a] & present[graph.b]
    a, b, s = (edges[both_present] for edges in graph)
    degree = np.bincount(np.concatenate([a, b]), np.concatenate([s, s]), len(x))
    joined = degree > 0
    total, between = variances(x[joined], degree[joined], x[a], x[b], s)
    return float((1 - between / total) * present.mean()) if total > 1e-12 else 0.0


def _squares(
    x: Floats, degree: Float64s, xa: Floats, xb: Floats, s: Float64s
) -> tuple[float, float]:
    x, xa, xb = (values.astype(np.float64) for values in (x, xa, xb))
    centred = x - (x * degree).sum() / max(degree.sum(), 1e-300)
    return float((degree * centred**2).sum()), float((s * (xa - xb) ** 2).sum())


def _unlike(
    x: Int32s, degree: Float64s, xa: Int32s, xb: Int32s, s: Float64s
) -> tuple[float, float]:
    total = degree.sum()
    shares = np.bincount(x, degree) / max(total, 1e-300)
    return float(total * (1 - (shares**2).sum())), float(2 * (s * (xa != xb)).sum())


def _levels(features: Features) -> Int64s:
    """Columns in LEVELS levels, numbers first: int64 (n, q); LEVELS = missing."""
    ranks = np.nan_to_num(features.numeric, nan=1.0)
    numbers = np.minimum((ranks * LEVELS).astype(np.int64), LEVELS - 1)
    numbers[np.isnan(features.numeric)] = LEVELS
    categories = [_commonest(codes) for codes in features.categorical.T]
    return np.column_stack([numbers, *categories]).astype(np.int64)


def _commonest(codes: Int32s) -> Int64s:
    """The LEVELS - 1 most frequent codes as levels, all others as one; in a tie the lower first."""
    counts = np.bincount(codes[codes >= 0])
    place = np.empty(len(counts) + 1, np.int64)
    place[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    place = np.minimum(place, LEVELS - 1)
    place[-1] = LEVELS  # of code -1
    return place[codes]


def _entropy(counts: Integers) -> Any:
    """Entropy in nats of counts along the last axis."""
    total = np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    shares = counts / total
    return -(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=-1)


def _of_tags(keywords: list[str], owner: Int64s, scores: Float64s, repeats: Float64s) -> Ranking:
    """Scores by tag, means over columns; a tag repeats another as its least similar column does.

    owner: (q,), the index of each column's tag.
    """
    tags = [np.flatnonzero(owner == i) for i in range(len(keywords))]
    score = np.array([scores[columns].mean() if len(columns) else 0.0 for columns in tags])
    between = np.zeros((len(tags), len(tags)))
    for a, columns in enumerate(tags):
        for b, others in enumerate(tags):
            if len(columns) and len(others):
                between[a, b] = repeats[np.ix_(columns, others)].max(axis=1).min()
    return Ranking(keywords, score, between)
