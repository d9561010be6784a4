"""Join the annotated shards into one table for people."""

import polars as pl

from tagsight.jobs import logged
from tagsight.store import writing

with logged(snakemake):
    shards = pl.scan_parquet(snakemake.input)
    with writing(snakemake.output[0]) as temporary:
        shards.sink_csv(temporary, float_precision=6, maintain_order=True)
