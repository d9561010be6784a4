"""Turn a shard's tags into rows of numbers and categories."""

from pathlib import Path

import polars as pl

from tagsight import encoding
from tagsight.body_parts import read_spellings
from tagsight.hashing import run_key
from tagsight.jobs import logged
from tagsight.store import write_parquet

with logged(snakemake):
    fitted = encoding.load(snakemake.input.encoding)
    body_parts = read_spellings(Path(snakemake.scriptdir).parent / "config" / "body_parts.csv")
    key = run_key(snakemake.params.key_file)
    tags = pl.read_parquet(snakemake.input.tags)
    write_parquet(encoding.apply(tags, fitted, body_parts, key), snakemake.output[0])
