"""tagsight for notebooks: read a folder, cluster a table of tags, place new images, draw them.

>>> from tagsight import api
>>> tags, rejected = api.read_folder("/data/export")  # doctest: +SKIP
>>> result = api.cluster_tags(tags, k=[5, 10, 20])  # doctest: +SKIP
>>> result.clusters, result.names  # doctest: +SKIP
>>> result.place(new_tags)  # doctest: +SKIP

It clusters all rows together, as a flat run does. The workflow labels whole archives, and tests
labels against the looks of images.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from tagsight.archive.paths import to_text
from tagsight.archive.sharding import listed_with_shards
from tagsight.arrays import Float32s, UInt8s
from tagsight.clustering import algorithms, annotation, cluster_tables, medoid_tables, silhouettes
from tagsight.clustering.choice import choose
from tagsight.dicom.headers import ReaderOptions
from tagsight.dicom.privacy import is_identifying
from tagsight.errors import DataError
from tagsight.gower import metric
from tagsight.gower.features import Distance
from tagsight.interpretation.cards import cards
from tagsight.looks.rendering import Aspect, render
from tagsight.reading.shard_reader import read_shard
from tagsight.run.progress import Progress
from tagsight.run.tables import BOOKKEEPING
from tagsight.tags import fitting
from tagsight.tags.encoding import Encoding, to_features
from tagsight.tags.frequencies import KEPT, frequencies
from tagsight.tags.labels import labels
from tagsight.tags.selection import selection
from tagsight.terms.facet_words import facet_words
from tagsight.terms.spelling_table import spelling_table

__all__ = ["Clusters", "cluster_tags", "gower_distances", "picture", "read_folder"]


@dataclass(frozen=True)
class Clusters:
    """Clusters of a table of tags.

    Attributes
    ----------
    k : int
        Number of clusters.
    clusters : polars.DataFrame
        One row an image: ``image``, ``cluster`` (1 is the largest), ``name``, ``medoid`` (bool),
        ``distance`` to the cluster's medoid, ``second_distance`` to the nearest other medoid,
        ``silhouette``.
    names : dict of int to str
        Cluster to its name: the tags that tell it from the others.
    grid : polars.DataFrame
        One row for each K tried: ``k``, ``silhouette`` (mean), ``loss``, ``distance`` (mean).
    medoids : polars.DataFrame
        One row a cluster, with the encoded columns.
    encoding : Encoding
        How tags become the columns that are compared.
    """

    k: int
    clusters: pl.DataFrame
    names: dict[int, str]
    grid: pl.DataFrame
    medoids: pl.DataFrame
    encoding: Encoding
    _key: bytes
    _body_parts: pl.DataFrame

    def place(self, tags: pl.DataFrame) -> pl.DataFrame:
        """Put images into the clusters, each into that of its nearest medoid.

        Parameters
        ----------
        tags : polars.DataFrame
            As for `cluster_tags`.

        Returns
        -------
        polars.DataFrame
            ``image``, ``cluster``, ``name``, ``distance``, ``margin`` (how much farther the second
            cluster's medoid is), ``second`` (that cluster), ``because`` (up to three tags that
            decided between the two).
        """
        features = fitting.apply(_as_tags(tags), self.encoding, self._body_parts, self._key)
        placed = annotation.annotate(features, self.medoids, self.encoding)
        return _named(placed, self.names)


def read_folder(
    folder: str | Path | Sequence[str | Path],
    *,
    key: bytes | None = None,
    keep: Collection[str] = KEPT,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read the tags of all DICOM files in a folder.

    Identifying values (PS3.15 Annex E) and free text are withheld; UIDs and patients are keyed
    hashes.

    Parameters
    ----------
    folder : path, or sequence of paths
        Folders, files, or lists of files (``.txt``, ``.csv``, ``.parquet``); tar and zip archives
        in them are read where they lie.
    key : bytes, optional
        The key of the hashes, 32 bytes or more. By default a new one, so that the hashes of two
        calls differ.
    keep : collection of str
        DICOM keywords to keep although they identify.

    Returns
    -------
    tags : polars.DataFrame
        One row an image, sorted by path: ``image``, ``patient``, ``study``, ``series`` (hashes),
        ``path`` and more, then one text column a DICOM keyword.
    rejected : polars.DataFrame
        ``path``, ``reason``, ``detail`` of each file that is no image.

    Raises
    ------
    ArchiveError
        If a folder does not exist, or holds no file.
    """
    folders = [folder] if isinstance(folder, str | Path) else folder
    files = listed_with_shards([Path(place) for place in folders], 1, None, seed=0).drop("shard")
    options = ReaderOptions(keep=frozenset(keep), facets=facet_words())
    with TemporaryDirectory() as store:
        progress = Progress(len(files), "files")
        shard = read_shard(files, key or secrets.token_bytes(32), options, Path(store), progress)
        return shard.tags.collect(), shard.rejected


