"""Measure how far images are from their centres, for each labelling and null model."""

import numpy as np
import polars as pl

from tagsight.clustering import cluster_tables
from tagsight.evaluation import trials
from tagsight.interpretation.annotations import labels_of
from tagsight.run.atomic import read_json, write_parquet
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG
from tagsight.tags.tree_encoding import load_tree

with logged(snakemake):
    inputs = snakemake.input
    sample = pl.read_parquet(inputs.sample)
    if inputs.get("clusters"):
        chosen = read_json(inputs.choice)["k"]
        grid = pl.read_parquet(inputs.clusters)
        k = cluster_tables.nearest_number(grid, chosen)
        if k < chosen:
            LOG.warning("K = %d instead of %d: the sample has too few distinct images", k, chosen)
        of_k = grid.filter(k=k)
        labels = sample.join(of_k, on="image", how="left", maintain_order="left")["cluster"]
    else:
        tree, leaves = load_tree(inputs.encoding), pl.read_parquet(inputs.medoids)
        labels = labels_of(sample, leaves, tree, read_json(inputs.cards))
        k = labels.n_unique()
    rows = trials.trial(
        snakemake.wildcards.sample,
        np.load(snakemake.input.embeddings),
        labels.to_numpy(),
        sample.select("image", *trials.columns()),
        k=k,
        permutations=snakemake.params.permutations,
        seed=snakemake.params.seed,
    )
    LOG.info("%d rows", len(rows))
    write_parquet(rows, snakemake.output[0])
