"""Turn a shard's tags into rows of numbers and categories."""

import polars as pl

from tagsight.run.atomic import write_parquet
from tagsight.run.hashing import run_key
from tagsight.run.jobs import logged, results_folder
from tagsight.tags import encoding, fitting
from tagsight.terms.spelling_table import spelling_table

with logged(snakemake):
    fitted = encoding.load(snakemake.input.encoding)
    body_parts = spelling_table(snakemake.params.body_parts)
    key = run_key(snakemake.params.key_file, results_folder(snakemake))
    tags = pl.read_parquet(snakemake.input.tags)
    write_parquet(fitting.apply(tags, fitted, body_parts, key), snakemake.output[0])
