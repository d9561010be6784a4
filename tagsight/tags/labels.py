"""Labels from outside the clusters: modality, body part, maker, model and site of each image."""

import polars as pl

from tagsight.dicom.dictionary import attribute
from tagsight.tags import parsers
from tagsight.tags.fitting import read_columns, spread

LABELS = {
    "modality": ["Modality"],
    "body_part": ["BodyPartExamined", "AnatomicRegionSequence"],
    "manufacturer": ["Manufacturer"],
    "model": ["ManufacturerModelName"],
    # A ready table's own column; of files, where privacy.keep lets it out.
    "site": ["site", "InstitutionName"],
}


def labels(tags: pl.DataFrame | pl.LazyFrame, body_parts: pl.DataFrame) -> pl.DataFrame:
    """Return image, modality, body_part, manufacturer, model, site as text, spellings merged.

    A body part is taken from AnatomicRegionSequence where BodyPartExamined is missing. Sites are
    numbers, the same for the same site here: what institutions are called is for reading alone.
    """
    keywords = [keyword for several in LABELS.values() for keyword in several]
    table = read_columns(tags, ["image", *keywords])
    parsed = {keyword: _merged(table[keyword], body_parts) for keyword in keywords}
    named = {
        label: pl.select(pl.coalesce([parsed[keyword] for keyword in several])).to_series()
        for label, several in LABELS.items()
    }
    named["site"] = named["site"].rank("dense").cast(pl.String)
    return table.select("image").with_columns(**named)


def _merged(stored: pl.Series, body_parts: pl.DataFrame) -> pl.Series:
    """The first item of a tag as text, spellings merged, (n,)."""
    distinct = stored.unique()
    vr = attribute(stored.name).vr
    parsed = parsers.parse(stored.name, vr, distinct, items=1, spellings=body_parts)
    return spread(stored, distinct, parsed.get_columns()).to_series()
