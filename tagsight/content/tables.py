"""The tables of what was imaged: the library's rows, with a user's on top."""

from collections.abc import Mapping

import polars as pl

from tagsight.content.content import ContentTables
from tagsight.content.facets import facets
from tagsight.content.kinds import Kinds
from tagsight.content.regions import Regions
from tagsight.run.package_data import rows_of, user_rows


def content_tables(user_tables: Mapping[str, str | None] | None = None) -> ContentTables:
    """Return the tables, with a user's rows on top of the library's.

    user_tables: the config's `labels.tables`, paths of kinds, regions, kernels or null.
    """
    own = user_tables or {}
    kernels = [
        *user_rows(own.get("kernels")),
        *rows_of("kernels.csv"),
    ]  # the first that fits counts
    return ContentTables(
        Kinds(_frame([*rows_of("kinds.csv"), *user_rows(own.get("kinds"))])),
        Regions(_frame([*rows_of("regions.csv"), *user_rows(own.get("regions"))])),
        facets(_frame(kernels)),
    )


def _frame(rows: list[dict[str, str]]) -> pl.DataFrame:
    """A table with the columns of its first row and of all others; what a row lacks is null."""
    return pl.DataFrame(rows, infer_schema_length=None)
