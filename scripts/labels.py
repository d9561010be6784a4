"""Put identifiers, as the archive has them, beside the labels of all images."""

from pathlib import Path

import polars as pl

from tagsight.handover import site_labels
from tagsight.run.atomic import write_parquet
from tagsight.run.hashing import run_key
from tagsight.run.jobs import logged, results_folder
from tagsight.run.progress import Progress
from tagsight.run.tables import scan

with logged(snakemake):
    params, inputs = snakemake.params, snakemake.input
    key = run_key(params.key_file, results_folder(snakemake))
    if params.table is None:
        count = scan(inputs.annotations).select(pl.len()).collect().item()
        shards = zip(inputs.annotations, inputs.tags, strict=True)
        labels = site_labels.of_files(shards, key, snakemake.threads, Progress(count, "images"))
    else:
        place, column = Path(params.table), params.columns["image"]
        labels = site_labels.of_table(inputs.annotations, place, column, key)
    write_parquet(labels, snakemake.output[0], readers="owner")
