"""Test over all trials whether images of a cluster are closer than under a null model."""

import polars as pl

from tagsight.evaluation.paired_tests import evaluate
from tagsight.run.atomic import write_json
from tagsight.run.jobs import logged

with logged(snakemake):
    write_json(evaluate(pl.read_parquet(snakemake.input)), snakemake.output[0])