def picture(path: str | Path, *, aspect: Aspect = "pad", size: int = 128) -> UInt8s:
    """Draw an image as the workflow sees it: its middle frame in grey, windowed and resized.

    Parameters
    ----------
    path : str or path
        A text as in the columns ``path`` of the workflow's tables, which may name a member of a
        container (``archive.tar!member``); or the path of a file.
    aspect : str
        ``"pad"`` keeps the proportions and fills with black, ``"stretch"`` fills the square.
    size : int
        Pixels a side.

    Returns
    -------
    ndarray
        uint8 (size, size).

    Raises
    ------
    PixelError
        If the file cannot be drawn.
    """
    return render(to_text(str(path)) if isinstance(path, Path) else path, aspect, size)


def cluster_tags(
    tags: pl.DataFrame,
    k: int | Sequence[int] = (5, 10, 15, 20, 30, 50),
    *,
    algorithm: str = "fasterpam",
    distance: Distance = "linear",
    max_missing: float = 0.95,
    count: int = 70,
    min_patients: int = 3,
    body_parts: str | Path | None = None,
) -> Clusters:
    """Cluster images, or series, by their tags: Gower's distance and k-medoids.

    Parameters
    ----------
    tags : polars.DataFrame
        One row an image (or a series). Columns are DICOM keywords, of any type; null and empty
        text are missing. Besides, if there are any: ``image`` (tells each row from all others),
        ``patient``, ``study``, ``series``. Identifying attributes and free text are left out.
    k : int, or sequence of int
        Numbers of clusters to try; of several the one of the best mean silhouette is taken.
    algorithm : str
        One of the names of ``cluster.algorithm`` in the workflow's config.
    distance : {"linear", "root"}
        Gower's distance, or its square root, which is Euclidean.
    max_missing : float
        Largest share of missing values of a tag that is used.
    count : int
        Largest number of tags used.
    min_patients : int
        Values of fewer patients are in no name and in no list of categories.
    body_parts : path, optional
        A table of spellings of body parts of your own, on top of ``tagsight/data/body_parts.csv``.

    Returns
    -------
    Clusters

    Raises
    ------
    DataError
        If no tag tells one image from another, there are too few different images for any K, or
        two rows have the same ``image``.
    ValueError
        If `algorithm` is unknown or a K is below 2.

    References
    ----------
    Gower, Biometrics 27 (1971); Schubert & Rousseeuw, Information Systems 101 (2021); Manojlović
    et al., "Using DICOM Tags for Clustering Medical Radiology Images into Visually Similar Groups".
    """
    numbers = [k] if isinstance(k, int) else list(k)
    if algorithm not in algorithms.ALGORITHMS:
        raise ValueError(f"algorithm: {algorithm} is not one of {', '.join(algorithms.ALGORITHMS)}")
    if not numbers or min(numbers) < 2:
        raise ValueError(f"k: {numbers}; numbers of clusters are 2 or more")
    key = secrets.token_bytes(32)
    spellings = spelling_table(body_parts)
    known = _as_tags(tags)
    encoding = _encoding(known, spellings, key, distance, max_missing, count, min_patients)
    sample = fitting.apply(known, encoding, spellings, key).sort("image")
    grid = _grid(sample, encoding, numbers, algorithm)
    summary = cluster_tables.summary(grid)
    chosen = choose(summary, "silhouette")["k"]
    members = grid.filter(k=chosen)
    medoids, _ = medoid_tables.of_sample(members, sample, encoding)
    names = _names(known, sample, members, encoding, min_patients, spellings)
    clusters = _named(members.drop("k", "weight"), names)
    return Clusters(chosen, clusters, names, summary, medoids, encoding, key, spellings)


