"""Distances of all pairs of a sample, as far as images are compared."""

import numpy as np
import polars as pl

from tagsight.arrays import Float32s
from tagsight.gower import metric
from tagsight.tags.encoding import to_features
from tagsight.tree.encodings import Tree


def matrix(sample: pl.DataFrame, tree: Tree) -> Float32s:
    """Return Gower's distances between the images of a sample: float32 (n, n), in its order.

    sample: the encoded columns, in a tree `kind`.
    NaN between images of different kinds, and for objects that are no pictures: these are not
    compared.
    """
    distances = np.full((len(sample), len(sample)), np.nan, np.float32)
    for kind, rows in tree.parts(sample.with_row_index("place")):
        encoding, places = tree.of(kind), rows["place"].to_numpy()
        of_kind = metric.matrix(to_features(rows, encoding), encoding.distance)
        distances[np.ix_(places, places)] = of_kind
    return distances
