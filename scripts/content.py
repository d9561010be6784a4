"""Say of each image what was imaged: its kind, its region, and how."""

import polars as pl

from tagsight.content.content import content
from tagsight.content.tables import content_tables
from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
from tagsight.run.plain_text import counted
from tagsight.run.progress import LOG
from tagsight.terms.spelling_table import spelling_table

with logged(snakemake):
    params = snakemake.params
    shard = pl.scan_parquet(snakemake.input[0])
    table = content(shard, spelling_table(params.body_parts), content_tables(params))
    for kind, images in table["kind"].value_counts(sort=True).iter_rows():
        LOG.info("%s: %s", kind, counted(images, "image"))
    write_parquet(table, snakemake.output[0])
