"""Count how often each tag is filled, with which values, and at which level it varies."""

import polars as pl

from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
from tagsight.run.tables import scan
from tagsight.tags.frequencies import check_reject_limit, frequencies

with logged(snakemake):
    tags = scan(snakemake.input.tags)
    images = tags.select(pl.len()).collect().item()
    rejected = pl.scan_parquet(snakemake.input.rejected).select("reason").collect()
    check_reject_limit(rejected, images + len(rejected), snakemake.params.reject_limit)
    table = frequencies(tags, snakemake.params.min_patients, snakemake.params.keep)
    write_parquet(table, snakemake.output[0])
