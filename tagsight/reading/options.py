"""What the reader keeps, of the settings that a run records with its tags."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from tagsight.dicom.headers import ReaderOptions
from tagsight.terms.body_parts import BodyParts
from tagsight.terms.facet_words import FacetWords
from tagsight.terms.technique_words import TechniqueWords


def reader_options(
    settings: Mapping[str, Any],
    spellings: pl.DataFrame,
    words: TechniqueWords,
    facets: FacetWords,
) -> ReaderOptions:
    """Return what the reader keeps.

    settings: `keep`, `derive_text` and, of files, `keep_undrawable`; spellings: of body parts;
    words: of technique; both are needed only where descriptions are read; facets: what items of
    tags mean.
    """
    derive = tuple(settings["derive_text"])
    return ReaderOptions(
        keep=frozenset(settings["keep"]),
        undrawable=frozenset(settings.get("keep_undrawable", ())),
        derive=derive,
        vocabulary=BodyParts(spellings) if derive else None,
        technique=words if derive else None,
        facets=facets,
    )
