"""Join the lists of files that were not taken into one table for people."""

import polars as pl

from tagsight.run.atomic import write_csv
from tagsight.run.jobs import logged
from tagsight.run.tables import without_uids

with logged(snakemake):
    shards = pl.scan_parquet(snakemake.input)
    if snakemake.params.mask_paths:
        shards = shards.with_columns(without_uids(pl.col("path")))
    write_csv(shards, snakemake.output[0])
