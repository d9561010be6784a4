"""List the archive's files and deal them to shards by their folder."""

from pathlib import Path

from tagsight.archive import listing
from tagsight.hashing import fingerprint, run_key
from tagsight.jobs import LOG, logged
from tagsight.store import forget_others, write_parquet

with logged(snakemake):
    params = snakemake.params
    places = [params.archive] if isinstance(params.archive, str) else params.archive
    key = run_key(params.key_file)
    found = listing([Path(place) for place in places], params.shards, params.draw, params.seed)
    LOG.info("%d files in %d folders or lists", len(found), len(places))
    for shard, path in enumerate(snakemake.output):
        part = found.filter(shard=shard).drop("shard")
        write_parquet(part, path, metadata={"key": fingerprint(key)})
    made = ("files", "tags", "rejected", "features", "annotations")
    shards = [Path(path).stem for path in snakemake.output]
    forget_others([Path("results") / folder for folder in made], shards)
