"""The tables of what was imaged: the library's rows, with a user's on top."""

from collections.abc import Mapping

import polars as pl

from tagsight.content.content import ContentTables
from tagsight.content.facets import facets
from tagsight.content.kinds import Kinds
from tagsight.content.regions import Regions
from tagsight.run.package_data import rows_of, user_rows
from tagsight.terms.facet_words import facet_words
from tagsight.terms.technique_words import user_words


def content_tables(user_tables: Mapping[str, str | None] | None = None) -> ContentTables:
    """Return the tables, with a user's rows on top of the library's.

    user_tables: the config's `labels.tables`, paths of kinds, regions, kernels, facets,
    words or null.
    """
    own = user_tables or {}
    kinds = Kinds(_frame([*rows_of("kinds.csv"), *user_rows(own.get("kinds"))]))
    # The first kernel that fits counts, of the others the last row.
    kernels = [*user_rows(own.get("kernels")), *rows_of("kernels.csv")]
    words = user_words(own.get("words"))
    pictures = [kind for kind in sorted(kinds.names()) if kinds.is_picture(kind)]
    return ContentTables(
        kinds,
        Regions(_frame([*rows_of("regions.csv"), *user_rows(own.get("regions"))])),
        facets(
            facet_words(own.get("facets")),
            _frame(kernels),
            {kind: words.pairs(kind) for kind in pictures},
        ),
    )


def _frame(rows: list[dict[str, str]]) -> pl.DataFrame:
    """A table with the columns of its first row and of all others; what a row lacks is null."""
    return pl.DataFrame(rows, infer_schema_length=None)
