"""Put new images into the clusters of the finished run here, which stays as it is."""

from pathlib import Path

import polars as pl

from tagsight import encoding
from tagsight.assigning import Delivery, listed, places, wanted
from tagsight.body_parts import read_spellings
from tagsight.finished import finished
from tagsight.jobs import LOG, Progress, logged, resume_folder
from tagsight.reading import read_shard
from tagsight.store import stream_parquet, write_json, writing
from tagsight.tables import without_uids

with logged(snakemake):
    params, out = snakemake.params, snakemake.output
    folder = resume_folder(snakemake, params.store)
    parts = listed(places(params.archive), params.shards, folder / "listed")
    run = finished(Path("results"), params.ranges, params.key_file)
    spellings = read_spellings(Path(snakemake.scriptdir).parent / "config" / "body_parts.csv")
    as_before = wanted(run.reading(), spellings)
    delivery = Delivery(run, folder / "assigned")
    for number, files in enumerate(parts):
        store = folder / f"read-{number:04d}"
        shard = read_shard(files, run.key, as_before, store, Progress(len(files), "files"))
        features = encoding.apply(shard.tags, run.encoding, spellings, run.key)
        delivery.add(shard, features)
    told = delivery.told(params.seed)
    stream_parquet(delivery.table(), out.table)
    shown = without_uids(pl.col("path")) if params.mask_paths else pl.col("path")
    with writing(out.csv) as temporary:
        pl.scan_parquet(out.table).with_columns(shown).sink_csv(temporary, float_precision=6)
    write_json(told, out.told)
    LOG.info("%s", told["result"])
    if told["warning"]:
        LOG.warning("drift: %s", told["warning"])
