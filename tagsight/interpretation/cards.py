"""Cards: each cluster in words, by the tag values that its images share and others lack."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tagsight.arrays import Int64s, Integers
from tagsight.dicom.dictionary import uid_name
from tagsight.interpretation.names import HOLDS, mix
from tagsight.run.tables import counted_person
from tagsight.tags import parsers
from tagsight.tags.encoding import Column, Encoding
from tagsight.terms.defined_terms import modalities

SHOWN = 12  # tags of a card
PIECES = 4  # of a name; more where names would be equal
LONGEST = 24  # characters of a value in a name
# Tags by which a radiologist would name a group, after its modality and body part.
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
# Values of ImageType on how an image was stored, not on what it shows.
STORAGE_WORDS = ("DERIVED", "ORIGINAL", "PRIMARY", "SECONDARY", "OTHER", "UNSPECIFIED")
# Units of numbers in names; other numbers are not part of a name.
UNITS = {
    "MagneticFieldStrength": "T",
    "SliceThickness": "mm",
    "KVP": "kV",
    "EchoTime": "ms TE",
    "RepetitionTime": "ms TR",
}


class _Tag(NamedTuple):
    """A value of a column in a cluster, with its share of images inside and outside.

    patients: how many in the cluster have it; of a number, how many have any number.
    """

    column: str
    keyword: str
    value: str
    inside: float
    outside: float
    nameable: bool
    patients: int

    @property
    def is_presence(self) -> bool:
        return self.column.endswith("?")

    def shown(self) -> dict[str, Any]:
        shares = {"inside": round(self.inside, 4), "outside": round(self.outside, 4)}
        return {"keyword": self.keyword, "column": self.column, "value": self.value, **shares}


def cards(
    sample: pl.DataFrame, clusters: pl.DataFrame, encoding: Encoding, min_patients: int = 3
) -> list[dict[str, Any]]:
    """Return a card for each cluster, in their order.

    sample: `image`, `series`, `study`, `patient`, the labels `modality` and `body_part`, and the
    encoded columns.
    clusters: `image`, `cluster` (0 = in none, without a card) and `medoid` at one K; the medoid may
    be outside the sample (see `with_medoids`).
    min_patients: fewest patients of the cluster with a value that is shown.
    Returns `cluster`, `name`, `size`, `share`, `medoid` and `tags`, the most distinguishing first
    (largest difference of shares): `keyword`, `column`, `value`, and the shares of images with this
    value `inside` and `outside` the cluster. For a number, `value` is the median with the
    quartiles, and the shares are those between the quartiles. Presence is not shown after a value
    of the same tag. `name` is unique; a modality or body part that is in no table is in it
    only where min_patients patients have it.
    """
    rows = clusters.select("image", "cluster", "medoid").join(
        sample, on="image", how="inner", maintain_order="left"
    )
    terms = {"modality": modalities(), "body_part": parsers.vocabulary()}
    rows = rows.with_columns(_public(name, known, min_patients) for name, known in terms.items())
    cluster = rows["cluster"].to_numpy()
    tags = [_shown(ranked, min_patients) for ranked in _distinguishing(rows, cluster, encoding)]
    names: set[str] = set()
    out = []
    for c in np.unique(cluster[cluster > 0]):
        members = rows.filter(pl.Series(cluster == c))
        name = _unique(_pieces(members, tags[c]), names)
        names.add(name)
        out.append(
            {
                "cluster": int(c),
                "name": name,
                "size": len(members),
                "share": round(len(members) / len(rows), 6),
                "medoid": next(iter(members.filter("medoid")["image"]), None),
                "tags": [tag.shown() for tag in tags[c][:SHOWN]],
            }
        )
    return out


def with_medoids(cards: Sequence[dict[str, Any]], medoids: pl.DataFrame) -> list[dict[str, Any]]:
    """Return one card per medoid, whose `medoid` is its image, even outside the sample.

    cards: from `cards`; medoids: `cluster` (1, 2, …) and `image` at one K.
    A cluster without images in the sample has a card of size 0, without tags.
    """
    by_cluster = {card["cluster"]: card for card in cards}
    empty = {"size": 0, "share": 0.0, "tags": []}
    return [
        {"cluster": c, "name": f"none of the sample ({c})", **empty, **by_cluster.get(c, {})}
        | {"medoid": image}
        for c, image in medoids.sort("cluster").select("cluster", "image").iter_rows()
    ]


def _public(label: str, known: Collection[str], min_patients: int) -> pl.Expr:
    """A label; null if rare and in no table, since users may type a patient's name there."""
    frequent = counted_person().n_unique().over(label) >= min_patients
    return pl.when(pl.col(label).is_in(sorted(known)) | frequent).then(label).alias(label)


