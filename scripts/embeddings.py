"""Describe a sample's images by the trained autoencoder."""

import numpy as np
import polars as pl

from tagsight.autoencoder import load
from tagsight.embeddings import embed
from tagsight.jobs import logged
from tagsight.store import write_npy

with logged(snakemake):
    failed = pl.read_parquet(snakemake.input.fates)["reason"].is_not_null().to_numpy()
    embeddings = embed(
        load(snakemake.params.preset, snakemake.input.weights),
        np.load(snakemake.input.images),
        batch=40,
        device=snakemake.params.device,
        threads=snakemake.threads,
        failed=failed,
    )
    write_npy(embeddings, snakemake.output[0])
