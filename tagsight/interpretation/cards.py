"""What each cluster is, in words: the tag values that its images share and others lack."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagsight.dicom.dictionary import uid_name
from tagsight.run.tables import person
from tagsight.tags import parsers

if TYPE_CHECKING:
    from tagsight.tags.encoding import Column, Encoding

Array = NDArray[Any]

SHOWN = 12
PIECES = 4
LONGEST = 24
# What a radiologist would call a group by, after its modality and body part.
NAMING = (
    "AcquisitionContrast",
    "AcquisitionType",
    "ContrastBolusAgent",
    "ConvolutionKernel",
    "CorrectedImage",
    "EchoPulseSequence",
    "EchoTime",
    "ImageLaterality",
    "ImageType",
    "KVP",
    "Laterality",
    "MRAcquisitionType",
    "MagneticFieldStrength",
    "Manufacturer",
    "PatientOrientation",
    "PositionerMotion",
    "RepetitionTime",
    "ScanOptions",
    "ScanningSequence",
    "SequenceVariant",
    "SeriesType",
    "SliceThickness",
    "TransducerType",
    "ViewCodeSequence",
    "ViewPosition",
)
# Values of ImageType that say how an image was stored rather than what it shows.
UNTELLING = ("DERIVED", "ORIGINAL", "PRIMARY", "SECONDARY", "OTHER", "UNSPECIFIED")
# A number says something in a name only with its unit.
UNITS = {
    "MagneticFieldStrength": "T",
    "SliceThickness": "mm",
    "KVP": "kV",
    "EchoTime": "ms TE",
    "RepetitionTime": "ms TR",
}


class _Tag(NamedTuple):
    """A value of a column in a cluster: the share of images with it inside and outside.

    `people`: how many have it inside; of a number, how many have one at all.
    """

    column: str
    keyword: str
    value: str
    inside: float
    outside: float
    nameable: bool
    people: int

    @property
    def is_presence(self) -> bool:
        return self.column.endswith("?")

    def shown(self) -> dict[str, Any]:
        shares = {"inside": round(self.inside, 4), "outside": round(self.outside, 4)}
        return {"keyword": self.keyword, "column": self.column, "value": self.value, **shares}


def cards(
    sample: pl.DataFrame, clusters: pl.DataFrame, encoding: "Encoding", min_patients: int = 3
) -> list[dict[str, Any]]:
    """A card a cluster, in their order: `cluster`, `name`, `size`, `share`, `medoid`, `tags`.

    sample: `image`, `series`, `study`, `patient`, the labels `modality` and `body_part`, and the
    encoded columns. clusters, at one K: `image`, `cluster` (0, in none, has no card), `medoid`,
    which need not be among them (`with_medoids`).

    `tags`, the most distinguishing first (largest difference of shares): `keyword`, `column`,
    `value`, and the shares of images with this value `inside` and `outside` the cluster. For a
    number `value` is the median with its quartiles, and the shares are those of the images between
    these quartiles. A value that fewer than min_patients patients of the cluster have is not shown;
    nor is presence after a value of the same tag. `name` is unique; a body part that is in no
    table is part of it only where min_patients patients have it.
    """
    rows = clusters.select("image", "cluster", "medoid").join(
        sample, on="image", how="inner", maintain_order="left"
    )
    rows = rows.with_columns(body_part=_open_to_view(rows, min_patients))
    cluster = rows["cluster"].to_numpy()
    tags = [_shown(found, min_patients) for found in _distinguishing(rows, cluster, encoding)]
    taken: set[str] = set()
    made = []
    for c in np.unique(cluster[cluster > 0]):
        members = rows.filter(pl.Series(cluster == c))
        name = _unique(_pieces(members, tags[c]), taken)
        taken.add(name)
        made.append(
            {
                "cluster": int(c),
                "name": name,
                "size": len(members),
                "share": round(len(members) / len(rows), 6),
                "medoid": next(iter(members.filter("medoid")["image"]), None),
                "tags": [tag.shown() for tag in tags[c][:SHOWN]],
            }
        )
    return made


def with_medoids(cards: Sequence[dict[str, Any]], medoids: pl.DataFrame) -> list[dict[str, Any]]:
    """A card for each medoid: `medoid` is its image, also where that is not in the sample.

    medoids: `cluster` (1, 2, …) and `image` at one K. A cluster that no image of the sample is in
    has a card of size 0, without tags.
    """
    known = {card["cluster"]: card for card in cards}
    nobody = {"size": 0, "share": 0.0, "tags": []}
    return [
        {"cluster": c, "name": f"none of the sample ({c})", **nobody, **known.get(c, {})}
        | {"medoid": image}
        for c, image in medoids.sort("cluster").select("cluster", "image").iter_rows()
    ]


def _open_to_view(rows: pl.DataFrame, min_patients: int) -> pl.Series:
    """Body parts, null where few have them and no table knows them: people type names there."""
    known = pl.col("body_part").is_in(sorted(parsers.vocabulary()))
    frequent = person().n_unique().over("body_part") >= min_patients
    return rows.select(pl.when(known | frequent).then("body_part")).to_series()


def _distinguishing(rows: pl.DataFrame, cluster: Array, encoding: "Encoding") -> list[list[_Tag]]:
    """For each cluster one tag a column, the largest difference of shares first."""
    people = rows.select(person().rank("dense")).to_series().to_numpy()  # (n,)
    tags: list[list[_Tag]] = [[] for _ in range(int(cluster.max()) + 1)]
    for column in encoding.columns:
        find = _numeric if column.kind == "numeric" else _categorical
        for c, tag in find(rows[column.name], cluster, column, people):
            tags[c].append(tag)
    return [sorted(found, key=lambda tag: (tag.outside - tag.inside, tag.column)) for found in tags]


def _shown(tags: list[_Tag], min_patients: int) -> list[_Tag]:
    """Those that enough patients have; of a tag's value and its presence the more telling."""
    found: list[_Tag] = []
    said: set[str] = set()
    for tag in tags:
        if tag.people >= min_patients and not (tag.is_presence and tag.keyword in said):
            found.append(tag)
            said.add(tag.keyword)
    return found


