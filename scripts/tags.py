"""Read the tags of a shard's files; files that are rejected are listed with the reason."""

import polars as pl

from tagsight.archive.sites import named_sites
from tagsight.reading.options import options_by
from tagsight.reading.provenance import footer
from tagsight.reading.shard_reader import read_shard, require_all
from tagsight.reading.site_tags import of_sites
from tagsight.run.atomic import stream_parquet, write_parquet
from tagsight.run.hashing import require_same_key, run_key
from tagsight.run.jobs import logged, results_folder, resume_folder
from tagsight.run.plain_text import counted
from tagsight.run.progress import LOG, Progress

with logged(snakemake):
    params = snakemake.params
    listing = pl.read_parquet(snakemake.input[0])
    key = run_key(params.key_file, results_folder(snakemake))
    require_same_key(key, pl.read_parquet_metadata(snakemake.input[0])["key"])
    read_with = {name: params[name] for name in ("keep", "keep_undrawable", "derive_text")}
    options = options_by(read_with, params)
    store = resume_folder(snakemake, params.store)
    shard = read_shard(listing, key, options, store, Progress(len(listing), "files"))
    LOG.info("%s, %d rejected", counted(shard.images, "image"), len(shard.rejected))
    tags = of_sites(shard.tags, listing, named_sites(params.archive))
    stream_parquet(tags, snakemake.output.tags)
    require_all(snakemake.output.tags, shard)
    write_parquet(shard.rejected, snakemake.output.rejected, footer(key, read_with))
