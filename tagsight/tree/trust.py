"""How far a label of an image can be trusted: whether it has it again when patients are drawn anew.

Each bootstrap of patients (`interpretation.tree_stability`) has leaves of its own. Any image is in
one of them as it is in a leaf of the run: by the nearest medoid of its kind and region. A
bootstrap's leaf stands for that leaf of the run whose images of the tuning sample, its core, it has
the largest Jaccard coefficient with, and so for a label. An image stays with its label's core where
its leaf stands for its label: leaves that no word tells apart may well change places.

Source: after Hennig, "Cluster-wise assessment of cluster stability" (2007), for single images.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tagsight.arrays import Int32s, Int64s
from tagsight.gower import metric
from tagsight.gower.distinct_rows import collapse
from tagsight.gower.features import Features
from tagsight.tags.encoding import Encoding, to_features
from tagsight.tree.clusters import leaf_codes, region_codes
from tagsight.tree.encodings import Tree
from tagsight.tree.growth import REST

CHUNK = 20_000  # images whose columns are held at a time
PIECE = 2_048  # images whose distances to all medoids are held at a time: they fit the cache
NONE = 0  # in the place of a leaf or a label


def trust(
    images: pl.DataFrame,
    nearest: pl.DataFrame,
    sample: pl.DataFrame,
    members: pl.DataFrame,
    bootstraps: pl.DataFrame,
    tree: Tree,
    leaf_labels: Mapping[int, int],
) -> pl.Series:
    """Return the share of bootstraps in which each image stays with its label's core.

    images: `image`, `kind` and the encoded columns; nearest: the same images in the same order,
    with `cluster` (leaf) and `distance`; sample: the tuning sample, as `images`; members: its
    images in the leaves of the run; bootstraps: as in bootstraps.parquet; leaf_labels: leaf →
    label.
    Returns Float32 (n,) from 0 to 1. Null where it can't be told: an image without a distance, of a
    kind of one patient, or of a label that no image of the sample has. A bootstrap that has no leaf
    for the region of an image counts as one in which it does not stay.
    """
    labels = _labels(nearest["cluster"], leaf_labels)
    shares = np.full(len(images), np.nan, np.float32)
    cores = sample.join(members.select("image", "cluster"), on="image", maintain_order="left")
    for (kind,), drawn in bootstraps.group_by("kind", maintain_order=True):
        encoding = tree.of(str(kind))
        medoids = _Medoids(drawn, sample, encoding)
        inside = cores.filter(pl.col("kind") == kind).drop_nulls("cluster")
        core = _stands_for(medoids.leaves_of(inside), inside["cluster"].to_numpy(), len(drawn))
        stands_for = np.append(_labels(pl.Series(core), leaf_labels), NONE)  # of no leaf: the last
        known = (images["kind"] == kind).to_numpy() & nearest["distance"].is_not_null().to_numpy()
        known &= np.isin(labels, _labels(inside["cluster"].unique(), leaf_labels))
        known &= labels != NONE
        rows = np.flatnonzero(known)
        for some in np.split(rows, range(CHUNK, len(rows), CHUNK)):
            found = stands_for[medoids.leaves_of(images[some])]
            shares[some] = (found == labels[some, None]).mean(axis=1)
    return pl.Series("trust", shares).fill_nan(None)


def _labels(leaves: pl.Series, leaf_labels: Mapping[int, int]) -> Int32s:
    """The label of each leaf, int32 (n,); NONE where there is none."""
    labels: Int32s = leaves.replace_strict(
        dict(leaf_labels), default=NONE, return_dtype=pl.Int32
    ).to_numpy()
    return labels


class _Medoids:
    """The medoids of all bootstraps of a kind; one that several have is compared with once."""

    def __init__(self, drawn: pl.DataFrame, sample: pl.DataFrame, encoding: Encoding) -> None:
        """Read the leaves of a kind.

        drawn: `bootstrap`, `region` and `image`; sample: `image` and the columns of `encoding`.
        """
        images = drawn["image"].unique().sort()
        rows = pl.DataFrame({"image": images}).join(sample, on="image", maintain_order="left")
        _, names = region_codes(rows, encoding)
        self.encoding = encoding
        self.features = to_features(rows, encoding)
        self.medoid: Int64s = images.search_sorted(drawn["image"]).to_numpy().astype(np.int64)
        self.region = leaf_codes(drawn["region"], names)
        order = np.lexsort((self.medoid, drawn["bootstrap"].to_numpy()))
        ends = np.flatnonzero(np.diff(drawn["bootstrap"].to_numpy()[order])) + 1
        self.of_bootstrap: list[Int64s] = np.split(order, ends)

    def leaves_of(self, images: pl.DataFrame) -> Int32s:
        """Return the leaf of each image in each bootstrap: int32 (n, bootstraps), a row of `drawn`.

        It is -1 where a bootstrap has several leaves and none for the region of the image. Of
        equally near medoids the lower `image` counts, as in `placing.place`.
        """
        distinct = collapse(to_features(images, self.encoding))
        codes = region_codes(images, self.encoding)[0][distinct.first]
        out = np.empty((len(codes), len(self.of_bootstrap)), np.int32)
        for code in np.unique(codes):
            rows = np.flatnonzero(codes == code)
            allowed = [self._allowed(leaves, int(code)) for leaves in self.of_bootstrap]
            for some in np.split(rows, range(PIECE, len(rows), PIECE)):
                out[some] = self._nearest(distinct.features.take(some), allowed)
        return out[distinct.row]

    def _allowed(self, leaves: Int64s, region: int) -> Int64s:
        """Of the leaves of a bootstrap those that images of a region may be in.

        One leaf alone is the whole kind, whatever region its few patients were of.
        """
        if len(leaves) == 1:
            return leaves
        own = leaves[self.region[leaves] == region]
        return own if len(own) else leaves[self.region[leaves] == REST]

    def _nearest(self, images: Features, allowed: Sequence[Int64s]) -> Int32s:
        """The nearest of some leaves of each bootstrap, int32 (n, bootstraps).

        Of one leaf alone it is that one, so that its medoid needs no distances.
        """
        several = [self.medoid[leaves] for leaves in allowed if len(leaves) > 1]
        compared = np.unique(np.concatenate(several)) if several else np.empty(0, np.int64)
        distances = metric.cross(images, self.features.take(compared), self.encoding.distance)
        out = np.full((len(images), len(allowed)), -1, np.int32)
        for bootstrap, leaves in enumerate(allowed):
            if len(leaves) == 1:
                out[:, bootstrap] = leaves[0]
            elif len(leaves):
                columns = np.searchsorted(compared, self.medoid[leaves])
                out[:, bootstrap] = leaves[distances[:, columns].argmin(axis=1)]
        return out


def _stands_for(leaves: Int32s, core: Int32s, count: int) -> Int32s:
    """The leaf of the run that each of `count` leaves of bootstraps stands for.

    leaves: int32 (m, bootstraps), the leaf of each image of the sample in each bootstrap; core:
    int32 (m,), its leaf in the run. Of equal coefficients the lowest leaf; NONE without an image.
    """
    names, codes = np.unique(core, return_inverse=True)
    joint = np.zeros((count + 1, len(names)))  # the last row: in no leaf of the bootstrap
    np.add.at(joint, (leaves, np.broadcast_to(codes[:, None], leaves.shape)), 1)
    shared = joint[:count]
    either = shared.sum(axis=1)[:, None] + np.bincount(codes) - shared
    best = (shared / either).argmax(axis=1)
    found: Int32s = np.where(shared.any(axis=1), names[best], NONE).astype(np.int32)
    return found
