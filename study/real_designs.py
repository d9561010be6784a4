"""Labels of real images to compare: the tree, the flat run, and two tags as they are."""

from collections import Counter
from collections.abc import Collection, Mapping

import polars as pl
import yaml

from study.archives import KEY, Archive
from study.data import CLONE
from study.label_designs import SELECT, Design, Labelled
from tagsight.arrays import Bools
from tagsight.clustering import medoid_tables
from tagsight.dicom.dictionary import DERIVED
from tagsight.tags import fitting
from tagsight.tags.encoding import Encoding
from tagsight.tags.frequencies import frequencies
from tagsight.tags.selection import selection
from tagsight.terms.spelling_table import spelling_table
from tagsight.tree import leaves
from tagsight.tree.clusters import flat_clusters, tree_clusters
from tagsight.tree.dealing import numbers_of, tree_choice
from tagsight.tree.encodings import Tree, flat
from tagsight.tree.placing import place

_CONFIG = yaml.safe_load((CLONE / "config/config.yaml").read_text(encoding="utf-8"))["labels"]
DEFAULT = Design(shares=(_CONFIG["region_weight"], _CONFIG["facets_weight"]))
COUNT = int(_CONFIG["count"])


class Trees:
    """The tree of an archive; encodings are those of all headers, clusters of fitted images."""

    def __init__(self, archive: Archive, designs: Mapping[str, Design]) -> None:
        every = pl.repeat(True, len(archive.tags), eager=True).to_numpy()
        labelled = Labelled(archive, every)
        self.encoded = {name: labelled._encoded(design) for name, design in designs.items()}

    def fitted(self, name: str, fitted: Bools) -> "FittedTree":
        """Return a design's tree with the clusters of fitted images, bool (n,)."""
        return FittedTree(*self.encoded[name], fitted)


class FittedTree:
    """Labels of a tree for any number of them; all images have that of the nearest medoid."""

    def __init__(
        self, tree: Tree, images: pl.DataFrame, regions: pl.DataFrame, fitted: Bools
    ) -> None:
        """Cluster the fitted images; regions: of all images, see `leaves.regions_of`."""
        self.tree, self.images, self.regions = tree, images, regions
        self.sample = images.filter(pl.Series(fitted))
        self.clusters = tree_clusters(
            self.sample, tree, count=COUNT, algorithm="fasterpam", weight="images"
        )

    def labels(self, count: int) -> pl.Series:
        """Return the label of each image, (n,); count: of labels, as near as can be had."""
        numbers = numbers_of(tree_choice(self.clusters, self.tree, count))
        chosen = leaves.chosen(self.clusters, numbers)
        medoids, _ = leaves.of_sample(chosen, self.sample, self.tree, numbers, self.regions)
        return place(self.images, medoids, self.tree)["cluster"]


class FlatRun:
    """The flat run, which compares all images by all tags and reads no descriptions."""

    def __init__(self, archive: Archive) -> None:
        tags = archive.tags.drop(c for c in archive.tags.columns if c in DERIVED)
        spellings, found = spelling_table(None), frequencies(tags.lazy())
        select = {**SELECT, "image_level": False}
        fates = selection(found, tags.lazy(), spellings, **select)  # type: ignore[arg-type]
        self.encoding: Encoding = fitting.fit(
            tags.lazy(),
            found,
            fates,
            distance="linear",
            presence_weight=1.0,
            body_parts=spellings,
            key=KEY,
        )
        self.images = fitting.apply(tags, self.encoding, spellings, KEY)

    def labels(self, fitted: Bools, ks: Collection[int]) -> dict[int, pl.Series]:
        """Return the label of each image for each K, of clusters of fitted images."""
        sample = self.images.filter(pl.Series(fitted))
        how = {"algorithm": "fasterpam", "weight": "images"}
        clusters = flat_clusters(sample, self.encoding, sorted(ks), **how)  # type: ignore[arg-type]
        found = {}
        for k in sorted(set(clusters["k"])):
            medoids, _ = medoid_tables.of_sample(clusters.filter(k=k), sample, self.encoding)
            found[k] = place(self.images, medoids, flat(self.encoding))["cluster"]
        return found


def crossed(kinds: pl.Series, values: pl.Series, fitted: Bools, count: int) -> pl.Series:
    """Return kind × value as labels, (n,): `count` of them among fitted images, or fewer.

    While there are more, the rarest goes to the rest of its kind; so does a value that no fitted
    image of the kind has.
    """
    pairs = list(zip(kinds, values.fill_null("none"), strict=True))
    sizes = Counter(pair for pair, fit in zip(pairs, fitted, strict=True) if fit)
    kept = sorted(sizes, key=lambda pair: (-sizes[pair], pair))
    rest: set[str] = set()
    while len(kept) + len(rest) > count and kept:
        rest.add(kept.pop()[0])
    names = [f"{k} {v}" if (k, v) in set(kept) else f"{k} rest" for k, v in pairs]
    return pl.Series(names)


def number(labels: pl.Series, fitted: Bools) -> int:
    """Return how many different labels fitted images have."""
    return int(labels.filter(pl.Series(fitted)).n_unique())
