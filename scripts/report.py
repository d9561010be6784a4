"""Write the page, and the text that a run prints at its end."""

from pathlib import Path

import numpy as np
import polars as pl
import yaml

from tagsight.report import page, results
from tagsight.report.figures import pictures
from tagsight.report.label_tree import label_members
from tagsight.run.atomic import read_json, read_text, write_file
from tagsight.run.jobs import logged

with logged(snakemake):
    inputs, params, out = snakemake.input, snakemake.params, snakemake.output
    count = params.gallery
    run = results.Run(
        **{name: read_json(inputs[name]) for name in results.DOCUMENTS if inputs.get(name)},
        **{name: pl.read_parquet(inputs[name]) for name in results.TABLES if inputs.get(name)},
        rules=yaml.safe_load(read_text(inputs.rules)),
        **results.of_encoding(read_json(inputs.encoding)),
    )
    clusters = pl.read_parquet(inputs.clusters)
    if run.flat:
        clusters = clusters.filter(k=run.choice["k"])
    else:
        clusters = label_members(clusters, run.cards)
        count = pictures.members_each(clusters["cluster"].n_unique(), count)
    shown, tiles = [], {}
    if run.has_looks:
        images, fates = np.load(inputs.images, mmap_mode="r"), pl.read_parquet(inputs.fates)
        shown = pictures.picks(clusters, fates, count, params.seed, params.burned_in, params.least)
        tiles = pictures.tiles(images, shown)
    files = {Path(path).name: Path(path) for path in inputs.figures}
    drawings = {path.stem: read_text(path) for path in files.values() if path.suffix == ".svg"}
    pair = files["reconstructions.png"].read_bytes() if pictures.examples(shown) else None
    write_file(page.render(run, drawings, pair, tiles), out.page, readers="anyone")
    write_file(page.closing(run, out.page, inputs.annotations), out.result)
