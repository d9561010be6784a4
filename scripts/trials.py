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
    inputs, params = snakemake.input, snakemake.params
    sample, embeddings = pl.read_parquet(inputs.sample), np.load(inputs.embeddings)
    if inputs.get("clusters"):
        chosen, grid = read_json(inputs.choice)["k"], pl.read_parquet(inputs.clusters)
        k = cluster_tables.nearest_number(grid, chosen) if len(grid) else 0
        labels = sample.join(grid.filter(k=k), on="image", how="left", maintain_order="left")
        labels = labels["cluster"]
        if 0 < k < chosen:
            LOG.warning("K = %d instead of %d: the sample has too few distinct images", k, chosen)
    else:
        tree, leaves = load_tree(inputs.encoding), pl.read_parquet(inputs.medoids)
        labels = labels_of(sample, leaves, tree, read_json(inputs.cards))
        k = labels.n_unique()
    reason, rows = trials.why_left_out(embeddings, sample, k), pl.DataFrame(schema=trials.SCHEMA)
    if reason:
        LOG.warning("left out: %s", reason)
    else:
        of_trial = sample.select("image", *trials.columns())
        how = {"k": k, "permutations": params.permutations, "seed": params.seed}
        name = snakemake.wildcards.sample
        rows = trials.trial(name, embeddings, labels.to_numpy(), of_trial, **how)
    LOG.info("%d rows", len(rows))
    write_parquet(rows, snakemake.output[0], metadata={"left_out": reason or ""})
