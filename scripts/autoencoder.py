"""Train the autoencoder, continuing after the last finished epoch."""

import numpy as np
import polars as pl
from safetensors.torch import save_file

from tagsight.looks.training import train
from tagsight.run.atomic import write_parquet, writing
from tagsight.run.jobs import logged, resume_folder
from tagsight.run.progress import LOG, Progress

with logged(snakemake):
    params = snakemake.params
    drawn = pl.read_parquet(snakemake.input.fates)["reason"].is_null().to_numpy()
    weights, training = train(
        np.load(snakemake.input.images)[drawn],
        preset=params.preset,
        epochs=params.epochs,
        batch=params.batch,
        learning_rate=params.learning_rate,
        validation=params.validation,
        device=params.device,
        seed=params.seed,
        threads=snakemake.threads,
        resume=resume_folder(snakemake) / "training.pt",
        progress=Progress(params.epochs, "epochs"),
    )
    if training.is_empty():
        LOG.warning("no network was trained: its sample has fewer than two images that were drawn")
    with writing(snakemake.output.weights) as temporary:
        save_file(weights, temporary)
    write_parquet(training, snakemake.output.training)
