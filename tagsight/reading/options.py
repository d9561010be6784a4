"""What the reader keeps, of the settings that a run records with its tags."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from tagsight.dicom.headers import ReaderOptions
from tagsight.terms.body_parts import BodyParts
from tagsight.terms.facet_words import FacetWords, facet_words
from tagsight.terms.spelling_table import spelling_table
from tagsight.terms.technique_words import TechniqueWords, user_words


def options_by(settings: Mapping[str, Any], tables: Mapping[str, Any]) -> ReaderOptions:
    """Return what the reader keeps: see `reader_options`.

    tables: the user's tables `body_parts`, `words` and `facets`, paths or null, by name.
    """
    spellings = spelling_table(tables.get("body_parts"))
    words, facets = user_words(tables.get("words")), facet_words(tables.get("facets"))
    return reader_options(settings, spellings, words, facets)


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
