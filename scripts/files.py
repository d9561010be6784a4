"""List the archive's files and deal them to shards by their folder."""

import shutil
from pathlib import Path

from tagsight.archive.shard_count import remark
from tagsight.archive.sharding import shard_files
from tagsight.archive.sites import named_sites, site_by_path
from tagsight.run.atomic import forget_others, write_parquet
from tagsight.run.hashing import fingerprint, run_key
from tagsight.run.jobs import logged, results_folder, resume_folder
from tagsight.run.plain_text import counted
from tagsight.run.progress import LOG, Progress

with logged(snakemake):
    params = snakemake.params
    sites = named_sites(params.archive)
    places = [path for site in sites.values() for path in site.paths]
    key = run_key(params.key_file, results_folder(snakemake))
    folder = resume_folder(snakemake)
    progress = Progress(None, "files found")
    parts = shard_files(
        places, params.shards, params.draw, params.seed, folder, progress, site_by_path(sites)
    )
    count = 0
    for part, path in zip(parts, snakemake.output, strict=True):
        write_parquet(part, path, metadata={"key": fingerprint(key)})
        count += len(part)
    if line := remark(count, params.shards):
        LOG.warning(line)
    LOG.info("%s, %d taken", counted(progress.done, "file"), count)
    shutil.rmtree(folder)
    per_shard = ("files", "tags", "rejected", "features", "annotations")
    shards = [Path(path).stem for path in snakemake.output]
    forget_others([results_folder(snakemake) / folder for folder in per_shard], shards)
