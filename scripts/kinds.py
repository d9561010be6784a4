"""Count, inside each kind of pictures, how often each tag is filled and with how many values."""

import polars as pl

from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
from tagsight.tags.kind_frequencies import kind_frequencies, scan_with_content

with logged(snakemake):
    inputs = snakemake.input
    tags = scan_with_content(inputs.tags, inputs.content)
    table = kind_frequencies(tags, pl.read_parquet(inputs.frequencies))
    write_parquet(table, snakemake.output[0])
