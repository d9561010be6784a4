"""Cards of a tree: each label in words, what its images are over the archive, how sure it is."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tagsight.interpretation import rules
from tagsight.interpretation.cards import cards
from tagsight.interpretation.confounding import with_makers
from tagsight.interpretation.names import names
from tagsight.tags.encoding import Encoding
from tagsight.terms.name_words import Words
from tagsight.tree.encodings import Tree
from tagsight.tree.placing import place

MOST_WORDS = 3  # of a column, on a card


def described(
    sample: pl.DataFrame,
    holdout: pl.DataFrame,
    members: pl.DataFrame,
    leaves: pl.DataFrame,
    tree: Tree,
    composition: pl.DataFrame,
    stability: Mapping[str, Any],
    words: Words,
    min_patients: int,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the cards of all labels, and a rule for each.

    sample, holdout: the tuning sample, and one of other patients; members: the former's images in
    their leaves; leaves: as in medoids.parquet; tree: the encodings; composition: of all images;
    stability: as in stability.json; words: as names show them.
    """
    again = {leaf["cluster"]: leaf["found"] for leaf in stability["leaves"]}
    used = pl.col("cluster").is_in(composition["cluster"].unique().implode())
    leaves = leaves.filter(pl.col("image").is_not_null() | used)
    found = pl.col("cluster").replace_strict(again, default=None, return_dtype=pl.Boolean)
    names_of = names(
        _spoken(composition, tree), leaves.select("cluster", "kind", found=found), words
    )
    leaf_labels = dict(names_of.select("cluster", "label").iter_rows())
    inside = labelled(members, leaf_labels)
    others = labelled(place(holdout, leaves, tree), leaf_labels)
    tags = label_tags(sample, inside, tree, min_patients)
    rows = label_rules(sample, inside, holdout, others, tree, min_patients)
    described = label_cards(names_of, composition, leaves, stability, tags, min_patients)
    return with_makers(described, "label", sample, inside, min_patients), rows


def _spoken(composition: pl.DataFrame, tree: Tree) -> pl.DataFrame:
    """What names are made of: of objects that are no pictures their class alone."""
    pictures = pl.col("kind").is_in(tree.pictures)
    return composition.filter(pictures | (pl.col("column") == "modality"))


def label_cards(
    names_of: pl.DataFrame,
    composition: pl.DataFrame,
    leaves: pl.DataFrame,
    stability: Mapping[str, Any],
    tags: Mapping[int, Sequence[Mapping[str, Any]]],
    min_patients: int,
) -> list[dict[str, Any]]:
    """Return a card for each label, in their order.

    names_of: of `names.names`; composition: of `tree.composition`; leaves: as in medoids.parquet;
    stability: as in stability.json of a tree; tags: label → of `label_tags`; min_patients: fewest
    patients with a word that is shown beside the name.
    Returns `label`, `name`, `parent`, `region` (as the name has it), `kind`, `clusters` (its
    leaves), `size` (images of the archive), `share`, `medoid` (of its largest leaf), `stability`,
    `again` and `found` (of the same leaf, see `tree_stability`), `words` (column → the most
    frequent words with their shares) and `tags`.
    """
    stable = {leaf["cluster"]: leaf for leaf in stability["leaves"]}
    medoids = leaves.select("cluster", "kind", "image", "images")
    joined = names_of.join(medoids, on="cluster", maintain_order="left")
    total = max(int(joined.unique("label")["size"].sum()), 1)
    out = []
    for (label,), rows in sorted(joined.group_by("label")):
        first = rows.sort(["images", "cluster"], descending=[True, False], nulls_last=True).row(
            0, named=True
        )
        again = stable.get(first["cluster"], {})
        out.append(
            {
                "label": label,
                "name": first["name"],
                "parent": first["parent"],
                "region": first["region"],
                "kind": first["kind"],
                "clusters": rows["cluster"].sort().to_list(),
                "size": first["size"],
                "share": round(first["size"] / total, 6),
                "medoid": first["image"],
                **{name: again.get(name) for name in ("stability", "again", "found", "patients")},
                "words": _words(
                    composition, rows["cluster"].to_list(), first["size"], min_patients
                ),
                "tags": list(tags.get(int(label), ())),
            }
        )
    return out


