"""Count how often each tag is filled, with what, and on which level it varies."""

import polars as pl

from tagsight.frequencies import frequencies
from tagsight.jobs import logged
from tagsight.reading import check_reject_limit
from tagsight.store import write_parquet
from tagsight.tables import scan

with logged(snakemake):
    tags = scan(snakemake.input.tags)
    images = tags.select(pl.len()).collect().item()
    rejected = pl.scan_parquet(snakemake.input.rejected).select("reason").collect()
    check_reject_limit(rejected, images + len(rejected), snakemake.params.reject_limit)
    table = frequencies(tags, snakemake.params.min_patients, snakemake.params.keep)
    write_parquet(table, snakemake.output[0])
