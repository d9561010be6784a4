"""Count files, images, tags, columns and samples at each stage of the run."""

from pathlib import Path

import polars as pl

from tagsight.report.counts import counts
from tagsight.run.atomic import write_json
from tagsight.run.jobs import logged
from tagsight.run.tables import scan
from tagsight.tree.encodings import load_tree

FATES = {"image": pl.String, "reason": pl.String, "remark": pl.String}

with logged(snakemake):
    inputs = snakemake.input
    sizes = {Path(path).stem: pl.scan_parquet(path).select(pl.len()) for path in inputs.samples}
    fates = [pl.read_parquet(path, columns=list(FATES)) for path in inputs.fates]
    no_fates = pl.DataFrame(schema=FATES)
    content = counts(
        scan(inputs.tags),
        pl.read_parquet(inputs.rejected),
        pl.read_parquet(inputs.selection),
        load_tree(inputs.encoding).columns,
        {name: size.collect().item() for name, size in sizes.items()},
        pl.concat([no_fates, *fates]),
    )
    write_json(content, snakemake.output[0])
