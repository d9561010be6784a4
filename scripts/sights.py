"""Describe a sample's images by each referee of the autoencoder."""

import numpy as np
import polars as pl
from safetensors.numpy import load_file, save_file

from tagsight.looks import eyes
from tagsight.run.atomic import SEAL, writing
from tagsight.run.jobs import logged

with logged(snakemake):
    inputs, params = snakemake.input, snakemake.params
    failed = pl.read_parquet(inputs.fates)["reason"].is_not_null().to_numpy()
    seen = eyes.see_all(
        params.eyes,
        load_file(inputs.eyes),
        np.load(inputs.images),
        failed,
        params.device,
        snakemake.threads,
    )
    with writing(snakemake.output[0]) as temporary:
        save_file(seen, temporary, SEAL)
