"""The paper's test of one trial: distances to the centres of labels, and of permuted labels (§3).

Its centre is the mean of a label's images, the image itself included; its labels are permuted image
by image. Both flatter labels: the first falls as groups get smaller even where labels mean nothing,
and the second takes slices of a series to be independent. So it stands beside the pair statistic,
for comparison with the paper, and nothing is concluded from it.
"""

import zlib

import numpy as np
import polars as pl

from tagsight.arrays import Float32s, Integers
from tagsight.evaluation.centres import distances_to_centres, inner_products

SCHEMA = pl.Schema(
    {
        "trial": pl.String(),
        "k": pl.Int64(),
        "labelling": pl.String(),
        "centre": pl.String(),
        "null": pl.String(),
        "distance": pl.Float64(),
        "null_distance": pl.Float64(),
    }
)
KIND = {"labelling": "tags", "centre": "in_sample", "null": "images"}  # the paper's


def why_left_out(embeddings: Float32s, sample: pl.DataFrame, k: int) -> str | None:
    """Return why a trial cannot be made, in words that follow its name; None where it can.

    embeddings: as in `trial`; sample: `image`, `series`, `patient`, n rows; k: the number of the
    sample's labels, 0 where it has no clustering like the one chosen.
    """
    if sample.is_empty():
        return "for which too few patients were left"
    drawn = ~np.isnan(embeddings).any(axis=1)
    if not drawn.any():
        return "of whose images none has a description of its looks"
    people = sample.filter(pl.Series(drawn)).select(pl.coalesce("patient", "series", "image"))
    if people.n_unique() < 2:
        return "whose images that could be drawn are of one patient"
    if k == 0:
        return "which cannot be divided into about as many clusters as were chosen"
    return "whose images are too alike by their tags to be divided" if k == 1 else None


def trial(
    name: str, embeddings: Float32s, labels: Integers, *, k: int, permutations: int, seed: int
) -> pl.DataFrame:
    """Return the distance of images to the centre of their label, and its mean if permuted.

    embeddings: float32 (n, d); NaN rows (images that could not be drawn) are left out.
    labels: integers (n,), of which there are k. permutations: how many; seed: of these.
    Returns a row of SCHEMA.
    """
    drawn = ~np.isnan(embeddings).any(axis=1)
    observed = labels[drawn]
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    permuted = [rng.permutation(observed) for _ in range(permutations)]
    products = inner_products(embeddings[drawn])
    distances = distances_to_centres(products, np.stack([observed, *permuted])).mean(axis=1)
    figures = {"distance": distances[0], "null_distance": distances[1:].mean()}
    return pl.DataFrame([{"trial": name, "k": k, **KIND, **figures}], schema=SCHEMA)
