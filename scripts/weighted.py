"""Learn the weights of columns from the looks of patients who are in no trial."""

import numpy as np
import polars as pl

from tagsight.run.atomic import write_json
from tagsight.run.jobs import logged
from tagsight.run.progress import LOG
from tagsight.tree.encodings import load_tree
from tagsight.tree.looks_weights import with_learned_weights

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    sample, embeddings = pl.read_parquet(inputs.sample), np.load(inputs.embeddings)
    tree = load_tree(inputs.encoding).ranged_by(sample, params.ranges)
    learned = with_learned_weights(tree, sample, embeddings, params.seed)
    if learned == tree:
        LOG.warning("no weight was learned from looks: too few patients are left for it")
    write_json({**learned.to_json(), "learned": learned != tree}, snakemake.output[0])
