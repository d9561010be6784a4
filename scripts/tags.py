"""Read the tags of a shard's files; what cannot be taken goes to rejected with its reason."""

import polars as pl

from tagsight.hashing import require_same_key, run_key
from tagsight.jobs import LOG, Progress, logged, resume_folder
from tagsight.reading import read_shard
from tagsight.store import write_parquet

with logged(snakemake):
    params = snakemake.params
    listing = pl.read_parquet(snakemake.input[0])
    key = run_key(params.key_file)
    require_same_key(key, pl.read_parquet_metadata(snakemake.input[0])["key"])
    tags, rejected = read_shard(
        listing,
        key,
        params.keep,
        store=resume_folder(snakemake, params.store),
        progress=Progress(len(listing), "files"),
    )
    LOG.info("%d images, %d files rejected", len(tags), len(rejected))
    write_parquet(tags, snakemake.output.tags)
    write_parquet(rejected, snakemake.output.rejected)
