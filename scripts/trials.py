"""Measure how far images are from their cluster's centre, under each labelling and null."""

import numpy as np
import polars as pl

from tagsight.clustering import cluster_tables
from tagsight.evaluation.trials import trial
from tagsight.run.atomic import read_json, write_parquet
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG

with logged(snakemake):
    chosen = read_json(snakemake.input.choice)["k"]
    sample = pl.read_parquet(snakemake.input.sample)
    grid = pl.read_parquet(snakemake.input.clusters)
    k = cluster_tables.nearest_number(grid, chosen)
    if k < chosen:
        LOG.warning("K = %d instead of %d: the sample has too few distinct images", k, chosen)
    labels = sample.join(grid.filter(k=k), on="image", how="left", maintain_order="left")["cluster"]
    columns = ["series", "patient", "modality", "body_part", "manufacturer"]
    distances = trial(
        snakemake.wildcards.sample,
        np.load(snakemake.input.embeddings),
        labels.to_numpy(),
        **{column: sample[column] for column in columns},
        k=k,
        permutations=snakemake.params.permutations,
        seed=snakemake.params.seed,
    )
    LOG.info("%d rows", len(distances))
    write_parquet(distances, snakemake.output[0])