def _categorical(
    values: pl.Series, cluster: Array, column: "Column", people: Array
) -> Iterator[tuple[int, _Tag]]:
    """The value whose share inside most exceeds that outside; missing counts as another value."""
    categories = column.categories or ()
    texts = [readable(value) for value in (*categories, "(other)")]
    codes = values.fill_null(-1).to_numpy()
    known = codes >= 0
    counts = np.zeros((int(cluster.max()) + 1, len(texts)))  # (k, values)
    np.add.at(counts, (cluster[known], codes[known]), 1)
    sizes = np.bincount(cluster)[:, None]
    inside = counts / np.maximum(sizes, 1)
    outside = (counts.sum(axis=0) - counts) / np.maximum(len(cluster) - sizes, 1)
    nameable = column.parser != "presence" and column.keyword in NAMING
    for c, best in enumerate(np.argmax(inside - outside, axis=1)):
        if counts[c, best]:
            shares = float(inside[c, best]), float(outside[c, best])
            fits = nameable and texts[best][0] != "(" and 1 < len(texts[best]) <= LONGEST
            fits = fits and texts[best] not in UNTELLING
            who = len(np.unique(people[(cluster == c) & (codes == best)]))
            yield c, _Tag(column.name, column.keyword, texts[best], *shares, fits, who)


def readable(value: str) -> str:
    """The standard's name of a registered UID; any other value as it is."""
    name = uid_name(value)
    return value if name is None else name


def _numeric(
    values: pl.Series, cluster: Array, column: "Column", people: Array
) -> Iterator[tuple[int, _Tag]]:
    numbers = values.cast(pl.Float32).fill_null(np.nan).to_numpy()
    for c in np.unique(cluster):
        own = cluster == c
        known = numbers[own & np.isfinite(numbers)]
        if not len(known):
            continue
        low, middle, high = np.quantile(known, (0.25, 0.5, 0.75), method="nearest")
        within = (numbers >= low) & (numbers <= high)
        shares = float(within[own].mean()), float(within[~own].sum() / max((~own).sum(), 1))
        text, unit = _number(middle), UNITS.get(column.keyword)
        if low < high:
            text += f" ({_number(low)}–{_number(high)})"
        elif unit:
            text += f" {unit}"
        who = len(np.unique(people[own & np.isfinite(numbers)]))
        fits = unit is not None and low == high
        yield int(c), _Tag(column.name, column.keyword, text, *shares, fits, who)


def _number(value: float) -> str:
    return np.format_float_positional(value, precision=4, fractional=False, trim="-")


def _pieces(members: pl.DataFrame, tags: list[_Tag]) -> list[str]:
    """What a name may be made of: modality, body part of at least half, then the cluster's tags."""
    modalities, parts = (_ranked(members[label]) for label in ("modality", "body_part"))
    most = [text for text, share in modalities if share >= 0.5]
    several = [text for text, share in modalities[:3] if share >= 0.15]
    pieces = most[:1] or (["/".join(several)] if several else [])
    pieces += [text for text, share in parts[:1] if share >= 0.5]
    own = [
        tag.value
        for tag in tags
        if tag.nameable and 2 * tag.inside >= 1 and tag.inside > tag.outside
    ]
    return list(dict.fromkeys([*pieces, *own]))


def _ranked(labels: pl.Series) -> list[tuple[str, float]]:
    """The labels with their share of the images, the most frequent first."""
    counts = labels.drop_nulls().value_counts().sort("count", labels.name, descending=[True, False])
    return [(text, count / len(labels)) for text, count in counts.iter_rows()]


def _unique(pieces: list[str], taken: set[str]) -> str:
    """The first pieces, and as many more as it takes to differ from the names taken."""
    names = [" · ".join(pieces[:count]) for count in range(PIECES, max(PIECES, len(pieces)) + 1)]
    numbered = (f"{names[0] or 'mixed'} ({i})" for i in range(2, len(taken) + 3))
    plain = [name or "mixed" for name in names]
    return next(name for name in [*plain, *numbered] if name not in taken)
