"""Decide the fate of each tag, in a tree in each kind: kept, or dropped for a reason."""

import polars as pl

from tagsight.content.in_words import in_words
from tagsight.content.tables import content_tables
from tagsight.dicom.roles import roles_of
from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
from tagsight.run.plain_text import counted
from tagsight.run.progress import LOG
from tagsight.run.tables import scan
from tagsight.tags.kind_frequencies import scan_with_content, words
from tagsight.tags.kind_selection import kind_selection
from tagsight.tags.selection import selection
from tagsight.terms.spelling_table import spelling_table

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    frequencies = pl.read_parquet(inputs.frequencies)
    body_parts, seed = spelling_table(params.body_parts), params.get("seed")
    how = {**params.select, "seed": seed}
    if params.tree:
        by_kind, facets = pl.read_parquet(inputs.kinds), content_tables(params.tables).facets
        fates = kind_selection(
            by_kind,
            frequencies,
            scan_with_content(inputs.tags, inputs.content),
            body_parts,
            roles=roles_of(frequencies["keyword"].to_list(), params.tables["roles"]),
            wanted=params.roles,
            in_words=in_words(words(scan(inputs.content)), by_kind, facets),
            **how,
        )
    else:
        fates = selection(frequencies, scan(inputs.tags), body_parts, **how)
    for reason, tags in fates["reason"].value_counts(sort=True).iter_rows():
        LOG.info("%s: %s", reason, counted(tags, "tag"))
    write_parquet(fates, snakemake.output[0])
