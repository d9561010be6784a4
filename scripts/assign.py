"""Give new images the labels of the finished run here, which is not changed."""

import polars as pl

from tagsight.assigning.delivery import Delivery
from tagsight.assigning.encoder import TagEncoder
from tagsight.assigning.finished_run import load_run
from tagsight.assigning.incoming import input_sites, not_applied, read_parts
from tagsight.content.tables import content_tables
from tagsight.reading.options import options_by
from tagsight.run.atomic import stream_parquet, write_csv, write_json
from tagsight.run.jobs import logged, results_folder, resume_folder
from tagsight.run.progress import LOG
from tagsight.run.tables import without_uids
from tagsight.terms.spelling_table import spelling_table

with logged(snakemake):
    params, out = snakemake.params, snakemake.output
    sites = input_sites(params.archive, params.sites)
    results, learned = results_folder(snakemake), params.weights == "looks"
    run = load_run(results, params.ranges, params.key_file, learned=learned)
    spellings = spelling_table(params.body_parts)
    encoder = TagEncoder(run, spellings, content_tables(params.tables))
    encoder.require_the_runs()
    folder = resume_folder(snakemake, params.store)
    delivery = Delivery(run, folder / "assigned")
    how = options_by(run.reader_settings, params)
    for shard in read_parts(run, sites, how, params.shards, folder):
        delivery.add(shard, encoder.encode(shard.tags))
    summary = {"sites": not_applied(sites, params.sites), **delivery.summary(params.seed)}
    stream_parquet(delivery.table(), out.table)
    shown = without_uids(pl.col("path")) if params.mask_paths else pl.col("path")
    for table, path in ((delivery.table(), out.csv), (delivery.rejected(), out.rejected)):
        write_csv(table.with_columns(shown), path)
    write_json(summary, out.summary)
    LOG.info("%s", summary["result"])
    for key, about in (("sites", "sites"), ("warning", "drift")):
        if summary[key]:
            LOG.warning("%s: %s", about, summary[key])