def gower_distances(tags: pl.DataFrame, encoding: Encoding) -> Float32s:
    """Return the matrix of Gower's distances between the rows of a table of encoded tags.

    Parameters
    ----------
    tags : polars.DataFrame
        The columns of the encoding, as in ``Clusters.medoids``.
    encoding : Encoding
        As in ``Clusters.encoding``.

    Returns
    -------
    numpy.ndarray of float32, (n, n)
        Distances from 0 to 1; 1 between images that have no tag in common.
    """
    return metric.matrix(to_features(tags, encoding), encoding.distance)


def _as_tags(tags: pl.DataFrame) -> pl.DataFrame:
    """Return the table as the reader leaves it: text, and every column of bookkeeping."""
    if "image" in tags.columns and (
        tags["image"].is_duplicated().any() or tags["image"].has_nulls()
    ):
        raise DataError("image: each row needs a value of its own in this column, or leave it out")
    rows = tags.select(
        pl.col(name).cast(pl.String)
        for name in tags.columns
        if name in BOOKKEEPING or not is_identifying(name, KEPT)
    )
    absent = [name for name in BOOKKEEPING if name not in rows.columns]
    rows = rows.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
    numbers = pl.int_range(pl.len()).cast(pl.String).str.zfill(len(str(len(rows))))
    return rows.with_columns(numbers.alias("image")) if "image" in absent else rows


def _encoding(
    tags: pl.DataFrame,
    spellings: pl.DataFrame,
    key: bytes,
    distance: Distance,
    max_missing: float,
    count: int,
    min_patients: int,
) -> Encoding:
    table = frequencies(tags.lazy(), min_patients)
    kept = selection(
        table,
        tags.lazy(),
        spellings,
        method="missing",
        count=count,
        max_missing=max_missing,
        max_categories=300,
        image_level=False,
        per_module=None,
        drop=[],
    )
    encoding = fitting.fit(
        tags.lazy(),
        table,
        kept,
        distance=distance,
        presence_weight=1.0,
        body_parts=spellings,
        key=key,
        min_patients=min_patients,
    )
    if not encoding.columns:
        raise DataError("no tag of the table tells one image from another")
    return encoding


def _grid(
    sample: pl.DataFrame, encoding: Encoding, ks: Sequence[int], algorithm: str
) -> pl.DataFrame:
    """Return `cluster_tables.table` of the sample."""
    distinct = algorithms.rows_to_cluster(to_features(sample, encoding), "images", algorithm)
    distances = metric.matrix(distinct.features, encoding.distance)
    grid = algorithms.clusterings(distinct.features, distances, ks, algorithm, distinct.weight)
    widths = silhouettes.widths(distances, [each.labels for each in grid], distinct.weight)
    return cluster_tables.table(sample["image"], distances, grid, widths, distinct)


def _names(
    tags: pl.DataFrame,
    sample: pl.DataFrame,
    members: pl.DataFrame,
    encoding: Encoding,
    min_patients: int,
    spellings: pl.DataFrame,
) -> dict[int, str]:
    rows = sample.join(labels(tags, spellings), on="image").join(
        tags.select("image", "patient", "study", "series"), on="image"
    )
    made = cards(rows.sort("image"), members, encoding, min_patients)
    return {card["cluster"]: card["name"] for card in made}


def _named(table: pl.DataFrame, names: dict[int, str]) -> pl.DataFrame:
    name = pl.col("cluster").replace_strict(names, default=None, return_dtype=pl.String)
    return table.with_columns(name=name).select(
        "image", "cluster", "name", pl.exclude("image", "cluster", "name")
    )
