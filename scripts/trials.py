"""Measure how far a trial's images are from the centres of their labels, as the paper does."""

import numpy as np
import polars as pl

from tagsight.clustering import cluster_tables
from tagsight.evaluation import trials
from tagsight.evaluation.pair import trial_images
from tagsight.run.atomic import read_json, write_parquet
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG

with logged(snakemake):
    inputs, params, name = snakemake.input, snakemake.params, snakemake.wildcards.sample
    sample, embeddings = pl.read_parquet(inputs.sample), np.load(inputs.embeddings)
    if inputs.get("clusters"):
        chosen, grid = read_json(inputs.choice)["k"], pl.read_parquet(inputs.clusters)
        labels, k = cluster_tables.of_about(sample["image"], grid, chosen)
    else:
        labels = trial_images([inputs.sample], inputs.annotations)["label"].fill_null(0)
        k = labels.n_unique()
    rows = pl.DataFrame(schema=trials.SCHEMA)
    reason = trials.why_left_out(embeddings, sample, k)
    if reason:
        LOG.warning("left out is %s, %s", name, reason)
    else:
        options = {"permutations": params.permutations, "seed": params.seed}
        rows = trials.trial(name, embeddings, labels.to_numpy(), k=k, **options)
    write_parquet(rows, snakemake.output[0], metadata={"left_out": reason or ""})
