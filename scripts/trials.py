"""Measure how far images are from their centres, for each labelling and null model."""

import numpy as np
import polars as pl

from tagsight.clustering import cluster_tables
from tagsight.evaluation import trials
from tagsight.run.atomic import read_json, write_parquet
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG

with logged(snakemake):
    chosen = read_json(snakemake.input.choice)["k"]
    sample = pl.read_parquet(snakemake.input.sample, columns=["image", *trials.columns()])
    grid = pl.read_parquet(snakemake.input.clusters)
    k = cluster_tables.nearest_number(grid, chosen)
    if k < chosen:
        LOG.warning("K = %d instead of %d: the sample has too few distinct images", k, chosen)
    labels = sample.join(grid.filter(k=k), on="image", how="left", maintain_order="left")["cluster"]
    rows = trials.trial(
        snakemake.wildcards.sample,
        np.load(snakemake.input.embeddings),
        labels.to_numpy(),
        sample,
        k=k,
        permutations=snakemake.params.permutations,
        seed=snakemake.params.seed,
    )
    LOG.info("%d rows", len(rows))
    write_parquet(rows, snakemake.output[0])
