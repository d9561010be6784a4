"""Labels from outside the clusters: modality, body part, maker, model and site of each image."""

import polars as pl

from tagsight.dicom.dictionary import attribute
from tagsight.tags import parsers
from tagsight.tags.fitting import expand_to_rows, read_columns
from tagsight.terms.annex_l import annex_l
from tagsight.terms.defined_terms import modalities

# Label -> the tags that it is taken from: the first of them that is filled.
LABELS = {
    "modality": ["Modality"],
    "body_part": ["BodyPartExamined", "AnatomicRegionSequence"],
    "manufacturer": ["Manufacturer"],
    "model": ["ManufacturerModelName"],
    # A ready table's own column; of files, where privacy.keep lets it out.
    "site": ["site", "InstitutionName"],
}


def labels(tags: pl.DataFrame | pl.LazyFrame, body_parts: pl.DataFrame) -> pl.DataFrame:
    """Return the labels of images: image, and the names of LABELS, as text with spellings merged.

    tags: a table of tags; body_parts: the table of spellings.

    A site is a number, which hides the institution's name; equal numbers are the same site.
    """
    keywords = [keyword for sources in LABELS.values() for keyword in sources]
    table = read_columns(tags, ["image", *keywords])
    parsed = {keyword: _merged(table[keyword], body_parts) for keyword in keywords}
    columns = {
        label: pl.select(pl.coalesce([parsed[keyword] for keyword in sources])).to_series()
        for label, sources in LABELS.items()
    }
    columns["site"] = columns["site"].rank("dense").cast(pl.String)
    return table.select("image").with_columns(**columns)


def in_terms(outside: pl.DataFrame) -> pl.DataFrame:
    """Return labels with modality and body part null where they are no term of the standard.

    For tables that are handed around: people type what they like into these tags.
    outside: of `labels`.
    """
    terms = {"modality": sorted(modalities()), "body_part": sorted(annex_l())}
    known = (
        pl.when(pl.col(name).is_in(allowed)).then(name).alias(name)
        for name, allowed in terms.items()
    )
    return outside.with_columns(known)


def _merged(stored: pl.Series, body_parts: pl.DataFrame) -> pl.Series:
    """The first item of a tag as text, spellings merged, (n,)."""
    distinct = stored.unique()
    vr = attribute(stored.name).vr
    parsed = parsers.parse(stored.name, vr, distinct, items=1, spellings=body_parts)
    return expand_to_rows(stored, distinct, parsed.get_columns()).to_series()
