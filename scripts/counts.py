"""Count files, images, tags, columns and samples at each stage of the run."""

from pathlib import Path

import polars as pl

from tagsight.report.counts import counts
from tagsight.run.atomic import read_json, write_json
from tagsight.run.jobs import logged
from tagsight.run.tables import scan

with logged(snakemake):
    given = snakemake.input
    sizes = {Path(path).stem: pl.scan_parquet(path).select(pl.len()) for path in given.samples}
    fates = [pl.read_parquet(path, columns=["image", "reason"]) for path in given.fates]
    no_fates = pl.DataFrame(schema={"image": pl.String, "reason": pl.String})
    content = counts(
        scan(given.tags),
        pl.read_parquet(given.rejected),
        pl.read_parquet(given.selection),
        read_json(given.encoding)["columns"],
        {name: size.collect().item() for name, size in sizes.items()},
        pl.concat([no_fates, *fates]),
    )
    write_json(content, snakemake.output[0])
