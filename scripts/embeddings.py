"""Describe a sample's images by the trained embedder."""

import numpy as np
import polars as pl

from tagsight.looks.embedders import PRESETS, embeddings
from tagsight.run.atomic import write_npy
from tagsight.run.jobs import logged

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    embedder = PRESETS[params.preset].embedder(inputs.weights, params.device, snakemake.threads)
    failed = pl.read_parquet(inputs.fates)["reason"].is_not_null().to_numpy()
    write_npy(embeddings(embedder, np.load(inputs.images), failed), snakemake.output[0])
