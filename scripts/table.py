"""Deal a ready table of tags to shards, as the reader leaves those of files."""

from pathlib import Path

import polars as pl

from tagsight.dicom.headers import Wanted
from tagsight.reading.column_splits import Split
from tagsight.reading.provenance import footer
from tagsight.reading.ready_table import Layout, deal, draw, open_table, summary
from tagsight.reading.ready_table_tags import tags
from tagsight.run.atomic import forget_others, write_json, write_parquet
from tagsight.run.hashing import run_key
from tagsight.run.jobs import LOG, logged
from tagsight.run.tables import REJECTED
from tagsight.terms.body_parts import BodyParts, read_spellings

SPELLINGS = Path(snakemake.scriptdir).parent / "config/body_parts.csv"

with logged(snakemake):
    params, out = snakemake.params, snakemake.output
    layout = Layout(dict(params.columns), tuple(map(Split.from_config, params.split)))
    table = open_table(Path(snakemake.input[0]), layout)
    report = summary(table)
    LOG.info("%d rows", report["rows"])
    wanted = Wanted(
        keep=frozenset(params.keep),
        derive=tuple(params.derive_text),
        vocabulary=BodyParts(read_spellings(SPELLINGS)) if params.derive_text else None,
    )
    key = run_key(params.key_file)
    read_with = {name: params[name] for name in ("keep", "derive_text", "columns", "split")}
    parts = deal(draw(table, params.draw, params.seed), params.shards)
    for rows, into, rejected in zip(parts, out.tags, out.rejected, strict=True):
        write_parquet(tags(rows, table, key, wanted), into)
        write_parquet(pl.DataFrame(schema=REJECTED), rejected, footer(key, read_with))
    write_json(report, out.found)
    shards = [Path(path).stem for path in out.tags]
    made = ("tags", "rejected", "features", "annotations")
    forget_others([Path("results") / folder for folder in made], shards)
