"""Count the words of content of each leaf's images, over the whole archive."""

import polars as pl

from tagsight.run.atomic import write_parquet
from tagsight.run.jobs import logged
from tagsight.tree.composition import composition, shard_words

with logged(snakemake):
    inputs = snakemake.input
    shards = [
        shard_words(*map(pl.scan_parquet, paths))
        for paths in zip(inputs.nearest, inputs.content, inputs.tags, strict=True)
    ]
    write_parquet(composition(shards), snakemake.output[0])
