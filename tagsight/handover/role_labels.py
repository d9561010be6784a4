"""Labels of a sample made of tags of other roles: what labels would be without roles."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tagsight.content.in_words import in_words
from tagsight.content.tables import content_tables
from tagsight.dicom.roles import roles_of
from tagsight.tags.frequencies import frequencies
from tagsight.tags.kind_frequencies import kind_frequencies, with_content, words
from tagsight.tags.kind_selection import kind_selection
from tagsight.tree import leaves
from tagsight.tree.clusters import tree_clusters
from tagsight.tree.dealing import numbers_of, tree_choice
from tagsight.tree.encodings import Tree
from tagsight.tree.fitting import Shares, apply_tree, fit_tree

ROLES = ("content", "equipment", "patient", "storage", "order")  # all that there are
MOST_IMAGES = 5000  # of a sample: enough for the agreement with a site, in a minute


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
    content: pl.DataFrame,
    spellings: pl.DataFrame,
    key: bytes,
    settings: Mapping[str, Any],
    *,
    wanted: Sequence[str] = ROLES,
    count: int,
) -> pl.Series:
    """Return labels of a sample as a run makes them, but of tags of other roles: int (n,).

    tags, content: of n images of pictures, in the same order; spellings: of body parts; key: of the
    run; wanted: the roles; count: of labels, as near as can be had.
    settings: config values by name: `tables` (labels.tables), `select`, `region_weight`,
    `facets_weight`, `gower`, `algorithm`, `weight`, `keep`, `min_patients`, and perhaps `seed`.

    Selection and encoding are fitted to the sample, not to its archive; and a label is a cluster,
    as none is joined with others. Weights that are learned from looks are taken as equal.
    """
    tree = _encodings(tags, content, spellings, key, settings, wanted)
    sample = apply_tree(tags, content, tree, spellings, key)
    how = {"algorithm": settings["algorithm"], "weight": settings["weight"]}
    clusters = tree_clusters(sample, tree, count=count, **how)
    numbers = numbers_of(tree_choice(clusters, tree, count))
    found = leaves.in_leaves(clusters, tree, numbers).select("image", "cluster")
    return tags.select("image").join(found, on="image", how="left", maintain_order="left")[
        "cluster"
    ]


def _encodings(
    tags: pl.DataFrame,
    content: pl.DataFrame,
    spellings: pl.DataFrame,
    key: bytes,
    settings: Mapping[str, Any],
    wanted: Sequence[str],
) -> Tree:
    """The encodings of the kinds of a sample, of tags of these roles."""
    both, of_words = with_content([tags.lazy()], [content.lazy()]), words(content.lazy())
    seen = frequencies(tags.lazy(), settings["min_patients"], settings["keep"])
    by_kind = kind_frequencies(both, seen)
    fates = kind_selection(
        by_kind,
        seen,
        both,
        spellings,
        roles=roles_of(seen["keyword"].to_list(), settings["tables"]["roles"]),
        wanted=wanted,
        in_words=in_words(of_words, by_kind, content_tables(settings["tables"]).facets),
        seed=settings.get("seed"),
        **settings["select"],
    )
    gower = settings["gower"]
    shares = [settings["region_weight"], settings["facets_weight"], gower["presence_weight"]]
    return fit_tree(
        both,
        by_kind,
        fates,
        of_words,
        shares=Shares(*shares),
        body_parts=spellings,
        key=key,
        min_patients=settings["min_patients"],
        **{name: gower[name] for name in ("distance", "scale", "weights")},
    )
