"""Give each tag its fate: kept, or dropped for a reason."""

import polars as pl

from tagsight.jobs import LOG, logged
from tagsight.selection import selection
from tagsight.store import write_parquet

with logged(snakemake):
    fates = selection(pl.read_parquet(snakemake.input[0]), **snakemake.params.select)
    for reason, tags in fates["reason"].value_counts(sort=True).iter_rows():
        LOG.info("%s: %d tags", reason, tags)
    write_parquet(fates, snakemake.output[0])