def _distinguishing(rows: pl.DataFrame, cluster: Integers, encoding: Encoding) -> list[list[_Tag]]:
    """One tag per column for each cluster, the largest difference of shares first."""
    patients = rows.select(counted_person().rank("dense")).to_series().to_numpy()  # (n,)
    tags: list[list[_Tag]] = [[] for _ in range(int(cluster.max()) + 1)]
    for column in encoding.columns:
        find = _numeric if column.kind == "numeric" else _categorical
        for c, tag in find(rows[column.name], cluster, column, patients):
            tags[c].append(tag)
    return [
        sorted(columns, key=lambda tag: (tag.outside - tag.inside, tag.column)) for columns in tags
    ]


def _shown(tags: list[_Tag], min_patients: int) -> list[_Tag]:
    """Tags that at least min_patients patients have; no presence after a value of the same tag."""
    shown: list[_Tag] = []
    for tag in tags:
        repeats = tag.is_presence and tag.keyword in {other.keyword for other in shown}
        if tag.patients >= min_patients and not repeats:
            shown.append(tag)
    return shown


def _categorical(
    values: pl.Series, cluster: Integers, column: Column, patients: Int64s
) -> Iterator[tuple[int, _Tag]]:
    """Value with the largest share inside minus outside; missing counts as one more value."""
    categories = column.categories or ()
    texts = [readable(value) for value in (*categories, "(other)")]
    codes = values.fill_null(-1).to_numpy()
    present = codes >= 0
    counts = np.zeros((int(cluster.max()) + 1, len(texts)))  # (k, values)
    np.add.at(counts, (cluster[present], codes[present]), 1)
    sizes = np.bincount(cluster)[:, None]
    inside = counts / np.maximum(sizes, 1)
    outside = (counts.sum(axis=0) - counts) / np.maximum(len(cluster) - sizes, 1)
    nameable = column.parser != "presence" and column.keyword in NAMING
    for c, best in enumerate(np.argmax(inside - outside, axis=1)):
        if counts[c, best]:
            shares = float(inside[c, best]), float(outside[c, best])
            fits = nameable and texts[best][0] != "(" and 1 < len(texts[best]) <= LONGEST
            fits = fits and texts[best] not in STORAGE_WORDS
            count = len(np.unique(patients[(cluster == c) & (codes == best)]))
            yield c, _Tag(column.name, column.keyword, texts[best], *shares, fits, count)


def readable(value: str) -> str:
    """Return the standard's name of a registered UID; any other value unchanged."""
    name = uid_name(value)
    return value if name is None else name


def _numeric(
    values: pl.Series, cluster: Integers, column: Column, patients: Int64s
) -> Iterator[tuple[int, _Tag]]:
    numbers = values.cast(pl.Float32).fill_null(np.nan).to_numpy()
    for c in np.unique(cluster):
        inside = cluster == c
        present = numbers[inside & np.isfinite(numbers)]
        if not len(present):
            continue
        low, middle, high = np.quantile(present, (0.25, 0.5, 0.75), method="nearest")
        within = (numbers >= low) & (numbers <= high)
        outside = float(within[~inside].sum() / max((~inside).sum(), 1))
        shares = float(within[inside].mean()), outside
        text, unit = _number(middle), UNITS.get(column.keyword)
        if low < high:
            text += f" ({_number(low)}–{_number(high)})"
        elif unit:
            text += f" {unit}"
        count = len(np.unique(patients[inside & np.isfinite(numbers)]))
        fits = unit is not None and low == high
        yield int(c), _Tag(column.name, column.keyword, text, *shares, fits, count)


def _number(value: float) -> str:
    return np.format_float_positional(value, precision=4, fractional=False, trim="-")


def _pieces(members: pl.DataFrame, tags: list[_Tag]) -> list[str]:
    """Parts of a name: modality or their mix, then body part and tags of HOLDS of the images."""
    modalities, parts = (_ranked(members[label]) for label in ("modality", "body_part"))
    counts = dict(members["modality"].value_counts().iter_rows())
    single = [text for text, share in modalities[:1] if share >= HOLDS]
    pieces = single or ([mix(counts, len(members))] if modalities else [])
    pieces += [text for text, share in parts[:1] if share >= HOLDS]
    values = [
        tag.value
        for tag in tags
        if tag.nameable and tag.inside >= HOLDS and tag.inside > tag.outside
    ]
    return list(dict.fromkeys([*pieces, *values]))


def _ranked(labels: pl.Series) -> list[tuple[str, float]]:
    """Labels with their share of the images, the most frequent first."""
    counts = labels.drop_nulls().value_counts().sort("count", labels.name, descending=[True, False])
    return [(text, count / len(labels)) for text, count in counts.iter_rows()]


def _unique(pieces: list[str], others: set[str]) -> str:
    """The first pieces, and as many more as are needed to differ from the other names."""
    names = [" · ".join(pieces[:count]) for count in range(PIECES, max(PIECES, len(pieces)) + 1)]
    numbered = (f"{names[0] or 'mixed'} ({i})" for i in range(2, len(others) + 3))
    plain = [name or "mixed" for name in names]
    return next(name for name in [*plain, *numbered] if name not in others)
