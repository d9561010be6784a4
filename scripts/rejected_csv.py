"""Join the lists of files that were not taken into one table for people."""

import polars as pl

from tagsight.run.atomic import writing
from tagsight.run.jobs import logged
from tagsight.run.tables import without_uids

with logged(snakemake):
    shards = pl.scan_parquet(snakemake.input)
    if snakemake.params.mask_paths:
        shards = shards.with_columns(without_uids(pl.col("path")))
    with writing(snakemake.output[0]) as temporary:
        shards.sink_csv(temporary, maintain_order=True)
