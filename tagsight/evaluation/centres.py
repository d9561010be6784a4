"""Cosine distances of embeddings to the centre of their label: the paper's measure (§2.4 and §3).

A centre is the mean embedding of the label's images, the image itself included. With noise alone
that distance falls as groups get smaller.
"""

import numpy as np
from numba import prange
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tagsight.arrays import Float32s, Float64s, Int32s, Integers
from tagsight.run.compiling import FAST, kernel


def inner_products(embeddings: Float32s) -> Float32s:
    """Return the inner product of every embedding with every other.

    embeddings: float32 (n, d).
    Returns float32 (n, n), symmetric. All distances here are computed from it, so that a clustering
    costs n² steps whatever the length of an embedding (81,920 values with the paper's network); a
    distance matrix for k-medoids takes the same memory. On one thread, since the order of BLAS's
    sums, and so the last digits, depend on the number of threads.
    """
    rows = np.ascontiguousarray(embeddings, dtype=np.float32)
    with threadpool_limits(1):
        return rows @ rows.T


def distances_to_centres(products: Float32s, labels: Integers) -> Float64s:
    """Return the cosine distance of every image to the centre of its label.

    products: float32 (n, n), finite, of `inner_products`; labels: integers (m, n), m labellings.
    Returns float64 (m, n). A zero embedding or centre is at distance 1.

    With s the sum of a label's embeddings, q·s and s·s are sums of inner products, and
    1 − q·s / (|q||s|) does not depend on whether s is a sum or a mean. The order of every sum is
    fixed, so the result does not depend on the number of threads.
    """
    codes = np.stack([np.unique(row, return_inverse=True)[1] for row in labels]).astype(np.int32)
    to_sum = np.empty(codes.shape)
    _sums_inside(products, codes, to_sum)
    squares = np.stack([np.bincount(c, s)[c] for c, s in zip(codes, to_sum, strict=True)])
    own = np.sqrt(np.maximum(products.diagonal().astype(np.float64), 0))
    far: Float64s = 1 - to_sum / np.maximum(own * np.sqrt(np.maximum(squares, 0)), 1e-30)
    return far


def cosine_distances(products: Float32s) -> Float32s:
    """Return cosine distances from inner products.

    products: float32 (n, n).
    Returns float32 (n, n), symmetric, the diagonal 0. A zero embedding is at distance 1 from all
    others.
    """
    norms = np.sqrt(products.diagonal())
    lengths = np.maximum(np.outer(norms, norms), np.float32(1e-30))
    out: Float32s = np.maximum(1 - products / lengths, np.float32(0))
    np.fill_diagonal(out, 0)
    return out


@kernel(parallel=True, **FAST)
def _sums_inside(products: Float32s, codes: Int32s, out: Float64s) -> None:
    """q·s of each image with the sum of its own label, under m labellings: out (m, n)."""
    for row in prange(products.shape[0]):
        i = np.int64(row)
        for r in range(codes.shape[0]):
            code, total = codes[r, i], 0.0
            for j in range(products.shape[0]):
                total += products[i, j] * (codes[r, j] == code)
            out[r, i] = total
