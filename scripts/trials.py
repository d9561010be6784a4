"""Measure how far images are from their centres, for each labelling and null model."""

import numpy as np
import polars as pl

from tagsight.clustering import cluster_tables
from tagsight.evaluation import trials
from tagsight.interpretation.annotations import labels_of
from tagsight.run.atomic import read_json, write_parquet
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG
from tagsight.tree.encodings import load_tree

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    sample, embeddings = pl.read_parquet(inputs.sample), np.load(inputs.embeddings)
    if inputs.get("clusters"):
        chosen, grid = read_json(inputs.choice)["k"], pl.read_parquet(inputs.clusters)
        labels, k = cluster_tables.of_about(sample["image"], grid, chosen)
    else:
        tuning, leaves = pl.read_parquet(inputs.tuning), pl.read_parquet(inputs.medoids)
        tree = load_tree(inputs.encoding).ranged_by(tuning, params.ranges)
        labels = labels_of(sample, leaves, tree, read_json(inputs.cards))
        k = labels.n_unique()
    rows = pl.DataFrame(schema=trials.SCHEMA)
    reason = trials.why_left_out(embeddings, sample, k)
    if reason:
        LOG.warning("left out is %s, %s", snakemake.wildcards.sample, reason)
    else:
        rows = trials.trial(
            snakemake.wildcards.sample,
            embeddings,
            labels.to_numpy(),
            sample.select("image", *trials.columns()),
            k=k,
            permutations=params.permutations,
            seed=params.seed,
        )
    LOG.info("%d rows", len(rows))
    write_parquet(rows, snakemake.output[0], metadata={"left_out": reason or ""})
