"""Count what the run saw at each stage."""

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
    none = pl.DataFrame(schema={"image": pl.String, "reason": pl.String})
    found = counts(
        scan(given.tags),
        pl.read_parquet(given.rejected),
        pl.read_parquet(given.selection),
        read_json(given.encoding)["columns"],
        {name: size.collect().item() for name, size in sizes.items()},
        pl.concat([none, *fates]),
    )
    write_json(found, snakemake.output[0])
