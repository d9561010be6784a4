"""Measure how far images are from their centres, for each labelling and null model."""

import numpy as np
import polars as pl

from tagsight.clustering import cluster_tables
from tagsight.evaluation import trials
from tagsight.run.atomic import read_json, write_parquet
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG

with logged(snakemake):
    name, params = snakemake.wildcards.sample, snakemake.params
    chosen = read_json(snakemake.input.choice)["k"]
    sample = pl.read_parquet(snakemake.input.sample, columns=["image", *trials.columns()])
    embeddings, grid = (
        np.load(snakemake.input.embeddings),
        pl.read_parquet(snakemake.input.clusters),
    )
    reason = trials.why_left_out(embeddings, sample, grid["k"].max() or 0)
    if reason:
        LOG.warning("left out: %s", reason)
        rows = pl.DataFrame(schema=trials.SCHEMA)
    else:
        k = cluster_tables.nearest_number(grid, chosen)
        if k < chosen:
            LOG.warning("K = %d instead of %d: the sample has too few distinct images", k, chosen)
        labels = sample.join(grid.filter(k=k), on="image", how="left", maintain_order="left")
        rows = trials.trial(
            name,
            embeddings,
            labels["cluster"].to_numpy(),
            sample,
            k=k,
            permutations=params.permutations,
            seed=params.seed,
        )
    LOG.info("%d rows", len(rows))
    write_parquet(rows, snakemake.output[0], metadata={"left_out": reason or ""})
