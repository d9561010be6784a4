"""Designs of labels that the study compares, each a step of the tree taken or left out."""

from dataclasses import dataclass, fields
from typing import Literal

import polars as pl

from study.archives import KEY, Archive
from study.label_scores import components
from tagsight.arrays import Bools
from tagsight.content.content import content
from tagsight.content.in_words import in_words
from tagsight.content.tables import content_tables
from tagsight.dicom.roles import ROLES, roles_of
from tagsight.tags.frequencies import frequencies
from tagsight.tags.kind_frequencies import kind_frequencies, with_content, words
from tagsight.tags.kind_selection import kind_selection
from tagsight.tags.scales import Kind as Scale
from tagsight.terms.spelling_table import spelling_table
from tagsight.tree import leaves
from tagsight.tree.clusters import tree_clusters
from tagsight.tree.dealing import numbers_of, tree_choice
from tagsight.tree.encodings import Tree
from tagsight.tree.fitting import Shares, apply_tree, fit_tree
from tagsight.tree.looks_weights import with_learned_weights
from tagsight.tree.placing import place

STEPS = ("roles", "nested", "region", "facets")
ALL = "ALL"  # the only kind where labels are not nested
SELECT = {
    "method": "missing",
    "count": 70,
    "max_missing": 0.95,
    "max_categories": 300,
    "per_module": None,
    "drop": (),
}


@dataclass(frozen=True)
class Design:
    """How labels are made. Each of the first four is a step of the tree, taken or not.

    roles: compare tags of content alone; nested: inside each kind; region, facets: one column for
    the region, words for technique. shares: the weights of region and of facets. described:
    whether regions and words are taken from descriptions too. weights: of tags among each other, or
    of all columns as they are learned from the looks of fitted images.
    """

    roles: bool = True
    nested: bool = True
    region: bool = True
    facets: bool = True
    scale: Scale = "rank"
    shares: tuple[float, float] = (0.5, 0.4)
    algorithm: str = "fasterpam"
    described: bool = True
    weights: Literal["equal", "commensurable", "looks"] = "equal"

    @property
    def name(self) -> str:
        """What is in the design, in words."""
        steps = [name for name in STEPS if getattr(self, name)]
        usual = Design(self.roles, self.nested, self.region, self.facets)
        more = [
            f"{field.name} {getattr(self, field.name)}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(usual, field.name)
        ]
        return ", ".join([" + ".join(steps) or "none", *more])


class Labelled:
    """The labels of an archive by any design; what designs have in common is made once."""

    def __init__(self, archive: Archive, fitted: Bools) -> None:
        """Read what was imaged.

        fitted: bool (n,), images that clusters are made of; all others go to the nearest medoid.
        """
        self.tags, self.fitted = archive.tags, fitted
        self.looks = components(archive, fitted)
        self.spellings = spelling_table(None)
        self.tables = content_tables()
        self.frequencies = frequencies(self.tags.lazy())
        self.roles = roles_of(self.frequencies["keyword"].to_list())
        self.contents = {
            described: content(self.tags, self.spellings, self.tables, described=described)
            for described in (True, False)
        }
        self.by_kind: dict[bool, pl.DataFrame] = {}

    def labels(self, design: Design, count: int) -> pl.Series:
        """Return the label of each image, (n,); count: of labels, as near as can be had."""
        tree, images, regions = self._encoded(design)
        sample = images.filter(pl.Series(self.fitted))
        clusters = tree_clusters(
            sample, tree, count=count, algorithm=design.algorithm, weight="images"
        )
        numbers = numbers_of(tree_choice(clusters, tree, count))
        chosen = leaves.chosen(clusters, numbers)
        medoids, _ = leaves.of_sample(chosen, sample, tree, numbers, regions)
        return place(images, medoids, tree)["cluster"]

    def _encoded(self, design: Design) -> tuple[Tree, pl.DataFrame, pl.DataFrame]:
        """The encodings of a design, all images by them, and the regions that they are of."""
        imaged = self._imaged(design)
        both = with_content([self.tags.lazy()], [imaged.lazy()])
        if design.nested not in self.by_kind:
            self.by_kind[design.nested] = kind_frequencies(both, self.frequencies)
        by_kind = self.by_kind[design.nested]
        fates = kind_selection(
            by_kind,
            self.frequencies,
            both,
            self.spellings,
            roles=self.roles,
            wanted=("content",) if design.roles else ROLES,
            in_words=in_words(words(imaged.lazy()), by_kind, self.tables.facets),
            **SELECT,
        )
        tree = fit_tree(
            both,
            by_kind,
            fates,
            words(imaged.lazy()),
            distance="linear",
            scale=design.scale,
            shares=Shares(*design.shares, presence=1.0),
            body_parts=self.spellings,
            key=KEY,
            weights="commensurable" if design.weights == "commensurable" else "equal",
        )
        images = apply_tree(self.tags, imaged, tree, self.spellings, KEY)
        if design.weights == "looks":
            tree = self._learned(tree, images)
        regions = leaves.regions_of(imaged.lazy()) if design.region else leaves.NO_REGIONS
        return tree, images, regions

    def _learned(self, tree: Tree, images: pl.DataFrame) -> Tree:
        """The encodings with weights learned from the fitted images."""
        sample = images.with_columns(self.tags["patient", "study", "series"]).filter(self.fitted)
        return with_learned_weights(tree, sample, self.looks[self.fitted], seed=0)

    def _imaged(self, design: Design) -> pl.DataFrame:
        """What was imaged, as far as a design asks."""
        imaged = self.contents[design.described]
        if not design.region:
            imaged = imaged.drop("region")
        if not design.facets:
            imaged = imaged.drop(facet.name for facet in self.tables.facets)
        if not design.nested:
            imaged = imaged.with_columns(kind=pl.lit(ALL), picture=pl.lit(value=True))
        return imaged
