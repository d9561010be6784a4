"""List images to train on, with splits that share no patient, and link to their files."""

from pathlib import Path

import polars as pl

from tagsight.handover.manifest import link, manifest
from tagsight.run.atomic import write_csv
from tagsight.run.jobs import logged
from tagsight.run.plain_text import counted
from tagsight.run.progress import LOG
from tagsight.run.tables import scan

with logged(snakemake):
    params, inputs, out = snakemake.params, snakemake.input, snakemake.output
    left_out = scan(inputs.tags).filter(pl.col("undrawable").is_not_null()).select("image")
    if inputs.content:  # of a tree: what is no picture has a label, and nothing to learn from
        others = scan(inputs.content).filter(~pl.col("picture")).select("image")
        left_out = pl.concat([left_out, others])
    annotations = scan(inputs.annotations).collect()
    shares = {name: params[name] for name in ("train", "validation", "test")}
    rows = manifest(annotations, left_out.collect(), params.per_label, shares, params.seed)
    for split, count in rows.group_by("split").len().sort("split").iter_rows():
        LOG.info("%s: %s", split, counted(count, "image"))
    link(rows, Path(out.links))
    write_csv(rows, out.table, readers="owner")
