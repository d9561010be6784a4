"""Test over all trials whether images of a cluster are closer than under a null model."""

from pathlib import Path

import polars as pl

from tagsight.evaluation.paired_tests import evaluate
from tagsight.run.atomic import write_json
from tagsight.run.jobs import logged

with logged(snakemake):
    paths = snakemake.input
    left_out = {Path(path).stem: pl.read_parquet_metadata(path)["left_out"] for path in paths}
    write_json(evaluate(pl.read_parquet(paths), left_out), snakemake.output[0])
