"""Deal a ready table of tags to shards, as the reader leaves those of files."""

from pathlib import Path

import polars as pl

from tagsight.reading.column_splits import Split
from tagsight.reading.options import options_by
from tagsight.reading.provenance import footer
from tagsight.reading.ready_table import Layout, open_table, sample_rows, shard_rows, summary
from tagsight.reading.ready_table_tags import tags
from tagsight.run.atomic import forget_others, write_json, write_parquet
from tagsight.run.hashing import run_key
from tagsight.run.jobs import logged, results_folder
from tagsight.run.plain_text import counted
from tagsight.run.progress import LOG
from tagsight.run.tables import REJECTED

with logged(snakemake):
    params, out, results = snakemake.params, snakemake.output, results_folder(snakemake)
    layout = Layout(dict(params.columns), tuple(map(Split.from_config, params.split)))
    table = open_table(Path(snakemake.input[0]), layout)
    report = summary(table)
    LOG.info(counted(report["rows"], "row"))
    read_with = {name: params[name] for name in ("keep", "derive_text", "columns", "split")}
    options = options_by(read_with, params)
    key = run_key(params.key_file, results)
    parts = shard_rows(sample_rows(table, params.draw, params.seed), params.shards)
    for rows, into, rejected in zip(parts, out.tags, out.rejected, strict=True):
        write_parquet(tags(rows, table, key, options), into)
        write_parquet(pl.DataFrame(schema=REJECTED), rejected, footer(key, read_with))
    write_json(report, out.found)
    folders = [results / name for name in ("tags", "rejected", "features", "annotations")]
    forget_others(folders, [Path(path).stem for path in out.tags])
