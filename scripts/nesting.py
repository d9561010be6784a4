"""Measure how clusters of each K are nested in those of each smaller K."""

import polars as pl

from tagsight.interpretation.nesting import nesting
from tagsight.run.atomic import write_json
from tagsight.run.jobs import logged

with logged(snakemake):
    write_json(nesting(pl.read_parquet(snakemake.input[0])), snakemake.output[0])
