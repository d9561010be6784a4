"""Test over all trials whether clusters are nearer together than chance."""

import polars as pl

from tagsight.jobs import logged
from tagsight.paired import evaluate
from tagsight.store import write_json

with logged(snakemake):
    write_json(evaluate(pl.read_parquet(snakemake.input)), snakemake.output[0])
