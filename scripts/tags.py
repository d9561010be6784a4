"""Read the tags of a shard's files; what cannot be taken goes to rejected with its reason."""

from pathlib import Path

import polars as pl

from tagsight.body_parts import Vocabulary, read_spellings
from tagsight.footers import footer
from tagsight.hashing import require_same_key, run_key
from tagsight.headers import Wanted
from tagsight.jobs import LOG, Progress, logged, resume_folder
from tagsight.reading import read_shard
from tagsight.store import stream_parquet, write_parquet

SPELLINGS = Path(snakemake.scriptdir).parent / "config/body_parts.csv"

with logged(snakemake):
    params = snakemake.params
    listing = pl.read_parquet(snakemake.input[0])
    key = run_key(params.key_file)
    require_same_key(key, pl.read_parquet_metadata(snakemake.input[0])["key"])
    wanted = Wanted(
        keep=frozenset(params.keep),
        undrawable=frozenset(params.keep_undrawable),
        derive=tuple(params.derive_text),
        vocabulary=Vocabulary(read_spellings(SPELLINGS)) if params.derive_text else None,
    )
    store = resume_folder(snakemake, params.store)
    shard = read_shard(listing, key, wanted, store, Progress(len(listing), "files"))
    LOG.info("%d images, %d files rejected", shard.images, len(shard.rejected))
    stream_parquet(shard.tags, snakemake.output.tags)
    read_with = {name: params[name] for name in ("keep", "keep_undrawable", "derive_text")}
    write_parquet(shard.rejected, snakemake.output.rejected, footer(key, read_with))
