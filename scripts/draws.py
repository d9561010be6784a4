"""Draw the samples, and say what the archive is too small to test."""

from collections import Counter
from pathlib import Path

import polars as pl

from tagsight.run.atomic import forget_others, write_json, write_parquet
from tagsight.run.jobs import logged, results_folder
from tagsight.run.progress import LOG
from tagsight.tags.sampling.by_kind import draw_samples, summary
from tagsight.tags.sampling.by_patient import candidates, shortfall

KEYS = ["image", "series", "study", "patient", "path", "burned_in", "undrawable"]

with logged(snakemake):
    inputs, config = snakemake.input, dict(snakemake.params.sizes)
    samples = [Path(path).stem for path in snakemake.output.samples]
    sizes = {name: config.get(name, config["trial"]) for name in samples}
    per_series, seed = config["per_series"], snakemake.params.seed
    parts, kinds = [], Counter()
    for number, path in enumerate(inputs.tags):
        shard = pl.read_parquet(path, columns=KEYS)
        if inputs.get("content"):
            content = pl.read_parquet(inputs.content[number], columns=["image", "kind", "picture"])
            shard = shard.join(content, on="image", how="left", maintain_order="left")
            kinds.update(dict(shard.filter("picture")["kind"].value_counts().iter_rows()))
        parts.append(candidates(shard, per_series, seed))
    images = pl.concat(parts)
    drawn = draw_samples(images, sizes, per_series, seed, kinds)
    drawn = drawn.drop("undrawable")
    content = summary(drawn, images, sizes)
    for remark in filter(None, [shortfall(drawn, sizes), *content["untested"]]):
        LOG.warning(remark)
    for path in snakemake.output.samples:
        write_parquet(drawn.filter(sample=Path(path).stem).drop("sample"), path)
    write_json(content, snakemake.output.summary)
    by_sample = ("draws", "samples", "clusters", "distances", "images", "embeddings", "trials")
    forget_others([results_folder(snakemake) / folder for folder in by_sample], sizes)