def labelled(clusters: pl.DataFrame, leaf_labels: Mapping[int, int]) -> pl.DataFrame:
    """Return images with the label of their leaf in the place of `cluster`.

    clusters: `image`, `cluster` and others; leaf_labels: leaf → label. Images without a leaf are
    left out.
    """
    label = pl.col("cluster").replace_strict(dict(leaf_labels), default=None, return_dtype=pl.Int32)
    return clusters.with_columns(cluster=label).drop_nulls("cluster")


def label_tags(
    sample: pl.DataFrame, members: pl.DataFrame, tree: Tree, min_patients: int
) -> dict[int, list[dict[str, Any]]]:
    """Return label → the tags by which it differs from the other labels of its kind.

    sample: the tuning sample; members: its images with their label as `cluster`, see `labelled`.
    See `cards.cards`, field `tags`.
    """
    tags: dict[int, list[dict[str, Any]]] = {}
    for kind, rows in tree.parts(sample):
        of_kind = members.join(rows.select("image"), on="image", how="semi")
        for card in cards(rows, of_kind, tree.of(kind), min_patients):
            tags[card["cluster"]] = card["tags"]
    return tags


def label_rules(
    sample: pl.DataFrame,
    members: pl.DataFrame,
    holdout: pl.DataFrame,
    others: pl.DataFrame,
    tree: Tree,
    min_patients: int,
) -> list[dict[str, Any]]:
    """Return a rule for each label, as `rules.rules`: first its kind, then what divides the kind.

    sample, holdout: of different patients; members, others: their images with labels, see
    `labelled`.
    """
    rows: list[dict[str, Any]] = []
    for kind, images in tree.parts(sample):
        inside, of_holdout = (
            clusters.join(frame.select("image"), on="image", how="semi")
            for clusters, frame in ((members, images), (others, holdout))
        )
        other_patients = holdout.filter(pl.col("kind") == kind)
        of_kind = _rules(images, inside, other_patients, of_holdout, tree.of(kind), min_patients)
        rows += [_of_kind(row, kind) for row in of_kind]
    return rows


def _rules(
    images: pl.DataFrame,
    inside: pl.DataFrame,
    holdout: pl.DataFrame,
    others: pl.DataFrame,
    encoding: Encoding,
    min_patients: int,
) -> list[dict[str, Any]]:
    """The rules of a kind's labels; of one alone, that all images are in it."""
    if inside["cluster"].n_unique() > 1:
        return rules.rules(images, inside, holdout, others, encoding, min_patients)
    whole = {"rule": "", "purity": 1.0, "coverage": 1.0}
    heldout = dict.fromkeys(("heldout_purity", "heldout_coverage"), 1.0 if len(holdout) else None)
    return [{"cluster": int(c), **whole, **heldout} for c in inside["cluster"].unique()]


def _of_kind(row: dict[str, Any], kind: str) -> dict[str, Any]:
    if row["rule"] is None:
        return row
    return {**row, "rule": f"kind is {kind}" + (f" and {row['rule']}" if row["rule"] else "")}


def _words(
    composition: pl.DataFrame, clusters: Sequence[int], size: int, min_patients: int
) -> dict[str, list[list[Any]]]:
    """Column → its most frequent words, each with its share of the images.

    A patient may be in several leaves: a word has at least as many as in one of them.
    """
    counts = (
        composition.filter(pl.col("cluster").is_in(list(clusters)))
        .drop_nulls("word")
        .group_by("column", "word", maintain_order=True)
        .agg(pl.col("images").sum(), pl.col("patients").max())
        .filter(pl.col("patients") >= min_patients)
        .sort("images", descending=True, maintain_order=True)
    )
    return {
        str(column): [
            [word, round(images / max(size, 1), 4)]
            for word, images in rows.select("word", "images").head(MOST_WORDS).iter_rows()
        ]
        for (column,), rows in counts.group_by("column", maintain_order=True)
    }
