"""What the config says of sites, put into a shard's tags: their names, and their own spellings."""

from collections.abc import Mapping

import polars as pl

from tagsight.terms.body_parts import BodyParts
from tagsight.terms.spelling_table import spelling_table

SPELT = "BodyPartExamined"  # the tag that sites spell their own way


def with_sites(tags: pl.LazyFrame, listing: pl.DataFrame) -> pl.LazyFrame:
    """Return tags with the site of each image's file, or of the container that it lies in.

    listing: `path` and `site` of the shard's files.
    """
    outer = pl.col("path").str.replace(r"(?s)!.*$", "")  # a name may have a line feed
    sites = listing.select(outer="path", listed="site").filter(pl.col("listed").is_not_null())
    named = tags.with_columns(outer=outer).join(
        sites.lazy(), on="outer", how="left", maintain_order="left"
    )
    return named.with_columns(site=pl.col("listed")).drop("outer", "listed")


def with_spellings(tags: pl.LazyFrame, own: Mapping[str, BodyParts]) -> pl.LazyFrame:
    """Return tags in which a site's own spellings of body parts are replaced by their terms.

    own: site -> the library's spellings, and after them its own.
    Values that these do not read otherwise than the library alone stay as they are.
    """
    if not own or SPELT not in tags.collect_schema():
        return tags
    library = BodyParts(spelling_table(None))
    stored = tags.select("site", SPELT).drop_nulls().unique().collect(engine="streaming")
    changed = {
        (site, text): term
        for site, text in stored.iter_rows()
        if site in own and (term := own[site].term(text)) not in (None, library.term(text))
    }
    value = pl.col(SPELT)
    for (site, text), term in sorted(changed.items()):
        is_it = (pl.col("site") == site) & (pl.col(SPELT) == text)
        value = pl.when(is_it).then(pl.lit(term)).otherwise(value)
    return tags.with_columns(value.alias(SPELT))
