"""Draw the samples, disjoint by patient."""

from pathlib import Path

import polars as pl

from tagsight import encoding, samples
from tagsight.body_parts import read_spellings
from tagsight.jobs import LOG, logged
from tagsight.store import forget_others, write_parquet
from tagsight.tables import scan

with logged(snakemake):
    asked = dict(snakemake.params.sizes)
    trials = {f"trial-{i:02d}": asked["trial"] for i in range(1, asked["trials"] + 1)}
    sizes = {name: asked[name] for name in ("tuning", "holdout", "autoencoder")} | trials
    tags = scan(snakemake.input.tags)
    keys = ["image", "series", "study", "patient", "path"]
    drawn = samples.draw(
        tags.select(keys).collect(), sizes, asked["per_series"], snakemake.params.seed
    )
    if short := samples.shortfall(drawn, sizes):
        LOG.warning(short)
    chosen = drawn.lazy().select("image")
    body_parts = read_spellings(Path(snakemake.scriptdir).parent / "config" / "body_parts.csv")
    labels = encoding.labels(tags.join(chosen, on="image", how="semi").collect(), body_parts)
    features = pl.scan_parquet(snakemake.input.features).join(chosen, on="image", how="semi")
    rows = drawn.join(labels, on="image", how="left", maintain_order="left").join(
        features.collect(), on="image", how="left", maintain_order="left"
    )
    for path in snakemake.output:
        write_parquet(rows.filter(sample=Path(path).stem).drop("sample"), path)
    made = ("samples", "clusters", "distances", "images", "embeddings", "trials")
    forget_others([Path("results") / folder for folder in made], sizes)
