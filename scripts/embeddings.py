"""Describe a sample's images by the trained embedder; without one, nothing is described."""

import numpy as np
import polars as pl

from tagsight.looks.embedders import PRESETS
from tagsight.run.atomic import write_npy
from tagsight.run.jobs import logged

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    failed = pl.read_parquet(inputs.fates)["reason"].is_not_null().to_numpy()
    embeddings = PRESETS[params.preset].described(
        inputs.weights, np.load(inputs.images), failed, params.device, snakemake.threads
    )
    write_npy(embeddings, snakemake.output[0])
