"""Describe a sample's images by the trained autoencoder."""

import numpy as np
import polars as pl
from safetensors.torch import load_file

from tagsight.looks.autoencoder import build
from tagsight.looks.embeddings import embed
from tagsight.run.atomic import write_npy
from tagsight.run.jobs import logged

with logged(snakemake):
    failed = pl.read_parquet(snakemake.input.fates)["reason"].is_not_null().to_numpy()
    model = build(snakemake.params.preset)
    model.load_state_dict(load_file(snakemake.input.weights))
    embeddings = embed(
        model,
        np.load(snakemake.input.images),
        batch=40,
        device=snakemake.params.device,
        threads=snakemake.threads,
        failed=failed,
    )
    write_npy(embeddings, snakemake.output[0])
