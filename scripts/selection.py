"""Decide the fate of each tag, in a tree in each kind: kept, or dropped for a reason."""

import polars as pl

from tagsight.content.in_words import in_words
from tagsight.content.tables import content_tables
from tagsight.dicom.roles import roles_of
from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
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
    if params.tree:
        tags = scan_with_content(inputs.tags, inputs.content)
        by_kind = pl.read_parquet(inputs.kinds)
        fates = kind_selection(
            by_kind,
            frequencies,
            tags,
            body_parts,
            roles=roles_of(frequencies["keyword"].to_list(), params.tables["roles"]),
            wanted=params.roles,
            in_words=in_words(
                words(scan(inputs.content)), by_kind, content_tables(params.tables).facets
            ),
            seed=seed,
            **{key: value for key, value in params.select.items() if key != "image_level"},
        )
    else:
        fates = selection(frequencies, scan(inputs.tags), body_parts, **params.select, seed=seed)
    for reason, tags in fates["reason"].value_counts(sort=True).iter_rows():
        LOG.info("%s: %d tags", reason, tags)
    write_parquet(fates, snakemake.output[0])
