"""Labels of a sample made anew of tags alone: what it takes from labels that tags have roles."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tagsight.dicom.roles import roles_of
from tagsight.tags.frequencies import frequencies
from tagsight.tags.kind_frequencies import kind_frequencies, with_content, words
from tagsight.tags.kind_selection import kind_selection
from tagsight.tree import leaves
from tagsight.tree.clusters import tree_clusters
from tagsight.tree.dealing import numbers_of, tree_choice
from tagsight.tree.encodings import Tree
from tagsight.tree.fitting import Shares, apply_tree, fit_tree

MOST_IMAGES = 5000  # of a sample: enough to know the agreement with a site


def sample_of(tuning: pl.DataFrame) -> pl.DataFrame:
    """Return the images of the tuning sample that are compared, as `image`: MOST_IMAGES at most.

    The sample is in order of its images' hashes, so that the first of them are drawn at random.
    """
    return tuning.select("image").head(MOST_IMAGES)


def in_order(drawn: pl.DataFrame, table: pl.LazyFrame) -> pl.DataFrame:
    """Return the rows of a table of images that are drawn, in the order of these."""
    rows = table.join(drawn.lazy(), on="image", how="semi").collect()
    return drawn.join(rows, on="image", maintain_order="left")


def labels_of_roles(
    tags: pl.DataFrame,
    kinds: pl.DataFrame,
    spellings: pl.DataFrame,
    key: bytes,
    settings: Mapping[str, Any],
    *,
    wanted: Sequence[Sequence[str]],
    count: int,
) -> list[pl.Series]:
    """Return labels of a sample made of tags alone, by their roles: Int32 (n,) each.

    tags: of n images of pictures; kinds: `image`, `kind`, `picture` of these, in the same order;
    spellings: of body parts; key: of the run; wanted: for each labels the roles of the tags that
    are compared; count: of labels, as near as can be had.
    settings: config values by name: `tables` (labels.tables), `select`, `gower`, `algorithm`,
    `weight`, `keep`, `min_patients`, and perhaps `seed`.

    Words of region and technique take no part: they have most of the weight in a run's labels, and
    with them nothing would be seen of the roles. Selection and encoding are fitted to the sample
    itself, and a label is a cluster, as none is joined with others. Weights that are learned from
    looks are taken as equal.
    """
    kinds = kinds.select("image", "kind", "picture")
    both = with_content([tags.lazy()], [kinds.lazy()])
    seen = frequencies(tags.lazy(), settings["min_patients"], settings["keep"])
    by_kind = kind_frequencies(both, seen)
    roles = roles_of(seen["keyword"].to_list(), settings["tables"]["roles"])
    choose = {"in_words": {}, "seed": settings.get("seed"), **settings["select"]}
    gower = settings["gower"]
    encode = {name: gower[name] for name in ("distance", "scale", "weights")}
    labels = []
    for of_roles in wanted:
        fates = kind_selection(
            by_kind, seen, both, spellings, roles=roles, wanted=of_roles, **choose
        )
        tree = fit_tree(
            both,
            by_kind,
            fates,
            words(kinds.lazy()),
            shares=Shares(region=0, facets=0, presence=gower["presence_weight"]),
            body_parts=spellings,
            key=key,
            min_patients=settings["min_patients"],
            **encode,
        )
        features = apply_tree(tags, kinds, tree, spellings, key)
        labels.append(_labels(features, tree, settings, count))
    return labels


def _labels(
    features: pl.DataFrame, tree: Tree, settings: Mapping[str, Any], count: int
) -> pl.Series:
    """The cluster of each image of a sample in its tree."""
    how = {"algorithm": settings["algorithm"], "weight": settings["weight"]}
    clusters = tree_clusters(features, tree, count=count, **how)
    found = leaves.in_leaves(clusters, tree, numbers_of(tree_choice(clusters, tree, count)))
    joined = features.select("image").join(found, on="image", how="left", maintain_order="left")
    return joined["cluster"]
