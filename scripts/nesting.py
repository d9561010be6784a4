"""Say which clusters of each K live inside which of each smaller K."""

import polars as pl

from tagsight.jobs import logged
from tagsight.nesting import nesting
from tagsight.store import write_json

with logged(snakemake):
    write_json(nesting(pl.read_parquet(snakemake.input[0])), snakemake.output[0])
